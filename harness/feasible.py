"""How feasible a point is, to the last digit, and what it costs at most: the upper bound of the referee.

I sources, J destinations. Sums are split into a part that adds up without rounding and a rest of 2^-51 of it (Rump's
extraction), so an answer of zeros and ones on full rows is found to be feasible exactly.

Let the sums of a point x be off by a share r at most. Then x' = x z / sum(x) satisfies all polytopes exactly; its cost
and its loads differ by a share r from those of x. Where an '=' source lacks mass and its edges have limits, an edge
inside them takes it. Where a load of x' exceeds its budget by v_j, v_j / a_e of mass moves from an edge e in use to the
cheapest edge of its source whose row has slack for all such moves together. What rows without such an edge cost:
harness/worth.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.bound import EXACT_EDGES
from harness.polytopes.points import sum_errors
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
    loads = split_loads(lp, point)
    placed_load = np.zeros(lp.destinations)
    sources = placed = unmoved = 0.0
    for chunk in chunks(lp):
        sums = sum_errors(chunk, point[chunk.edges])
        sources = max(sources, sums.share)
        placed += float(sums.moved @ np.abs(chunk.c)) + float(sums.lacking.sum()) * chunk.largest_cost
        lacking = np.divide(sums.lacking, chunk.limits.at_most, out=np.zeros_like(sums.lacking), where=sums.lacking > 0)
        unmoved = max(unmoved, float(np.max(lacking, initial=0.0)))
        if sums.moved.any():
            placed_load += chunk.load(sums.moved, lp.destinations)

    excess = (loads.high - lp.b) + loads.low + loads.error + placed_load * (1 + 1e-6)
    excess = np.where(np.isnan(excess), loads.rounded * (1 + (lp.edges + 8) * UNIT) - lp.b, excess)
    excess += sources * loads.rounded * (1 + 1e-6)
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


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitLoads:
    """A x of a point, float64[J] each: high + low is within `error` of the exact load, and high is a sum without
    rounding; NaN where a load is too large for that. rounded: the load as float64 adds it up.
    """

    high: Float64
    low: Float64
    error: Float64
    rounded: Float64


def split_loads(lp: MatchingLP, point: Float64) -> SplitLoads:
    """The loads of `point` to the last digit."""
    rounded = load_of(lp, point)
    grid = power_above(rounded)
    high = np.zeros(lp.destinations)
    low = np.zeros(lp.destinations)
    lost = np.zeros(lp.destinations)
    pieces = 1
    for chunk in chunks(lp):
        x = point[chunk.edges]
        first, rest = two_product(chunk.a, x)
        exact = extracted(first, grid[chunk.destination])
        rest = (first - exact) + rest
        underflow = np.where((first < TINY) & (chunk.a > 0) & (x > 0), PRODUCT_UNDERFLOW, 0.0)
        for total, part in ((high, exact), (low, rest), (lost, (x.size + 8) * UNIT * np.abs(rest) + underflow)):
            total += np.bincount(chunk.destination, weights=part, minlength=lp.destinations)
        pieces += 1
    return SplitLoads(high=high, low=low, error=lost * (1 + 1e-6) + pieces * UNIT * np.abs(low), rounded=rounded)


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
