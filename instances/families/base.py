"""What a family of synthetic instances is made of.

I sources, J destinations, E edges of a block of n sources.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from instances.greedy import Load
from instances.matching import MatchingLP
from instances.polytopes import Polytope
from instances.polytopes.simplex import Simplex
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Drawn = TypeVar("Drawn")

#: What a family of rows without edges has in place of one row or one coefficient an edge.
NO_ROW = np.empty(0, dtype=np.int32)
NO_COEFFICIENT = np.empty(0, dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """One block of sources."""

    arrays: dict[str, npt.NDArray[Any]]
    """offsets int64[n + 1] from 0, and the arrays of the family under the names that instances/content.py stores."""
    load: list[Load]
    """What the rows receive from each of some simple assignments: see instances/greedy.py."""


class BlockFamily(ABC, Generic[Drawn]):
    """A family whose blocks of sources are independent given what is drawn once for all of them."""

    name: str
    title: str
    """What it is, in the list of `dualbench instances`."""
    arrays: Mapping[str, str]
    """dtype of each array of edges or entries by its name in instances/content.py, in the order that is hashed there:
    destination, a and c where the LP has the short form, else c and what the families of rows hold."""
    polytope: Polytope = Simplex()
    """Of all sources, where the spec names none."""
    peak: float = 1.1
    """Arrays while they are made, as a multiple of the finished ones."""

    @abstractmethod
    def draw(self, spec: Recipe) -> Drawn:
        """What all blocks share, such as values of the destinations."""

    def moved(self, drawn: Drawn, factor: Float64) -> Drawn:  # noqa: ARG002 - a family without slack keeps its limits
        """`drawn` with the limit of each destination, as far as a feasible point lets it move, times factor[J]."""
        return drawn

    @abstractmethod
    def block(self, spec: Recipe, drawn: Drawn, rng: np.random.Generator, sources: int) -> Block:
        """The next `sources` sources, from `rng` alone."""

    @abstractmethod
    def rows(self, spec: Recipe, drawn: Drawn, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        """The families of rows without their edges, from the `load` summed over all blocks; one in the short form."""

    @abstractmethod
    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        """Assignments, and rows of each, in a load."""

    def limits(self, spec: Sizes) -> int:
        """Numbers that the sides of all rows hold."""
        return spec.destinations

    def entries_per_edge(self, spec: Sizes) -> float:  # noqa: ARG002 - a ragged family may ask the spec
        """Of a ragged family of rows, about."""
        return 1.0

    def entries_in_rows(self, spec: Sizes) -> float:
        """Of an edge in all families of rows together, about; the arrays of family k end in _k."""
        numbers = [array.rpartition("_")[2] for array in self.arrays]
        families = 1 + max((int(number) for number in numbers if number.isdigit()), default=0)
        ragged = sum(array.startswith("entry_offsets_") for array in self.arrays)
        return families - ragged + ragged * self.entries_per_edge(spec)

    def edges_per_source(self, spec: Recipe, drawn: Drawn) -> float:  # noqa: ARG002 - a graph may be drawn
        """The mean, or more."""
        return spec.degree

    def bytes_per_edge(self, spec: Sizes) -> float:
        """Of the finished arrays."""
        return sum(
            np.dtype(dtype).itemsize * (self.entries_per_edge(spec) if self.is_of_entries(array) else 1)
            for array, dtype in self.arrays.items()
        )

    def capacity(self, spec: Recipe, drawn: Drawn, sources: int) -> dict[str, int]:
        """More entries of each array than the sources can have: ten standard deviations of a Poisson number above the
        mean (probability below 1e-20). Pages that stay untouched take no memory.
        """
        edges = self.edges_per_source(spec, drawn) * sources
        most = math.ceil(edges + 10 * math.sqrt(edges) + 64)
        return dict.fromkeys(self.arrays, most)

    def is_of_entries(self, array: str) -> bool:
        """Whether the array has an element for each entry of a ragged family, not for each edge."""
        field, _, number = array.rpartition("_")
        return field in ("row", "coefficient") and f"entry_offsets_{number}" in self.arrays


@dataclass(frozen=True, kw_only=True)
class WholeFamily:
    """A family that can only be made as a whole, in one process."""

    name: str
    title: str
    build: Callable[[Recipe], MatchingLP]
    edge_bytes: int
    """Of the finished arrays, for each edge."""
    peak: float
    """Arrays while they are made, as a multiple of the finished ones."""
    polytope: Polytope = field(default_factory=Simplex)
    """Of all sources, where the spec names none."""

    def limits(self, spec: Sizes) -> int:
        """Numbers that the sides of all rows hold."""
        return spec.destinations

    def entries_in_rows(self, spec: Sizes) -> float:  # noqa: ARG002 - the contract of every family
        """Of an edge in all families of rows together."""
        return 1.0

    def bytes_per_edge(self, spec: Sizes) -> float:  # noqa: ARG002 - the contract of every family
        """Of the finished arrays."""
        return self.edge_bytes


Family = BlockFamily[Any] | WholeFamily


def is_offsets(array: str) -> bool:
    """Whether the array of this name says where each source, or each edge in a ragged family of rows, starts."""
    return array == "offsets" or array.startswith("entry_offsets_")
