"""Family `delivery`: contracts that promise impressions, with a price of each one that is not delivered.

Workload: guaranteed display advertising (Yahoo!: Bharadwaj et al., "SHALE: An Efficient Algorithm for Allocation of
Guaranteed Display Advertising", KDD 2012, where contracts have demands and under-delivery a penalty). A source is an
impression, a destination a contract; an impression that no contract gets is sold for s_i, so c_e = s_i - v_e, where v_e
is what it is worth to the contract; x_i in {x >= 0, 1'x <= 1}:

    contract    sum of x over its edges >= demand_j, or p_j for each impression that lacks

demand_j is U(0.8, 1.6) times what j gets when every impression is shared evenly among those who may have it, so all
demands together exceed the supply. Feasible: any x in its polytopes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_ROW, Block, BlockFamily, Float64
from instances.greedy import even_shares, load_on, radius_loads
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import (
    Destinations,
    draw_destinations,
    edges_per_source,
    family_generator,
    lognormal_values,
    sample_graph,
)

#: Mean and deviation of log s_i: an impression sells for about what it is worth to a contract (-4, 0.75).
_SALE = (-4.0, 0.5)
#: p_j in multiples of e^-4, the median worth of an impression: some contracts are cheaper to break than to serve.
_PRICE = (0.5, 4.0)
_DEMAND = (0.8, 1.6)


@dataclass(frozen=True, kw_only=True, eq=False)
class Contracts:
    """What is drawn once for each contract, float64[J]."""

    destinations: Destinations
    demand: Float64
    """In multiples of an even share."""
    price: Float64
    """p_j."""


class Delivery(BlockFamily[Contracts]):
    name = "delivery"
    title = "contracts that promise impressions, with a price of each one that lacks"
    arrays = MappingProxyType({"c": "f4", "row_0": "i4"})

    def draw(self, spec: Recipe) -> Contracts:
        rng = family_generator(spec)
        return Contracts(
            destinations=draw_destinations(spec),
            demand=rng.uniform(*_DEMAND, spec.destinations),
            price=np.exp(_SALE[0]) * rng.uniform(*_PRICE, spec.destinations),
        )

    def moved(self, drawn: Contracts, factor: Float64) -> Contracts:
        return replace(drawn, demand=drawn.demand * factor)

    def block(self, spec: Recipe, drawn: Contracts, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn.destinations, sources, least_edges=spec.least_edges)
        value = lognormal_values(rng, graph, drawn.destinations)
        sale = np.exp(_SALE[0] + _SALE[1] * rng.standard_normal(sources)).astype(np.float32)
        even = even_shares(spec.polytope, graph.source)
        return Block(
            arrays={
                "offsets": graph.offsets,
                "c": sale[graph.source] - value,
                "row_0": graph.destination.astype(np.int32),
            },
            load=[load_on((0, graph.destination, 1.0), x=even, source=graph.source)],
        )

    def rows(self, spec: Recipe, drawn: Contracts, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        demand = drawn.demand * radius_loads(spec.polytope, load)[0]
        return [Rows("contract", row=NO_ROW, lower=np.ceil(demand), penalty=drawn.price)]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return 1, spec.destinations

    def limits(self, spec: Sizes) -> int:
        return 2 * spec.destinations

    def edges_per_source(self, spec: Recipe, drawn: Contracts) -> float:
        return edges_per_source(spec, drawn.destinations)


FAMILY = Delivery()
