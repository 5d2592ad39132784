"""The point beyond the short form that a certificate speaks of, and what it costs at most. R rows, E edges.

x is brought into its polytopes. If it leaves hard rows, no source has to place a sum, and 0 satisfies all hard rows,
the edges of the rows that it leaves are scaled down: an edge takes the least factor of its rows. With floors, '=' rows
or '=' sources the cheapest moves of mass that lead into the rows are looked for (harness/general/within.py). That the
result holds every row is then proved, not assumed (harness/general/standing.py). What is left of a violation is either
rounding, or the point is not feasible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.general.layers import layers, sides_of
from harness.general.standing import (
    Point,
    Standing,
    largest_violation,
    priced,
    relative_violation,
    standing,
    worth_of_violations,
)
from harness.general.within import moved_within
from harness.polytopes.points import brought_in, has_equality
from harness.rounding import UNIT, Float64
from harness.sources import Chunk, chunks
from instances import MatchingLP
from instances.sides import Sides

#: A violation of this share of its row is rounding.
_ROUNDING = 1e-12
#: Rounds of scaling in which entries of the other sign count for a row; the last round leaves them out.
_ROUNDS = 4


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a point in C costs at most, and how far it is outside hard rows."""

    objective: float
    """c'x + what soft rows cost, raised by rounding."""
    error: float
    """By how much that was raised, at most."""
    priced: float
    """sum_r |y_r| violation_r over hard rows, raised by rounding; 0 without a dual."""
    violation: float
    """The largest violation of a hard row over 1 + |side|, an upper bound."""
    share: float
    """The largest violation as a share of its row; 0.0 only where the point surely has none."""
    near: Judged | None = None
    """The answer brought into its polytopes, where that left hard rows and this is a point within them near it."""

    @property
    def feasible(self) -> bool:
        """Whether no row is left by more than rounding."""
        return self.share <= _ROUNDING


@dataclass(frozen=True, kw_only=True, eq=False)
class _Factors:
    """What one round of scaling leaves, float64[R]: of entries with a > 0, and of those with a < 0."""

    positive: Float64
    negative: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """A point with its standing."""

    point: Point
    at: Standing
    hard: Standing
    near: _Found | None = None
    """The point that this one was moved from."""

    @property
    def left(self) -> bool:
        """Whether it may leave a hard row."""
        return bool((self.hard.above > 0).any() or (self.hard.below > 0).any())


def judged_point(lp: MatchingLP, x: npt.NDArray[Any], price: Float64 | None, pool: ThreadPoolExecutor) -> Judged | None:
    """Of x[E] brought into C and, where that repairs it, scaled into its rows; price [R]: the dual, in its intervals.

    None where a number is too large.
    """
    sides = sides_of(lp)
    found = _found(lp, sides, x, pool)
    judged = _judged(lp, sides, found, price, pool)
    if judged is None or found.near is None:
        return judged
    return replace(judged, near=_judged(lp, sides, found.near, price, pool))


def _judged(
    lp: MatchingLP, sides: Sides, found: _Found, price: Float64 | None, pool: ThreadPoolExecutor
) -> Judged | None:
    cost = priced(lp, sides, found.point, found.at, pool)
    worth = 0.0 if price is None else worth_of_violations(price, found.hard)
    if not (math.isfinite(cost.value) and math.isfinite(worth)):
        return None
    return Judged(
        objective=cost.value,
        error=cost.error,
        priced=worth,
        violation=largest_violation(sides, found.hard),
        share=relative_violation(sides, found.hard),
    )


def point_of(lp: MatchingLP, x: npt.NDArray[Any], threads: int = 1) -> Float64:
    """The point float64[E] that `judged_point` judges."""
    point = np.empty(lp.edges)
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        found = _found(lp, sides_of(lp), x, pool)
        for chunk in chunks(lp):
            point[chunk.edges] = found.point(chunk)
    return point


