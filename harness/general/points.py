"""The point beyond the short form that a certificate speaks of, and what it costs at most. R rows, E edges."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.general.entries import Sums, activities, least_over_rows
from harness.general.prices import RowSides
from harness.polytopes.points import brought_in, has_equality, sum_errors
from harness.rounding import SMALLEST, UNIT, Float64, bounded_sum
from harness.sources import Chunk, chunks, over_chunks
from instances import MatchingLP

#: What a factor is lowered by, so that what it scales stays within its rows.
_LOWERED = 1 - 32 * UNIT


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a point in C costs at most, and how far it is outside hard rows."""

    objective: float
    """c'x + penalties, raised by rounding."""
    error: float
    """By how much that was raised, at most."""
    priced: float
    """sum_r |y_r| violation_r, raised by rounding; 0 without a dual."""
    violation: float
    """The largest violation of a hard row, relative to 1 + |side|; 0.0 only where the point surely has none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Sums over the point of a chunk."""

    cost: float
    cost_error: float
    rows: Sums


def judged_point(lp: MatchingLP, x: npt.NDArray[Any], price: Float64 | None, pool: ThreadPoolExecutor) -> Judged | None:
    """Of x[E] brought into C and, where that repairs it, scaled into its rows; price [R]: the dual, in its intervals.

    None where a number is too large.
    """
    sides = RowSides.of(lp)
    factor = _factor(lp, sides, x, pool)
    parts = list(over_chunks(lp, pool, lambda chunk: _of_chunk(chunk, x, factor)))
    rows = _added(lp, [part.rows for part in parts])
    penalties = sides.penalty(rows.value, rows.error)
    sum_of_penalties, rounding, _ = bounded_sum(penalties)
    cost = math.fsum(part.cost for part in parts) + sum_of_penalties
    error = math.fsum(part.cost_error for part in parts) + rounding + 4 * UNIT * abs(cost)
    error += float(penalties.sum() - sides.penalty(rows.value, np.zeros(rows.value.size)).sum())

    violation = np.zeros(rows.value.size) if factor is not None else sides.violation(rows.value, rows.error)
    priced = 0.0 if price is None else float(np.abs(price) @ violation) * (1 + 1e-9)
    objective = cost + error
    if not (math.isfinite(objective) and math.isfinite(priced)):
        return None
    relative = sides.relative(rows.value, violation)
    return Judged(objective=objective, error=2 * error, priced=priced, violation=relative)


def point_of(lp: MatchingLP, x: npt.NDArray[Any], threads: int = 1) -> Float64:
    """The point float64[E] that `judged_point` judges."""
    point = np.empty(lp.edges)
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        factor = _factor(lp, RowSides.of(lp), x, pool)
        for chunk in chunks(lp):
            point[chunk.edges] = _point(chunk, x, factor)
    return point


def _factor(lp: MatchingLP, sides: RowSides, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> Float64 | None:
    """What each hard row leaves of its edges, [R]; None where scaling them down need not repair x."""
    if has_equality(lp) or not _is_packing(lp):
        return None
    rows = _added(lp, list(over_chunks(lp, pool, lambda chunk: _rows_of(chunk, brought_in(chunk, chunk.read(x))))))
    most = rows.value + rows.error
    hard = np.isfinite(sides.upper) & np.isinf(sides.penalty_above)
    return np.where(hard & (most > sides.upper), _LOWERED * sides.upper / np.where(most > 0, most, 1.0), 1.0)


def _is_packing(lp: MatchingLP) -> bool:
    """Whether every hard side is a ceiling >= 0 over coefficients >= 0."""
    for family in lp.rows:
        hard = np.isfinite(family.upper) & np.isinf(family.penalty_above)
        floors = np.isfinite(family.lower) & np.isinf(family.penalty_below)
        if floors.any() or (family.upper[hard] < 0).any():
            return False
        if hard.any() and np.min(family.coefficient, initial=0.0) < 0:
            return False
    return True


def _point(chunk: Chunk, x: npt.NDArray[Any], factor: Float64 | None) -> Float64:
    point = brought_in(chunk, chunk.read(x))
    return point if factor is None else point * least_over_rows(chunk, factor)


def _rows_of(chunk: Chunk, point: Float64) -> Sums:
    """A times the point of C next to `point`, whose sums may be off by their rounding."""
    sums = sum_errors(chunk, point)
    missed = sums.share * point + sums.moved
    if sums.lacking.any():
        missed = missed + sums.lacking[chunk.source]
    return activities(chunk, point, chunk.lp.row_count, missed if missed.any() else 0.0)


def _of_chunk(chunk: Chunk, x: npt.NDArray[Any], factor: Float64 | None) -> _Part:
    point = _point(chunk, x, factor)
    cost, rounding, magnitude = bounded_sum(chunk.c * point)
    sums = sum_errors(chunk, point)
    moved = float(sums.moved @ np.abs(chunk.c)) + float(sums.lacking.sum()) * chunk.largest_cost
    error = rounding + (2 * UNIT + sums.share) * magnitude + moved * (1 + 1e-9)
    error += SMALLEST * point.size * (1 + chunk.largest_cost)
    return _Part(cost=cost, cost_error=error, rows=_rows_of(chunk, point))


def _added(lp: MatchingLP, parts: list[Sums]) -> Sums:
    nothing = np.zeros(lp.row_count)
    total = Sums(value=nothing, size=nothing, error=nothing)
    for part in parts:
        total = total + part
    return total
