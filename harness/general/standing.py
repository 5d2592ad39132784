"""Where a point stands on coupling rows of any form, to the last digit, and what that costs at most.

R rows, E edges. The point is within rounding of its polytopes; what is said holds for a point x' of all C_i near it
(harness/polytopes/points.py, `sum_errors`). Activities are split as loads are in harness/feasible.py, so an answer of
zeros and ones that fills its rows is found to be feasible exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.feasible import cost_of
from harness.general.layers import layers
from harness.polytopes.points import sum_errors
from harness.rounding import (
    PRODUCT_UNDERFLOW,
    SMALLEST,
    TINY,
    UNIT,
    Float64,
    extracted,
    power_above,
    rounded_down,
    two_product,
)
from harness.sources import Chunk, over_chunks
from instances import MatchingLP
from instances.sides import Sides

#: The part of a point on the edges of a chunk.
Point = Callable[[Chunk], Float64]
#: Loose enough for the roundings of sums of nonnegative bounds that are no more than 2^30 terms.
_RAISED = 1 + 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """Bounds from above, of x'. float64[R] each where no other shape is said."""

    above: Float64
    """act - upper; 0 where act surely is not above, inf where nothing is known."""
    below: Float64
    """lower - act; 0 where act surely is not below."""
    positive: Float64
    """The sum of a x over the entries with a > 0."""
    negative: Float64
    """The sum of |a| x over those with a < 0."""
    radius: Float64
    """How far the activity of x' may be from what was computed."""
    share: float
    """The share of x that scaling it into its polytopes takes away or adds."""
    placed: float
    """What it may cost to give '=' sources what they lack."""

    @property
    def magnitude(self) -> Float64:
        """The sum of |a| x."""
        return self.positive + self.negative

    def hard(self, sides: Sides) -> Standing:
        """The same, where soft sides are not left."""
        return Standing(
            above=np.where(np.isinf(sides.penalty_above), self.above, 0.0),
            below=np.where(np.isinf(sides.penalty_below), self.below, 0.0),
            positive=self.positive,
            negative=self.negative,
            radius=self.radius,
            share=self.share,
            placed=self.placed,
        )


@dataclass(frozen=True, kw_only=True)
class Priced:
    """value >= c'x' + what soft sides cost >= value - error in exact arithmetic."""

    value: float
    error: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """Sums over one chunk or all, float64[R]; an activity is exact + rest, but for what is lost."""

    exact: Float64
    rest: Float64
    rest_size: Float64
    lost: Float64
    entries: int
    share: float
    placed: float


def standing(lp: MatchingLP, sides: Sides, point: Point, pool: ThreadPoolExecutor) -> Standing:
    """Of a point that is within rounding of its polytopes."""
    positive = np.zeros(lp.row_count)
    negative = np.zeros(lp.row_count)
    for up, down in over_chunks(lp, pool, lambda chunk: _magnitudes(chunk, point(chunk), lp.row_count)):
        positive += up
        negative += down
    grid = power_above(positive + negative)

    total = _nothing(lp.row_count)
    pieces = most_entries = 0
    for part in over_chunks(lp, pool, lambda chunk: _split_sums(chunk, point(chunk), grid)):
        total = _add(total, part)
        most_entries = max(most_entries, part.entries)
        pieces += 1

    rounding = (most_entries + pieces + 16) * UNIT * total.rest_size
    radius = (rounding + total.lost + total.share * (positive + negative)) * _RAISED
    return Standing(
        above=_excess(total.exact - sides.upper, total.rest, radius),
        below=_excess(sides.lower - total.exact, -total.rest, radius),
        positive=positive,
        negative=negative,
        radius=radius,
        share=total.share,
        placed=total.placed * _RAISED,
    )


def priced(lp: MatchingLP, sides: Sides, point: Point, at: Standing, pool: ThreadPoolExecutor) -> Priced:
    """c'x' and what its soft sides cost, where `at` is the standing of the point."""
    cost = cost_of(lp, point, pool)
    above = _soft_cost(sides.penalty_above, at.above, at.radius)
    below = _soft_cost(sides.penalty_below, at.below, at.radius)
    worth = at.share * cost.magnitude * _RAISED + at.placed + above.value + below.value
    value = cost.value + worth
    if worth > 0:
        value += 4 * UNIT * (abs(cost.value) + worth)
    loose = worth - above.value - below.value + above.error + below.error
    return Priced(value=value, error=(cost.error + loose + 8 * UNIT * (abs(cost.value) + worth)) * _RAISED)


