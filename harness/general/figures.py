"""The figures of a certificate beyond the short form."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.general.bound import into_intervals, lower_bound
from harness.general.layers import layers, sides_of
from harness.general.points import Judged, judged_point
from harness.polytopes.points import distances, unserved_source
from harness.rounding import Float64
from harness.sources import Chunk, over_chunks
from instances import MatchingLP
from instances.sides import Sides

Figures = dict[str, float | None]
_LARGEST = float(np.finfo(np.float64).max)


def dual_figures(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor) -> Figures:
    """What `dual` [R] proves, and how far it is outside its intervals."""
    bound = lower_bound(lp, dual, pool)
    proved = math.isfinite(bound.value) and unserved_source(lp) is None
    norm_c = math.sqrt(sum(over_chunks(lp, pool, lambda chunk: float(chunk.c @ chunk.c))))
    outside = dual - into_intervals(sides_of(lp), dual)
    return {
        "dual_bound": bound.value if proved else None,
        "bound_error": min(bound.error, _LARGEST) if proved else None,
        "dual_residual": float(np.linalg.norm(outside)) / (1 + norm_c),
    }


def primal_figures(lp: MatchingLP, x: npt.NDArray[Any], dual: Float64 | None, pool: ThreadPoolExecutor) -> Figures:
    """What x[E] is like as it is, and what a point made of it costs; `dual` [R] prices the rows that it leaves."""
    return _as_it_is(lp, sides_of(lp), x, pool) | point_figures(lp, x, dual, pool)


def point_figures(lp: MatchingLP, x: npt.NDArray[Any], dual: Float64 | None, pool: ThreadPoolExecutor) -> Figures:
    """What a point made of x[E] costs, by itself where it is feasible, else with the rows that it leaves priced."""
    if unserved_source(lp) is not None:
        return {"feasible_objective": None}
    point = judged_point(lp, x, None if dual is None else into_intervals(sides_of(lp), dual), pool)
    if point is None:
        return {"feasible_objective": None}
    if not point.feasible:
        return {"feasible_objective": None, **_near_figures(point, dual)}
    figures: Figures = {
        "feasible_objective": _with_violations(point),
        "objective_error": min(point.error + 2 * point.priced, _LARGEST),
        "feasible_violation": point.share,
    }
    return figures if point.near is None else figures | _near_figures(point.near, dual)


def _near_figures(point: Judged, dual: Float64 | None) -> Figures:
    """Of a point that leaves hard rows."""
    return {"priced_objective": None if dual is None else _with_violations(point), "row_violation": point.violation}


def _with_violations(point: Judged) -> float:
    """What the point costs with its violations priced, rounded up."""
    return point.objective if point.priced == 0 else math.nextafter(point.objective + point.priced, math.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answer:
    """Sums over one chunk of the answer, unrepaired."""

    objective: float
    activity: Float64
    polytope_worst: float
    polytope_square: float
    right_sides_square: float


def _as_it_is(lp: MatchingLP, sides: Sides, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> Figures:
    """The answer, unrepaired."""
    activity = np.zeros(lp.row_count)
    objective = worst = square = right_sides = 0.0
    for part in over_chunks(lp, pool, lambda chunk: _of_chunk(chunk, x, lp.row_count)):
        objective += part.objective
        activity += part.activity
        worst = max(worst, part.polytope_worst)
        square += part.polytope_square
        right_sides += part.right_sides_square

    violation = sides.violation(activity)
    budgets, polytopes = float(np.linalg.norm(violation)), math.sqrt(square)
    norms = _norm(sides), math.sqrt(right_sides)
    return {
        "objective": objective + float(_soft(sides).cost(activity).sum()),
        "budget_violation": _relative(sides, activity, violation),
        "polytope_violation": worst,
        "budget_residual": budgets / (1 + norms[0]),
        "polytope_residual": polytopes / (1 + norms[1]),
        "primal_residual": math.hypot(budgets, polytopes) / (1 + math.hypot(*norms)),
    }


def _of_chunk(chunk: Chunk, x: npt.NDArray[Any], rows: int) -> _Answer:
    values = chunk.read(x)
    outside = distances(chunk, values)
    activity = np.zeros(rows)
    for layer in layers(chunk):
        activity += layer.activity(layer.coefficient * values[layer.edges], rows)
    return _Answer(
        objective=float(chunk.c @ values),
        activity=activity,
        polytope_worst=max(float(np.max(outside.sums, initial=0.0)), float(np.max(outside.edges, initial=0.0))),
        polytope_square=float(outside.sums @ outside.sums + outside.edges @ outside.edges),
        right_sides_square=float(np.sum(outside.right_sides**2)),
    )


def _soft(sides: Sides) -> Sides:
    """The sides that have a price, the others at 0."""
    return Sides(
        lower=sides.lower,
        upper=sides.upper,
        penalty_below=np.where(np.isinf(sides.penalty_below), 0.0, sides.penalty_below),
        penalty_above=np.where(np.isinf(sides.penalty_above), 0.0, sides.penalty_above),
    )


def _relative(sides: Sides, activity: Float64, violation: Float64) -> float:
    """The largest violation over 1 + |the side that is violated|."""
    left = violation > 0
    side = np.where(activity > sides.upper, sides.upper, sides.lower)[left]
    return float(np.max(violation[left] / (1 + np.abs(side)), initial=0.0))


def _norm(sides: Sides) -> float:
    """The 2-norm of the sides, of each row the larger one that is there."""
    sizes = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (sides.lower, sides.upper)]
    return float(np.linalg.norm(np.maximum(*sizes)))
