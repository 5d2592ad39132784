"""Family `pacing`: campaigns with a budget of the day and one of each hour, nested.

Workload: spreading the budget of an advertiser over the day, as its curve of opportunities runs (pacing and daily
budgets of ad platforms, as docs.promoted.ai describes them). A source is an impression in some hour h of the day, a
destination a campaign j, an edge what showing it is worth and costs; x_i in {x >= 0, 1'x <= 1}:

    campaign       sum of a_e x_e over its edges             <= B_j
    campaign-hour  the same over its edges in that hour      <= w_h B_j * 1.25

B_j = rho_j G_j, where G_j is its cost when every impression goes where it is worth most; w_h is the share of the day's
impressions in hour h. a_e ~ LogNormal(0, 1) is independent of the value. For '=' sources every limit also has room for
the impressions spread evenly, and 2 % more: a known feasible point.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_COEFFICIENT, NO_ROW, Block, BlockFamily, Float64
from instances.greedy import even_shares, greedy_shares, load_on, loads_of, radius_loads
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import Destinations, draw_destinations, edges_per_source, lognormal_values, sample_graph

HOURS = 24
#: How far an hour may run ahead of the day.
_AHEAD = 1.25
#: A campaign that nobody wants may still spend a little: a limit of 0 would remove its edges from the LP.
_LEAST = 1e-8
#: What the limits of '=' sources leave beyond the known point.
_ROOM = 0.02


class Pacing(BlockFamily[Destinations]):
    name = "pacing"
    title = "campaigns with a budget of the day and one of each of its 24 hours, nested"
    arrays = MappingProxyType({"c": "f4", "row_0": "i4", "coefficient_0": "f4", "row_1": "i4", "coefficient_1": "f4"})

    def draw(self, spec: Recipe) -> Destinations:
        return draw_destinations(spec)

    def moved(self, drawn: Destinations, factor: Float64) -> Destinations:
        return replace(drawn, rho=drawn.rho * factor)

    def block(self, spec: Recipe, drawn: Destinations, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn, sources, least_edges=spec.least_edges)
        value = lognormal_values(rng, graph, drawn)
        cost = np.exp(rng.standard_normal(graph.edges)).astype(np.float32)
        hour = np.searchsorted(np.cumsum(_traffic())[:-1], rng.random(sources), side="right")
        campaign_hour = graph.destination * HOURS + hour[graph.source]

        points = [greedy_shares(spec.polytope, graph.source, value)]
        if loads_of(spec.polytope) == 2:
            points.append(even_shares(spec.polytope, graph.source))
        return Block(
            arrays={
                "offsets": graph.offsets,
                "c": -value,
                "row_0": graph.destination.astype(np.int32),
                "coefficient_0": cost,
                "row_1": campaign_hour.astype(np.int32),
                "coefficient_1": cost,
            },
            load=[load_on((0, campaign_hour, cost), x=x, source=graph.source) for x in points],
        )

    def rows(self, spec: Recipe, drawn: Destinations, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        spent = radius_loads(spec.polytope, load).reshape(-1, spec.destinations, HOURS)
        budget = drawn.rho * (spent[0].sum(axis=1) + _LEAST)
        of_hour = _AHEAD * np.outer(budget, _traffic())
        for even in spent[1:]:
            budget = np.maximum(budget, (1 + _ROOM) * even.sum(axis=1))
            of_hour = np.maximum(of_hour, (1 + _ROOM) * even)
        return [
            Rows("campaign", row=NO_ROW, coefficient=NO_COEFFICIENT, upper=budget),
            Rows("campaign-hour", row=NO_ROW, coefficient=NO_COEFFICIENT, upper=of_hour.ravel()),
        ]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return loads_of(spec.polytope), spec.destinations * HOURS

    def limits(self, spec: Sizes) -> int:
        return spec.destinations * (1 + HOURS)

    def edges_per_source(self, spec: Recipe, drawn: Destinations) -> float:
        return edges_per_source(spec, drawn)


def _traffic() -> npt.NDArray[np.float64]:
    """w_h, float64[24] of sum 1: least at four in the morning, five times as much twelve hours later."""
    weight = 3.0 - 2.0 * np.cos(2 * np.pi * (np.arange(HOURS) - 4) / HOURS)
    return np.asarray(weight / weight.sum())


FAMILY = Pacing()
