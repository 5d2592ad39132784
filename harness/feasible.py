"""How feasible a point is, to the last digit, and what it costs at most: the upper bound of the referee.

I sources, J destinations. Sums are split into a part that adds up without rounding and a rest of 2^-51 of it (Rump's
extraction), so an answer of zeros and ones on full rows is found to be feasible exactly.

Let the sums of a point x be off by a share r at most. Then x' = x z / sum(x) satisfies all polytopes exactly; its cost
and its loads differ by a share r from those of x. Where an '=' source lacks mass and its edges have limits, an edge
inside them takes it. Where a load of x' exceeds its budget by v_j, v_j / a_e of mass moves from an edge e in use to the
cheapest edge of its source whose row has slack for all such moves together. Where row j has no such edge, its excess
would have to pass through other sources. Its cost is then estimated: v_j times the largest difference of costs over a,
or times the answer's price of row j where that is more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.bound import EXACT_EDGES
from harness.polytopes.points import headroom, sum_errors
from harness.refill import load_of
from harness.rounding import (
    PRODUCT_UNDERFLOW,
    SMALLEST,
    TINY,
    UNIT,
    Float64,
    bounded_sum,
    expansion,
    extracted,
    power_above,
    rounded_down,
    two_product,
)
from harness.sources import Chunk, chunks, over_chunks
from instances import MatchingLP

#: A rounding beyond this share of max(1, |objective|) is worth an exact evaluation.
ERROR_THAT_MATTERS = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Violations:
    """sources: the largest relative error of a source's sum, either way for '=', above z for '<='; an upper bound.

    rows: [J] by how much the load of x' = x z / sum(x) may exceed b, 0 where it surely does not.
    slack: [J] by how much that load surely stays below b. relative: the largest rows_j / b_j.
    placed: the most that it may cost to give '=' sources whose edges are limited what they lack; where none of their
    edges can take it, that is a relative violation too.
    """

    sources: float
    rows: Float64
    slack: Float64
    relative: float
    placed: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """value >= c'x >= value - error in exact arithmetic; magnitude >= sum of |c_e x_e|."""

    value: float
    error: float
    magnitude: float


def violations(lp: MatchingLP, point: Float64) -> Violations:
    """Of a point that is within rounding of its polytopes."""
    float_load = load_of(lp, point)
    grid = power_above(float_load)
    high = np.zeros(lp.destinations)
    low = np.zeros(lp.destinations)
    lost = np.zeros(lp.destinations)
    sources = placed = unmoved = 0.0
    pieces = 1
    for chunk in chunks(lp):
        x = point[chunk.edges]
        sums = sum_errors(chunk, x)
        sources = max(sources, sums.share)
        placed += float(sums.moved @ np.abs(chunk.c)) + float(sums.lacking.sum()) * chunk.largest_cost
        lacking = np.divide(sums.lacking, chunk.limits.at_most, out=np.zeros_like(sums.lacking), where=sums.lacking > 0)
        unmoved = max(unmoved, float(np.max(lacking, initial=0.0)))
        first, rest = two_product(chunk.a, x)
        exact = extracted(first, grid[chunk.destination])
        rest = (first - exact) + rest
        underflow = np.where((first < TINY) & (chunk.a > 0) & (x > 0), PRODUCT_UNDERFLOW, 0.0)
        for total, part in ((high, exact), (low, rest), (lost, (x.size + 8) * UNIT * np.abs(rest) + underflow)):
            total += np.bincount(chunk.destination, weights=part, minlength=lp.destinations)
        if sums.moved.any():
            lost += np.bincount(chunk.destination, weights=chunk.a * sums.moved, minlength=lp.destinations)
        pieces += 1

    excess = (high - lp.b) + low + lost * (1 + 1e-6) + pieces * UNIT * np.abs(low)
    excess = np.where(np.isnan(excess), float_load * (1 + (lp.edges + 8) * UNIT) - lp.b, excess)
    excess += sources * float_load * (1 + 1e-6)
    rows = np.maximum(excess, 0.0)
    with np.errstate(all="ignore"):
        relative = np.where(rows > 0, rows / lp.b, 0.0)
    return Violations(
        sources=sources,
        rows=rows,
        slack=np.maximum(-excess, 0.0),
        relative=max(unmoved, float(np.max(relative, initial=0.0))),
        placed=(1 + 1e-6) * placed,
    )


def cost_of(lp: MatchingLP, point: Callable[[Chunk], Float64], pool: ThreadPoolExecutor) -> Cost:
    """c'point, rounded up; `point` gives the values on the edges of a chunk."""
    if lp.edges > EXACT_EDGES:
        rounded = add_costs(list(over_chunks(lp, pool, lambda chunk: rounded_cost(chunk, point(chunk)))))
        if rounded.error <= ERROR_THAT_MATTERS * max(1.0, abs(rounded.value)):
            return rounded
    return exact_costs(list(over_chunks(lp, pool, lambda chunk: exact_cost(chunk, point(chunk)))))