def _found(lp: MatchingLP, sides: Sides, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> _Found:
    """x in its polytopes; where that leaves hard rows, scaled or moved, if one of them ends within the rows."""
    start = _with_standing(lp, sides, _scaled(x, []), pool)
    if not start.left:
        return start
    scaled = _scaled_down(lp, sides, x, start, pool)
    if scaled is not None:
        return scaled
    return _moved(lp, sides, start, pool) or start


def _scaled_down(
    lp: MatchingLP, sides: Sides, x: npt.NDArray[Any], start: _Found, pool: ThreadPoolExecutor
) -> _Found | None:
    """x scaled into its rows; None where some row stays left, or 0 is not within all of them."""
    if has_equality(lp) or not _holds_at_zero(sides):
        return None
    found = start
    rounds: list[_Factors] = []
    for number in range(_ROUNDS + 1):
        rounds = [*rounds, _factors(sides, found, all_rows=number == _ROUNDS)]
        found = _with_standing(lp, sides, _scaled(x, rounds), pool)
        if not found.left:
            return found
    return None


def _moved(lp: MatchingLP, sides: Sides, start: _Found, pool: ThreadPoolExecutor) -> _Found | None:
    """A point near the start that leaves rows by no more than rounding."""
    if lp.is_short_form or relative_violation(sides, start.hard) <= _ROUNDING:
        return None  # harness/repair.py has tried; or there is nothing to mend
    x = np.concatenate([np.zeros(0), *(start.point(chunk) for chunk in chunks(lp))])
    values = moved_within(lp, x, pool)
    if values is None:
        return None
    found = _with_standing(lp, sides, lambda chunk: values[chunk.edges], pool)
    return replace(found, near=start) if relative_violation(sides, found.hard) <= _ROUNDING else None


def _with_standing(lp: MatchingLP, sides: Sides, point: Point, pool: ThreadPoolExecutor) -> _Found:
    at = standing(lp, sides, point, pool)
    return _Found(point=point, at=at, hard=at.hard(sides))


def _holds_at_zero(sides: Sides) -> bool:
    """Whether x = 0 satisfies all hard rows."""
    above = (sides.upper < 0) & np.isinf(sides.penalty_above)
    below = (sides.lower > 0) & np.isinf(sides.penalty_below)
    return not (above.any() or below.any())


def _factors(sides: Sides, found: _Found, *, all_rows: bool) -> _Factors:
    """What brings each row that is left back within it, if its other entries stay; `all_rows`: even if they go."""
    at = found.at
    margin = 2 * at.radius + 16 * UNIT * at.magnitude  # so that the next standing is proved to be within
    helped_up, helped_down = (np.zeros(margin.size),) * 2 if all_rows else (at.negative, at.positive)
    upper = np.where(np.isinf(sides.penalty_above), sides.upper, np.inf)
    lower = np.where(np.isinf(sides.penalty_below), sides.lower, -np.inf)
    over, under = (upper < np.inf, lower > -np.inf) if all_rows else (found.hard.above > 0, found.hard.below > 0)
    return _Factors(
        positive=_share(upper + helped_up - margin, at.positive, over),
        negative=_share(helped_down - lower - margin, at.negative, under),
    )


def _share(available: Float64, wanted: Float64, scaled: npt.NDArray[np.bool_]) -> Float64:
    """min(1, available / wanted) of the rows that are `scaled`, 1 of the others."""
    ratio = np.divide(np.maximum(available, 0.0), wanted, out=np.ones_like(wanted), where=wanted > 0)
    return np.where(scaled & (wanted > available), np.minimum(ratio, 1.0), 1.0)


def _scaled(x: npt.NDArray[Any], rounds: Sequence[_Factors]) -> Point:
    """x in its polytopes, each edge times the least factor of its rows in each round."""

    def point(chunk: Chunk) -> Float64:
        values = brought_in(chunk, chunk.read(x))
        for factors in rounds:
            least = np.ones(values.size)
            for layer in layers(chunk):
                of_row = np.where(layer.coefficient > 0, factors.positive[layer.row], factors.negative[layer.row])
                of_row = np.where(layer.coefficient == 0, 1.0, of_row)
                least[layer.edges] = np.minimum(least[layer.edges], of_row)
            values = values * least
        return values

    return point
