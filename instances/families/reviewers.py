"""Family `reviewers`: every paper gets exactly three reviewers, each at most once, and all reviewers have one load.

Workload: assigning papers at a conference (Xu et al., "A One-Size-Fits-All Approach to Improving Randomness in Paper
Assignment", 2023, is about such assignments). A source is a paper, a destination a reviewer, an edge a pair without a
conflict, with a similarity; x_i in {0 <= x <= 1, 1'x = 3}, and the sum of x over the edges of a reviewer is at most
the load of all.

Feasible: every paper spread evenly over its edges; the load is the largest that a reviewer gets then, rounded up. Every
reviewer is as likely on a paper as any other, so that this leaves little room.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances.families.base import Block, BlockFamily
from instances.families.budget import SHORT_ARRAYS, short_rows
from instances.greedy import UNITS, Load, even_shares, radius_loads
from instances.polytopes.box_cut import BoxCut
from instances.recipe import Recipe
from instances.rows import RaggedRows, Rows
from instances.sampling import (
    Destinations,
    draw_destinations,
    edges_per_source,
    lognormal_values,
    sample_graph,
    with_breadth,
)


class Reviewers(BlockFamily[Destinations]):
    name = "reviewers"
    title = "exactly three reviewers a paper, each at most once (box-cut '='), and one load for all reviewers"
    polytope = BoxCut(upper=1.0, at_most=3.0, equality=True)
    arrays = SHORT_ARRAYS

    def draw(self, spec: Recipe) -> Destinations:
        return with_breadth(draw_destinations(spec), np.ones(spec.destinations), spec.degree)

    def block(self, spec: Recipe, drawn: Destinations, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn, sources, least_edges=spec.least_edges)
        even = np.ceil(even_shares(spec.polytope, graph.source) * UNITS).astype(np.int64)
        return Block(
            arrays={
                "offsets": graph.offsets,
                "destination": graph.destination.astype(np.int32),
                "a": np.ones(graph.edges, dtype=np.float32),
                "c": -lognormal_values(rng, graph, drawn),
            },
            load=[Load(graph.destination, even, graph.source)],
        )

    def rows(self, spec: Recipe, drawn: Destinations, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:  # noqa: ARG002
        even = radius_loads(spec.polytope, load)[0]
        return [short_rows(np.full(spec.destinations, max(1.0, np.ceil(even.max()))))]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return 1, spec.destinations

    def edges_per_source(self, spec: Recipe, drawn: Destinations) -> float:
        return edges_per_source(spec, drawn)


FAMILY = Reviewers()