def worth_of_violations(price: Float64, hard: Standing) -> float:
    """sum_r |y_r| violation_r of the hard sides, rounded up."""
    violation = np.maximum(hard.above, hard.below)
    used = (price != 0) & (violation > 0)
    terms = np.abs(price[used]) * violation[used]
    total = -rounded_down((-terms).tolist())
    return float(total * (1 + 4 * UNIT) + SMALLEST * terms.size)


def largest_violation(sides: Sides, hard: Standing) -> float:
    """max_r violation_r / (1 + |the violated side|)."""
    ratios = [
        np.divide(excess, 1 + np.abs(side), out=np.zeros_like(excess), where=excess > 0)
        for excess, side in ((hard.above, sides.upper), (hard.below, sides.lower))
    ]
    return float(max(np.max(ratio, initial=0.0) for ratio in ratios)) * (1 + 4 * UNIT)


def relative_violation(sides: Sides, hard: Standing) -> float:
    """The largest violation as a share of its row: of the violated side, or of the sum of |a| x where that is more."""
    largest = 0.0
    for excess, side in ((hard.above, sides.upper), (hard.below, sides.lower)):
        left = excess > 0
        size = np.maximum(np.abs(side), hard.magnitude)[left]
        ratio = np.divide(excess[left], size, out=np.full(size.size, np.inf), where=size > 0)
        largest = max(largest, float(np.max(ratio, initial=0.0)))
    return largest


def _magnitudes(chunk: Chunk, x: Float64, rows: int) -> tuple[Float64, Float64]:
    positive = np.zeros(rows)
    negative = np.zeros(rows)
    for layer in layers(chunk):
        values = layer.coefficient * x[layer.edges]
        positive += layer.activity(np.maximum(values, 0.0), rows)
        if (values < 0).any():
            negative += layer.activity(np.maximum(-values, 0.0), rows)
    return positive, negative


def _split_sums(chunk: Chunk, x: Float64, grid: Float64) -> _Sums:
    rows = grid.size
    sums = sum_errors(chunk, x)
    moved = sums.moved + sums.lacking[chunk.source]
    total = _nothing(rows)
    entries = 0
    for layer in layers(chunk):
        first, rest = two_product(layer.coefficient, x[layer.edges])
        exact = extracted(first, grid[layer.row])
        rest = (first - exact) + rest
        used = (layer.coefficient != 0) & (x[layer.edges] > 0)
        lost = np.where(used & (np.abs(first) < TINY), PRODUCT_UNDERFLOW, 0.0)
        lost += UNIT * np.abs(rest) + np.abs(layer.coefficient) * moved[layer.edges]
        for whole, part in (
            (total.exact, exact),
            (total.rest, rest),
            (total.rest_size, np.abs(rest)),
            (total.lost, lost),
        ):
            whole += layer.activity(part, rows)
        entries += layer.row.size
    return _Sums(
        exact=total.exact,
        rest=total.rest,
        rest_size=total.rest_size,
        lost=total.lost,
        entries=entries,
        share=sums.share,
        placed=float(moved @ np.abs(chunk.c)),
    )


def _nothing(rows: int) -> _Sums:
    return _Sums(
        exact=np.zeros(rows),
        rest=np.zeros(rows),
        rest_size=np.zeros(rows),
        lost=np.zeros(rows),
        entries=0,
        share=0.0,
        placed=0.0,
    )


def _add(one: _Sums, other: _Sums) -> _Sums:
    return _Sums(
        exact=one.exact + other.exact,
        rest=one.rest + other.rest,
        rest_size=one.rest_size + other.rest_size,
        lost=one.lost + other.lost,
        entries=one.entries + other.entries,
        share=max(one.share, other.share),
        placed=one.placed + other.placed,
    )


def _excess(difference: Float64, rest: Float64, radius: Float64) -> Float64:
    """difference + rest + radius, rounded up; 0 where that is not above 0, inf where a sum was too large."""
    excess = difference + rest + radius
    excess = excess + 4 * UNIT * (np.where(np.isinf(difference), 0.0, np.abs(difference)) + np.abs(rest) + radius)
    return np.where(np.isnan(excess), np.inf, np.maximum(excess, 0.0))


def _soft_cost(penalty: Float64, excess: Float64, radius: Float64) -> Priced:
    """sum of penalty * excess over soft sides, rounded up, and by how much that may be too much."""
    used = np.isfinite(penalty) & (penalty > 0) & (excess > 0)
    terms = penalty[used] * excess[used]
    value = math.fsum(terms.tolist()) * (1 + 8 * UNIT) + SMALLEST * terms.size if np.isfinite(terms).all() else math.inf
    error = 2 * float(penalty[used] @ radius[used]) + 64 * UNIT * value
    return Priced(value=value, error=error)
