"""Family `transport`: all goods of every source go somewhere, and every destination gets exactly what it needs.

Workload: the balanced transportation problem (Hitchcock 1941; as optimal transport between images in the DOTmark
collection of Schrieber, Schuhmacher and Gottschlich, 2017). Sources and destinations are points of the unit square,
c_e is their distance squared; x_i in {x >= 0, 1'x = 1}, and the sum of x over the edges of a destination is its need
exactly.

Feasible: every source sends all to one of its edges at random; the needs are what arrives then. So they add up to what
all sources have, and no row has any slack.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_ROW, Block, BlockFamily, Float64
from instances.greedy import greedy_shares, load_on, radius_loads
from instances.polytopes.simplex import Simplex
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import Destinations, draw_destinations, edges_per_source, family_generator, sample_graph


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """What is drawn once for each destination."""

    destinations: Destinations
    at: Float64
    """float64[J, 2] in the unit square."""


class Transport(BlockFamily[Places]):
    name = "transport"
    title = "balanced transport: '=' sources and '=' rows, distances as costs, no slack anywhere"
    polytope = Simplex(equality=True)
    arrays = MappingProxyType({"c": "f4", "row_0": "i4"})

    def draw(self, spec: Recipe) -> Places:
        return Places(destinations=draw_destinations(spec), at=family_generator(spec).random((spec.destinations, 2)))

    def block(self, spec: Recipe, drawn: Places, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn.destinations, sources, least_edges=max(1, spec.least_edges))
        way = rng.random((sources, 2))[graph.source] - drawn.at[graph.destination]
        known = greedy_shares(spec.polytope, graph.source, rng.random(graph.edges, dtype=np.float32))
        return Block(
            arrays={
                "offsets": graph.offsets,
                "c": (way**2).sum(axis=1).astype(np.float32),
                "row_0": graph.destination.astype(np.int32),
            },
            load=[load_on((0, graph.destination, 1.0), x=known, source=graph.source)],
        )

    def rows(self, spec: Recipe, drawn: Places, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:  # noqa: ARG002
        need = radius_loads(spec.polytope, load)[0]
        return [Rows("need", row=NO_ROW, lower=need, upper=need)]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return 1, spec.destinations

    def limits(self, spec: Sizes) -> int:
        return 2 * spec.destinations

    def edges_per_source(self, spec: Recipe, drawn: Places) -> float:
        return edges_per_source(spec, drawn.destinations)


FAMILY = Transport()
