"""The lower bound of the referee: weak duality, and never above the exact value whatever float64 rounds.

I sources, J destinations, E edges. With q_e = c_e + a_e lambda_j,

    g0(lambda) = -b'lambda + sum_i min over C_i of q_i'x        (harness/polytopes/support.py)

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

from harness.polytopes.support import exact_support, most_mass, rounded_support
from harness.rounding import (
    NO_UNDERFLOW,
    PRODUCT_UNDERFLOW,
    SMALLEST,
    TINY,
    UNIT,
    Float64,
    Terms,
    bounded_sum,
    expansion,
    rounded_down,
    scaled_pairs,
    two_product,
    two_sum,
    units_below,
)
from harness.sources import Chunk, over_chunks
from instances import MatchingLP

#: Instances of so many edges are evaluated exactly in any case: it costs nothing there.
EXACT_EDGES = 1 << 12
#: An error beyond this share of max(1, |bound|) is worth an exact evaluation.
ERROR_THAT_MATTERS = 1e-10


@dataclass(frozen=True, kw_only=True)
class Bound:
    """value <= g0(lambda) in exact arithmetic; g0(lambda) - value <= error. Not finite where nothing is proved."""

    value: float
    error: float


def lower_bound(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor, *, costs: bool = True) -> Bound:
    """The bound at `dual` [J] with negative prices set to 0; `costs` False leaves c out."""
    price = np.where(np.isfinite(lp.b), np.maximum(dual, 0.0), 0.0)  # nothing limits a row without a limit
    if lp.edges <= EXACT_EDGES:
        exact = _exact(lp, price, pool, costs=costs)
        if math.isfinite(exact.value):
            return exact
    rounded = _rounded(lp, price, pool, costs=costs)
    if rounded.error <= ERROR_THAT_MATTERS * max(1.0, abs(rounded.value)):
        return rounded
    exact = _exact(lp, price, pool, costs=costs)
    return exact if exact.value >= rounded.value or not math.isfinite(rounded.value) else rounded


def proves_infeasible(lp: MatchingLP, ray: Any, *, threads: int = 1) -> bool:
    """Whether `ray` [J] proves that no x exists: sum_i min over C_i of (A'y)_i'x > b'y at y = max(ray, 0), in exact
    arithmetic. False for an array of another shape or with entries that are not finite.

    b and the C_i are those of `lp.tightened`, which has the same feasible points: a budget that never binds costs a ray
    no more than the largest load that can arrive.
    """
    lp = lp.tightened
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

    support = rounded_support(chunk, q, underflow)
    total_sum, rounding, magnitude = bounded_sum(support.terms)

    # What was lowered, at most: 16 roundings of |c| + a lambda on an edge. Only '=' sources use edges with q > 0.
    largest_cost = chunk.largest_cost if costs else 0.0
    largest_paid = float(np.max(paid, initial=0.0))
    if not chunk.limits.equality.any():
        largest_paid = min(largest_paid, largest_cost)
    lost = 16 * UNIT * (largest_cost + largest_paid)
    if not safe:
        lost += 16 * SMALLEST * (1 + float(np.max(chunk.a, initial=0.0)))
    lowering = lost * float(np.sum(most_mass(chunk))) + 4 * SMALLEST * support.terms.size
    units = 16 + 4 * int(np.max(chunk.degrees, initial=0, where=np.isinf(chunk.limits.at_most)))
    error = lowering + support.error + 2 * rounding + units * UNIT * magnitude
    return Bound(value=total_sum - rounding, error=error)


def _exact(lp: MatchingLP, price: Float64, pool: ThreadPoolExecutor, *, costs: bool) -> Bound:
    """All terms as unrounded pairs, summed exactly; NaN where a number is too large for that."""
    parts = list(over_chunks(lp, pool, lambda chunk: _exact_chunk(chunk, price, costs=costs)))
    used = price > 0
    paid = scaled_pairs(lp.b[used], -price[used], np.zeros(int(used.sum())))
    error = paid.error + sum(part.error for part in parts)
    value = rounded_down([*paid.values, *(value for part in parts for value in part.values)])
    return Bound(value=value, error=(1 + 1e-6) * error + 2 * UNIT * abs(value) + 64 * SMALLEST)


def _exact_chunk(chunk: Chunk, price: Float64, *, costs: bool) -> Terms:
    """The chunk's sum over sources of min over C_i of q_i'x as few numbers."""
    first, second = _reduced_costs(chunk, price, costs=costs)
    terms = exact_support(chunk, first, second)
    values = [value for term in terms for value in term.values]
    # A second part is a rounding: 8 UNIT of it, on an edge, is all that _reduced_costs took away; where a product
    # underflows the part is off by as much again.
    lowering = (8 * UNIT * np.max(np.abs(second), initial=0.0) + 2 * PRODUCT_UNDERFLOW) * most_mass(chunk).sum()
    error = float(lowering) + sum(term.error for term in terms)
    if not (np.isfinite(first).all() and np.isfinite(second).all() and np.isfinite(values).all()):
        return Terms(values=[math.nan], error=math.inf)
    return Terms(values=expansion(values), error=error)


def _reduced_costs(chunk: Chunk, price: Float64, *, costs: bool) -> tuple[Float64, Float64]:
    """Pairs with first + second <= q on every edge; second is what rounding took from the sum, less its own error."""
    paid, rest = two_product(chunk.a, price[chunk.destination])
    underflow = np.where((paid < TINY) & (chunk.a > 0) & (price[chunk.destination] > 0), PRODUCT_UNDERFLOW, 0.0)
    first, second = two_sum(chunk.c if costs else np.zeros(paid.size), paid)
    second, lost = two_sum(second, rest)
    second = second - np.where((lost != 0) | (underflow > 0), 4 * UNIT * np.abs(second) + underflow, 0.0)
    return two_sum(first, second)  # so that pairs are ordered as their sums are
