"""What a family of synthetic instances is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances.matching import MatchingLP
from instances.recipe import Recipe
from instances.sampling import BlockGraph, Destinations

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
    build: Callable[[Recipe], MatchingLP]
    bytes_per_edge: int
    peak: float


Family = BlockFamily | WholeFamily


def slots(rho: Float64, load: Float64) -> Float64:
    """b_j = max(1, floor(rho_j G_j)): whole slots, at least one a destination (b-matching)."""
    return np.maximum(1.0, np.floor(rho * load))
