"""Families of the short form: one budget a destination, from what a greedy assignment puts on it.

b_j follows from rho_j ~ U(0.5, 1) and the greedy load G_j: what row j receives if every source fills its best edges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from instances.families.base import Block, BlockFamily, Float32, Float64
from instances.greedy import block_load, loads_of, radius_loads
from instances.polytopes import Polytope
from instances.polytopes.simplex import Simplex
from instances.recipe import Recipe
from instances.rows import SHORT_NAME, RaggedRows, Rows
from instances.sampling import BlockGraph, Destinations, draw_destinations, edges_per_source, sample_graph

#: Arrays of the short form.
SHORT_ARRAYS = {"destination": "i4", "a": "f4", "c": "f4"}


@dataclass(frozen=True, kw_only=True)
class BudgetFamily(BlockFamily[Destinations]):
    """A family of the short form on the graph that all of them share."""

    name: str
    title: str
    coefficients: Callable[[np.random.Generator, BlockGraph, Destinations], tuple[Float32, Float32]]
    """(rng, graph, destinations) -> a, value of each edge of a block; c = -value exactly."""
    greedy_by_value: bool
    """Whether a source's best edge has the largest value, else the largest a."""
    budget: Callable[[Float64, Float64], Float64]
    """(rho, load) -> b, float64[J], before any rule of the polytope."""
    polytope: Polytope = field(default_factory=Simplex)
    arrays: Mapping[str, str] = field(default_factory=lambda: SHORT_ARRAYS)

    def draw(self, spec: Recipe) -> Destinations:
        return draw_destinations(spec)

    def moved(self, drawn: Destinations, factor: Float64) -> Destinations:
        return replace(drawn, rho=drawn.rho * factor)

    def block(self, spec: Recipe, drawn: Destinations, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn, sources, least_edges=spec.least_edges)
        a, value = self.coefficients(rng, graph, drawn)
        key = value if self.greedy_by_value else a
        return Block(
            arrays={
                "offsets": graph.offsets,
                "destination": graph.destination.astype(np.int32),
                "a": a,
                "c": -value,
            },
            load=block_load(spec.polytope, graph.source, graph.destination, a, key),
        )

    def rows(self, spec: Recipe, drawn: Destinations, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        """For '=' sources b_j is at least what row j receives when every source spreads its radius evenly over its
        edges: a known feasible point, so that generated '=' instances are feasible.
        """
        loads = radius_loads(spec.polytope, load)
        b = self.budget(drawn.rho, loads[0])
        return [short_rows(b if len(loads) == 1 else np.maximum(b, loads[1]))]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return loads_of(spec.polytope), spec.destinations

    def edges_per_source(self, spec: Recipe, drawn: Destinations) -> float:
        return edges_per_source(spec, drawn)


def short_rows(b: Float64) -> Rows:
    """The family of the short form with these budgets, without edges."""
    return Rows(SHORT_NAME, row=np.empty(0, dtype=np.int32), coefficient=np.empty(0, dtype=np.float32), upper=b)


def whole_slots(rho: Float64, load: Float64) -> Float64:
    """b_j = max(1, floor(rho_j G_j)): whole slots, at least one a destination (b-matching)."""
    return np.maximum(1.0, np.floor(rho * load))
