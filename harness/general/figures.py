"""The figures of a certificate beyond the short form."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.general.bound import lower_bound
from harness.general.entries import activities
from harness.general.points import judged_point
from harness.general.prices import RowSides
from harness.polytopes.points import distances, unserved_source
from harness.rounding import Float64
from harness.sources import over_chunks
from instances import MatchingLP

Figures = dict[str, float | None]
_LARGEST = float(np.finfo(np.float64).max)


def dual_figures(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor) -> Figures:
    """What `dual` [R] proves, and how far it is outside its intervals."""
    bound = lower_bound(lp, dual, pool)
    proved = math.isfinite(bound.value) and unserved_source(lp) is None
    norm_c = math.sqrt(sum(over_chunks(lp, pool, lambda chunk: float(chunk.c @ chunk.c))))
    outside = dual - RowSides.of(lp).clipped(dual)
    return {
        "dual_bound": bound.value if proved else None,
        "bound_error": min(bound.error, _LARGEST) if proved else None,
        "dual_residual": float(np.linalg.norm(outside)) / (1 + norm_c),
    }


def primal_figures(lp: MatchingLP, x: npt.NDArray[Any], dual: Float64 | None, pool: ThreadPoolExecutor) -> Figures:
    """What x[E] is like as it is, and what a point made of it costs; `dual` [R] prices the rows that it leaves."""
    sides = RowSides.of(lp)
    figures = _as_it_is(lp, sides, x, pool)
    point = None
    if unserved_source(lp) is None:
        point = judged_point(lp, x, None if dual is None else sides.clipped(dual), pool)
    if point is None:
        return figures
    if point.violation == 0:
        return figures | {
            "feasible_objective": point.objective,
            "objective_error": min(point.error, _LARGEST),
            "feasible_violation": 0.0,
        }
    priced = None if dual is None else point.objective + point.priced
    return figures | {"priced_objective": priced, "row_violation": point.violation}


def _as_it_is(lp: MatchingLP, sides: RowSides, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> Figures:
    """The answer, unrepaired."""
    activity = np.zeros(lp.row_count)
    objective = worst = square = right_sides = 0.0

    def of_chunk(chunk: Any) -> tuple[float, Any, Float64]:
        values = chunk.read(x)
        return float(chunk.c @ values), distances(chunk, values), activities(chunk, values, lp.row_count).value

    for cost, outside, rows in over_chunks(lp, pool, of_chunk):
        objective += cost
        activity += rows
        worst = max(worst, float(np.max(outside.sums, initial=0.0)), float(np.max(outside.edges, initial=0.0)))
        square += float(outside.sums @ outside.sums + outside.edges @ outside.edges)
        right_sides += float(np.sum(outside.right_sides**2))

    violation = sides.violation(activity)
    penalty = float(sides.penalty(activity, np.zeros(activity.size)).sum())
    budgets, polytopes = float(np.linalg.norm(violation)), math.sqrt(square)
    norms = sides.norm(), math.sqrt(right_sides)
    return {
        "objective": objective + penalty,
        "budget_violation": sides.relative(activity, violation),
        "polytope_violation": worst,
        "budget_residual": budgets / (1 + norms[0]),
        "polytope_residual": polytopes / (1 + norms[1]),
        "primal_residual": math.hypot(budgets, polytopes) / (1 + math.hypot(*norms)),
        "feasible_objective": None,
    }
