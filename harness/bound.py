"""The lower bound of the referee: weak duality, and never above the exact value whatever float64 rounds.

I sources, J destinations, E edges. With q_e = c_e + a_e lambda_j,

    g0(lambda) = -b'lambda + sum_i min over C_i of q_i'x
        simplex <= z: z min(0, min_e q_e)      simplex = z: z min_e q_e      box [0, u]: sum_e u min(0, q_e)

First pass: as a >= 0, a price that is 4 units in the last place lower makes no q_e too large, so only what follows is
lowered, by source. Where the error may matter (prices near 2^60 that cancel on '=' sources), and on small instances,
all terms are evaluated as unrounded pairs of numbers and summed exactly (harness/rounding.py).

With c = 0 a bound above 0 proves that no x exists: then lambda is a ray, and g0 of its multiples has no end.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.rounding import (
    NO_UNDERFLOW,
    PRODUCT_UNDERFLOW,
    SMALLEST,
    UNIT,
    Float64,
    bounded_sum,
    expansion,
    lowered,
    rounded_down,
    two_product,
    two_sum,
    units_below,
)
from harness.sources import Chunk, over_chunks
from instances import Kind, MatchingLP

#: Instances of so many edges are evaluated exactly in any case: it costs nothing there.
EXACT_EDGES = 1 << 12
#: An error beyond this share of max(1, |bound|) is worth an exact evaluation.
_ERROR_THAT_MATTERS = 1e-10
_LARGEST = float(np.finfo(np.float64).max)
#: A product of at least this size has an error that does not underflow.
_TINY = 2.0**-900


@dataclass(frozen=True, kw_only=True)
class Bound:
    """value <= g0(lambda) in exact arithmetic; g0(lambda) - value <= error. Not finite where nothing is proved."""

    value: float
    error: float


def lower_bound(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor, *, costs: bool = True) -> Bound:
    """The bound at `dual` [J] with negative prices set to 0; `costs` False leaves c out."""
    price = np.where(np.isfinite(lp.b), np.maximum(dual, 0.0), 0.0)  # nothing limits a row without a limit
    if lp.edges <= EXACT_EDGES:
        found = _exact(lp, price, pool, costs=costs)
        if math.isfinite(found.value):
            return found
    found = _rounded(lp, price, pool, costs=costs)
    if found.error <= _ERROR_THAT_MATTERS * max(1.0, abs(found.value)):
        return found
    exact = _exact(lp, price, pool, costs=costs)
    return exact if exact.value >= found.value or not math.isfinite(found.value) else found


def proves_infeasible(lp: MatchingLP, ray: Any, *, threads: int = 1) -> bool:
    """Whether `ray` [J] proves that no x exists: sum_i min over C_i of (A'y)_i'x > b'y at y = max(ray, 0), in exact
    arithmetic. False for an array of another shape or with entries that are not finite.
    """
    y = np.asarray(ray)
    if y.shape != (lp.destinations,) or y.dtype.kind not in "fiu" or not np.isfinite(y).all():
        return False
    y = np.maximum(y.astype(np.float64), 0.0)
    largest = float(np.max(y, initial=0.0))
    if largest > 0:
        y = np.ldexp(y, -math.frexp(largest)[1])  # any multiple is a ray; this one cannot overflow
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        return lower_bound(lp, y, pool, costs=False).value > 0


def _rounded(lp: MatchingLP, price: Float64, pool: ThreadPoolExecutor, *, costs: bool) -> Bound:
    """The first pass."""
    inside = units_below(price, 4)
    smallest_price = float(np.min(inside, initial=np.inf, where=inside > 0))
    parts = list(
        over_chunks(lp, pool, lambda chunk: _rounded_chunk(chunk, inside, smallest_price=smallest_price, costs=costs))
    )
    limits = np.where(price > 0, lp.b, 0.0)
    paid = limits * price
    paid = paid + np.where(paid > 0, 2 * UNIT * paid, 0.0) + np.where((limits > 0) & (price > 0), SMALLEST, 0.0)
    error = sum(part.error for part in parts) + 8 * UNIT * float(paid.sum()) + 4 * SMALLEST * price.size
    value = rounded_down([*(part.value for part in parts), *(-paid).tolist()])
    error += 2 * UNIT * abs(value)
    return Bound(value=value, error=math.inf if math.isnan(error) else error)


def _rounded_chunk(chunk: Chunk, price: Float64, *, smallest_price: float, costs: bool) -> Bound:
    """The chunk's sum over sources of min over C_i of q_i'x, lowered by its rounding."""
    paid = chunk.a * price[chunk.destination]
    q = chunk.c + paid if costs else paid
    safe = chunk.smallest_coefficient >= NO_UNDERFLOW and smallest_price >= NO_UNDERFLOW
    underflow = 0.0 if safe else SMALLEST

    smallest = lowered(np.minimum(chunk.minimum(q), _LARGEST), 4, underflow)
    smallest[chunk.degrees == 0] = np.inf
    best = np.where(chunk.kind == Kind.SIMPLEX, np.minimum(smallest, 0.0), smallest)
    terms_of_source = np.ones(best.size)
    box = chunk.kind == Kind.BOX
    if box.any():
        total = lowered(
            chunk.total(np.minimum(q, 0.0)), 2.0 * (chunk.degrees + 8).astype(np.float64), underflow * chunk.degrees
        )
        best[box] = np.minimum(total, 0.0)[box]
        terms_of_source[box] = np.maximum(chunk.degrees, 1)[box]
    best[chunk.radius == 0] = 0.0

    inexact = (chunk.radius != 0) & (best != 0)
    terms = np.where(inexact, lowered(chunk.radius * best, 4, SMALLEST), 0.0)
    total_sum, rounding, magnitude = bounded_sum(terms)

    # What was lowered, at most: 16 roundings of |c| + a lambda on an edge. Only '=' sources use edges with q > 0.
    largest_cost = chunk.largest_cost if costs else 0.0
    largest_paid = float(np.max(paid, initial=0.0))
    if not (chunk.kind == Kind.SIMPLEX_EQUALITY).any():
        largest_paid = min(largest_paid, largest_cost)
    lost = 16 * UNIT * (largest_cost + largest_paid)
    if not safe:
        lost += 16 * SMALLEST * (1 + float(np.max(chunk.a, initial=0.0)))
    lowering = lost * float(np.sum(chunk.radius * terms_of_source)) + 4 * SMALLEST * terms.size
    units = 16 + 4 * int(np.max(chunk.degrees, initial=0, where=box))
    return Bound(value=total_sum - rounding, error=lowering + 2 * rounding + units * UNIT * magnitude)


def _exact(lp: MatchingLP, price: Float64, pool: ThreadPoolExecutor, *, costs: bool) -> Bound:
    """All terms as unrounded pairs, summed exactly; NaN where a number is too large for that."""
    parts = list(over_chunks(lp, pool, lambda chunk: _exact_chunk(chunk, price, costs=costs)))
    used = price > 0
    paid = _product(lp.b[used], -price[used], np.zeros(int(used.sum())))
    error = paid.error + sum(part.error for part in parts)
    value = rounded_down([*paid.values, *(value for part in parts for value in part.values)])
    return Bound(value=value, error=(1 + 1e-6) * error + 2 * UNIT * abs(value) + 64 * SMALLEST)


@dataclass(frozen=True, kw_only=True)
class _Terms:
    """Numbers whose exact sum is at most that of the terms they stand for, and less by at most `error`."""

    values: list[float]
    error: float


def _exact_chunk(chunk: Chunk, price: Float64, *, costs: bool) -> _Terms:
    """The chunk's sum over sources of min over C_i of q_i'x as few numbers."""
    first, second = _reduced_costs(chunk, price, costs=costs)
    in_box = (chunk.kind == Kind.BOX)[chunk.source]
    terms = [
        _product(chunk.radius, *_smallest(chunk, first, second)),
        _product(chunk.radius[chunk.source][in_box], *_negative_part(first[in_box], second[in_box])),
    ]
    values = [value for term in terms for value in term.values]
    # A second part is a rounding: 8 UNIT of it, on an edge, is all that _reduced_costs took away.
    edges_of_source = np.where(chunk.kind == Kind.BOX, chunk.degrees, 1)
    lowering = (8 * UNIT * np.max(np.abs(second), initial=0.0) + PRODUCT_UNDERFLOW) * chunk.radius @ edges_of_source
    error = float(lowering) + sum(term.error for term in terms)
    if not (np.isfinite(first).all() and np.isfinite(second).all() and np.isfinite(values).all()):
        return _Terms(values=[math.nan], error=math.inf)
    return _Terms(values=expansion(values), error=error)


def _reduced_costs(chunk: Chunk, price: Float64, *, costs: bool) -> tuple[Float64, Float64]:
    """Pairs with first + second <= q on every edge; second is what rounding took from the sum, less its own error."""
    paid, rest = two_product(chunk.a, price[chunk.destination])
    underflow = np.where((paid < _TINY) & (chunk.a > 0) & (price[chunk.destination] > 0), PRODUCT_UNDERFLOW, 0.0)
    first, second = two_sum(chunk.c if costs else np.zeros(paid.size), paid)
    second, lost = two_sum(second, rest)
    second = second - np.where((lost != 0) | (underflow > 0), 4 * UNIT * np.abs(second) + underflow, 0.0)
    return two_sum(first, second)  # so that pairs are ordered as their sums are


def _smallest(chunk: Chunk, first: Float64, second: Float64) -> tuple[Float64, Float64]:
    """The smallest pair of each simplex source; not above 0 for '<=', and 0 for a box."""
    smallest = chunk.minimum(first)
    smallest_second = chunk.minimum(np.where(first == smallest[chunk.source], second, np.inf))
    occupied = chunk.degrees > 0
    equality = chunk.kind == Kind.SIMPLEX_EQUALITY
    negative_first, negative_second = _negative_part(smallest, smallest_second)
    unused = (chunk.kind == Kind.BOX) | ~occupied | (chunk.radius == 0)
    return (
        np.where(unused, 0.0, np.where(equality, smallest, negative_first)),
        np.where(unused, 0.0, np.where(equality, smallest_second, negative_second)),
    )


def _negative_part(first: Float64, second: Float64) -> tuple[Float64, Float64]:
    """min(0, first + second) of ordered pairs."""
    negative = (first < 0) | ((first == 0) & (second < 0))
    return np.where(negative, first, 0.0), np.where(negative, second, 0.0)


def _product(factor: Float64, first: Float64, second: Float64) -> _Terms:
    """factor (first + second), with factor >= 0."""
    high, low = two_product(factor, first)
    rest, rest_low = two_product(factor, second)
    underflows = ((first != 0) & (np.abs(high) < _TINY)) | ((second != 0) & (np.abs(rest) < _TINY))
    error = np.where((factor > 0) & underflows, 2 * PRODUCT_UNDERFLOW, 0.0)
    values = np.concatenate((high, low, rest, rest_low, -error))
    return _Terms(values=values[values != 0].tolist(), error=2 * float(error.sum()))
