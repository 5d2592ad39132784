"""What a flow and its prices prove about the LP itself, in float64: the bound, the gap and infeasibility.

I sources, E edges, J rows. With the prices p_i of sources (at most 0 but for '=' sources) and y_j of rows, q = c + a y,
z_i all that a source can send and u_e over one edge,

    sum_i z_i p_i + sum_e u_e min(0, q_e - p_i)  -  sum_j (upper_j max(y_j, 0) - lower_j max(-y_j, 0))  <=  optimum
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, activities
from instances.evaluate import linear_cost
from solvers.flow_units import Floats, edge_rows, unit_sources

_ROUNDED = 1e-9  # of the two sides of a proof


def gap_and_violation(lp: MatchingLP, x: Floats, of_source: Floats, y: Floats) -> tuple[float, float]:
    """The gap with violations of hard sides at the prices y, relative to max(1, |bound|), and the largest violation
    relative to 1 + the side that is left.
    """
    sides = lp.rows[0].sides
    activity = activities(lp, x)
    violation = sides.violation(activity)
    soft = np.where(violation > 0, 0.0, sides.cost(np.clip(activity, *_hard_limits(lp))))
    cost = linear_cost(lp, x) + float(soft.sum() + np.abs(y) @ violation)

    bound = _from_sources(lp, lp.c.astype(np.float64), of_source, y) - _from_rows(lp, y)
    left = np.where(activity > sides.upper, sides.upper, sides.lower)
    relative = np.where(violation > 0, violation / (1 + np.abs(np.where(violation > 0, left, 0.0))), 0.0)
    return (cost - bound) / max(1.0, abs(bound)), float(relative.max(initial=0.0))


def proves_infeasible(lp: MatchingLP, of_source: Floats, ray: Floats) -> bool:
    """Whether sources pay more under the ray than the rows are worth, by more than rounding."""
    paid = _from_sources(lp, np.zeros(lp.edges), of_source, ray)
    worth = _from_rows(lp, ray)
    return paid - worth > _ROUNDED * (abs(paid) + abs(worth))


def _hard_limits(lp: MatchingLP) -> tuple[Floats, Floats]:
    """lower and upper float64[J] of the hard sides, -inf and inf where a side is soft or absent."""
    family = lp.rows[0]
    return (
        np.where(np.isinf(family.penalty_below), family.lower, -np.inf),
        np.where(np.isinf(family.penalty_above), family.upper, np.inf),
    )


def _from_sources(lp: MatchingLP, c: Floats, of_source: Floats, y: Floats) -> float:
    sources, source = unit_sources(lp), lp.source_of_edge()
    p = np.where(lp.per_source.limits().equality, of_source, np.minimum(of_source, 0.0))
    row, a = edge_rows(lp)
    below = np.minimum(0.0, c + a * y[row] - p[source])
    return float(sources.width @ p + sources.each[sources.place] @ below)


def _from_rows(lp: MatchingLP, y: Floats) -> float:
    """upper'max(y, 0) - lower'max(-y, 0); a price whose side does not exist makes it inf."""
    family = lp.rows[0]
    return float(_weighed(family.upper, np.maximum(y, 0.0)) - _weighed(family.lower, np.maximum(-y, 0.0)))


def _weighed(side: Floats, price: npt.NDArray[np.float64]) -> float:
    counts = price > 0
    return float(side[counts] @ price[counts])
