"""Families of synthetic instances: one file each, found by being there.

A file of this folder defines `FAMILY`, a BlockFamily (made block by block, in any order and process) or a WholeFamily
(sequential by nature). Files whose name starts with an underscore are not families.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from instances.errors import SpecError

if TYPE_CHECKING:
    from instances.matching import MatchingLP
    from instances.sampling import BlockGraph, Destinations
    from instances.spec import MatchingSpec

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BlockFamily:
    """A family whose blocks of sources are independent given the draws of the destinations.

    coefficients(rng, graph, destinations) -> a, value: float32 of each edge of the block; c = -value exactly.
    greedy_by_value: a source's best edge has the largest value, else the largest a.
    budget(rho, load) -> b: float64[J] from rho in [0.5, 1) and the greedy load, before any rule of the polytope.
    bytes_per_edge: of the finished arrays; peak: arrays while they are made, as a multiple of the finished ones.
    """

    name: str
    title: str
    coefficients: Callable[[np.random.Generator, BlockGraph, Destinations], tuple[Float32, Float32]]
    greedy_by_value: bool
    budget: Callable[[Float64, Float64], Float64]
    bytes_per_edge: int = 12
    peak: float = 1.1


@dataclass(frozen=True, kw_only=True)
class WholeFamily:
    """A family that can only be made as a whole, in one process; memory as in BlockFamily."""

    name: str
    title: str
    build: Callable[[MatchingSpec], MatchingLP]
    bytes_per_edge: int
    peak: float


Family = BlockFamily | WholeFamily


@cache
def families() -> dict[str, Family]:
    """Family by name, in alphabetical order."""
    modules = (info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    all_of_them: list[Family] = [importlib.import_module(f"{__name__}.{module}").FAMILY for module in modules]
    return {f.name: f for f in sorted(all_of_them, key=lambda f: f.name)}


def family_names() -> tuple[str, ...]:
    return tuple(families())


def family(name: str) -> Family:
    try:
        return families()[name]
    except KeyError:
        raise SpecError(f"unknown family {name!r}: use one of {', '.join(family_names())}") from None


def slots(rho: Float64, load: Float64) -> Float64:
    """b_j = max(1, floor(rho_j G_j)): whole slots, at least one a destination (b-matching)."""
    return np.maximum(1.0, np.floor(rho * load))