def rounded_cost(chunk: Chunk, values: Float64) -> Cost:
    """c'values of a chunk; each product, and each entry of `values`, may have underflowed."""
    total, rounding, magnitude = bounded_sum(chunk.c * values)
    underflow = SMALLEST * values.size * (1 + chunk.largest_cost)
    error = rounding + 2 * UNIT * magnitude + underflow
    return Cost(value=total + error, error=2 * error, magnitude=magnitude + underflow)


def add_costs(parts: list[Cost]) -> Cost:
    """The cost of all chunks, rounded up; not finite where a sum is not."""
    value = -rounded_down(-part.value for part in parts)
    error = sum(part.error for part in parts) + 2 * UNIT * abs(value)
    return Cost(value=value, error=error, magnitude=(1 + 1e-12) * sum(part.magnitude for part in parts))


def exact_cost(chunk: Chunk, values: Float64) -> list[float]:
    """c'values of a chunk as three numbers with the same sum, and a bound on the magnitude."""
    first, rest = two_product(chunk.c, values)
    underflow = np.where((np.abs(first) < TINY) & (chunk.c != 0) & (values != 0), PRODUCT_UNDERFLOW, 0.0)
    terms = np.concatenate((first, rest, underflow))
    if not np.isfinite(terms).all():
        return [math.nan, math.inf]
    return [*expansion(terms[terms != 0].tolist()), bounded_sum(first)[2] + float(underflow.sum())]


def exact_costs(parts: list[list[float]]) -> Cost:
    """The same from unrounded parts; what underflows may be, counts twice in the error."""
    value = -rounded_down(-term for part in parts for term in part[:-1])
    magnitude = (1 + 1e-12) * sum(part[-1] for part in parts)
    return Cost(value=value, error=2 * UNIT * abs(value) + SMALLEST, magnitude=magnitude)


def price_of_violations(lp: MatchingLP, point: Float64, left: Violations, price: Float64 | None) -> float:
    """What the excess of the rows costs at most; `price` [J]: the prices that the answer asks for them."""
    over = left.rows > 0
    if not over.any():
        return 0.0
    worth = _cost_of_moves(lp, point, left)
    if np.isinf(worth[over]).any():
        worth = np.where(np.isinf(worth), _dearest_moves(lp, point, left.rows, price), worth)
    return float(left.rows[over] @ worth[over]) * (1 + 1e-6)


def _cost_of_moves(lp: MatchingLP, point: Float64, left: Violations) -> Float64:
    """[J] cost per unit of excess of the cheapest move that removes it all; inf where no single move does.

    A move goes from one edge of the row, which carries twice the excess or more, to one edge of the same source, or to
    none where the source need not be served. A row takes moves that add up to its slack at most, and so does an edge up
    to its limit: an edge counts only where the excess of all rows would fit there.
    """
    cheapest = np.full(lp.destinations, np.inf)
    total = float(left.rows.sum()) * (1 + 1e-6)
    for chunk in chunks(lp):
        excess = left.rows[chunk.destination]
        movable = (excess > 0) & (chunk.a * point[chunk.edges] >= 2 * excess)
        if not movable.any():
            continue
        least_a = chunk.minimum(np.where(movable, chunk.a, np.inf))[chunk.source]
        fits = (chunk.a == 0) | (chunk.a * total <= left.slack[chunk.destination] * least_a)
        fits &= total <= headroom(chunk, point[chunk.edges]) * least_a
        goal = chunk.minimum(np.where(fits, chunk.c, np.inf))
        goal = np.where(chunk.limits.equality, goal, np.minimum(goal, 0.0))
        goal[np.isinf(chunk.limits.at_most)] = 0.0
        added = np.maximum(goal[chunk.source] - chunk.c, 0.0)[movable] / chunk.a[movable]
        np.minimum.at(cheapest, chunk.destination[movable], added)
    return cheapest


def _dearest_moves(lp: MatchingLP, point: Float64, rows: Float64, price: Float64 | None) -> Float64:
    """[J] an estimate of that cost where mass has to move along several sources."""
    worth = np.zeros(lp.destinations) if price is None else np.maximum(price, 0.0)
    for chunk in chunks(lp):
        used = (point[chunk.edges] > 0) & (chunk.a > 0) & (rows[chunk.destination] > 0)
        if used.any():
            dearest = -chunk.minimum(-chunk.c)
            dearest = np.where(chunk.limits.equality, dearest, np.maximum(dearest, 0.0))
            dearest[np.isinf(chunk.limits.at_most)] = 0.0
            added = (dearest[chunk.source] - chunk.c)[used] / chunk.a[used]
            np.maximum.at(worth, chunk.destination[used], added)
    return worth
