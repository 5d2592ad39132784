"""Family `coupons`: every customer gets one offer, under budgets of money and a return on investment.

Workload: marketing with offers of different value (Ant Financial: Zhang et al., "Solving Billion-Scale Knapsack
Problems", WWW 2020, names budget allocation in marketing; promotions that must pay for themselves are described by
Goldenberg et al. of Booking.com). A source is a customer, a destination a campaign, an edge an offer that is taken with
probability v_e, its value, and has cost m_e and expected revenue r_e, LogNormal(0, 0.7) times v_e; x_i in
{x >= 0, 1'x = 1}:

    campaign   sum of m_e x_e over its edges     <= budget_j
    total      sum of m_e x_e                    <= budget          one row for all edges
    return     sum of (r_e - 1.2 m_e) x_e        >= lower           one row for all edges, coefficients of both signs

Feasible: H, in which every customer gets the offer with the largest r_e - 2 m_e. A campaign has room for H, and for
rho_j of G, in which every customer gets the offer with the largest v_e; the total is that of H and a fifth of what G
has more, the return that of H less three tenths of what G lacks.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_COEFFICIENT, NO_ROW, Block, BlockFamily, Float64
from instances.greedy import greedy_shares, load_on, radius_loads
from instances.polytopes.simplex import Simplex
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import Destinations, draw_destinations, edges_per_source, lognormal_values, sample_graph

#: What a unit of cost must bring, and how much H shuns it.
_RETURN, _SHUNNED = np.float32(1.2), np.float32(2.0)
#: How far the total goes from H to G, and the return back from that of H.
_MORE, _LESS = 0.2, 0.3
#: What every limit leaves beyond H at least.
_ROOM = 0.001


class Coupons(BlockFamily[Destinations]):
    name = "coupons"
    title = "one offer a customer under budgets of campaigns and of all, with a return on investment"
    polytope = Simplex(equality=True)
    arrays = MappingProxyType(
        {"c": "f4", "row_0": "i4", "coefficient_0": "f4", "coefficient_1": "f4", "coefficient_2": "f4"}
    )

    def draw(self, spec: Recipe) -> Destinations:
        return draw_destinations(spec)

    def moved(self, drawn: Destinations, factor: Float64) -> Destinations:
        return replace(drawn, rho=drawn.rho * factor)

    def block(self, spec: Recipe, drawn: Destinations, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn, sources, least_edges=spec.least_edges)
        value = lognormal_values(rng, graph, drawn)
        revenue = value * np.exp(0.7 * rng.standard_normal(graph.edges)).astype(np.float32)
        cost = np.exp(-4.5 + 0.8 * rng.standard_normal(graph.edges)).astype(np.float32)
        surplus = revenue - _RETURN * cost

        J = spec.destinations
        rows = ((0, graph.destination, cost), (J, None, cost), (J + 1, None, surplus))
        wanted = greedy_shares(spec.polytope, graph.source, value)
        known = greedy_shares(spec.polytope, graph.source, revenue - _SHUNNED * cost)
        return Block(
            arrays={
                "offsets": graph.offsets,
                "c": -value,
                "row_0": graph.destination.astype(np.int32),
                "coefficient_0": cost,
                "coefficient_1": cost,
                "coefficient_2": surplus,
            },
            load=[load_on(*rows, x=x, source=graph.source) for x in (wanted, known)],
        )

    def rows(self, spec: Recipe, drawn: Destinations, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        (wanted, known), J = radius_loads(spec.polytope, load), spec.destinations
        room = _ROOM * np.abs(known)
        total = known[J] + room[J] + _MORE * max(0.0, wanted[J] - known[J])
        least = known[J + 1] - room[J + 1] - _LESS * max(0.0, known[J + 1] - wanted[J + 1])
        campaign = np.maximum(drawn.rho * wanted[:J], known[:J] + room[:J])
        return [
            Rows("campaign", row=NO_ROW, coefficient=NO_COEFFICIENT, upper=campaign),
            Rows("total", coefficient=NO_COEFFICIENT, upper=[total]),
            Rows("return", coefficient=NO_COEFFICIENT, lower=[least]),
        ]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return 2, spec.destinations + 2

    def limits(self, spec: Sizes) -> int:
        return spec.destinations + 2

    def edges_per_source(self, spec: Recipe, drawn: Destinations) -> float:
        return edges_per_source(spec, drawn)


FAMILY = Coupons()
