"""The lower bound for coupling rows of any form: weak duality, and never above the exact value.

R rows, E edges. For prices y in their intervals, with q = c + A'y,

    g0(y) = sum_i min over C_i of q_i'x  -  sum_r (upper_r max(y_r, 0) - lower_r max(-y_r, 0))      <= optimum

y_r > 0 is the price of the upper side and needs one, y_r < 0 that of the lower side; neither exceeds the penalty of its
side. q is summed with its roundings as pairs of numbers (Ogita, Rump and Oishi, Dot2), lowered by what those may lose;
min over C_i does not fall with q, as x >= 0. On small instances, and where the error may matter, all terms are then
summed exactly, as in harness/bound.py.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.bound import ERROR_THAT_MATTERS, EXACT_EDGES, Bound
from harness.general.layers import layers, sides_of
from harness.polytopes.support import exact_support, most_mass, rounded_support
from harness.rounding import (
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
)
from harness.sources import Chunk, over_chunks
from instances import MatchingLP
from instances.sides import Sides


@dataclass(frozen=True, kw_only=True, eq=False)
class _Reduced:
    """Reduced costs of a chunk's edges, from below."""

    first: Float64
    """[e] first + second <= q; pairs are ordered as their sums are."""
    second: Float64
    """[e] what rounding took from the sum, less its own error."""
    lowered: Float64
    """[e] q - (first + second) at most."""


def lower_bound(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor) -> Bound:
    """The bound at `dual` [R] brought into its intervals."""
    sides = sides_of(lp)
    return bound_at(lp, sides, into_intervals(sides, dual), pool)


def proves_infeasible(lp: MatchingLP, ray: Any, *, threads: int = 1) -> bool:
    """Whether `ray` [R] proves that no x exists: sum_i min over C_i of (A'y)_i'x > sum_r (upper_r y+_r - lower_r y-_r)
    at y = ray on hard sides, in exact arithmetic. False for an array of another shape or with entries that are not
    finite.
    """
    y = np.asarray(ray)
    if y.shape != (lp.row_count,) or y.dtype.kind not in "fiu" or not np.isfinite(y).all():
        return False
    sides = sides_of(lp)
    y = _on_hard_sides(sides, y.astype(np.float64))
    largest = float(np.max(np.abs(y), initial=0.0))
    if largest > 0:
        y = np.ldexp(y, -math.frexp(largest)[1])  # any multiple is a ray; this one cannot overflow
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        return bound_at(lp, sides, y, pool, costs=False).value > 0


def into_intervals(sides: Sides, dual: Float64) -> Float64:
    """Prices [R] nearest to `dual` that each row may have."""
    highest = np.where(np.isfinite(sides.upper), sides.penalty_above, 0.0)
    lowest = np.where(np.isfinite(sides.lower), -sides.penalty_below, 0.0)
    return np.clip(dual, lowest, highest)


def _on_hard_sides(sides: Sides, ray: Float64) -> Float64:
    """The part of `ray` [R] that speaks of hard sides: no soft side forbids anything."""
    upper = np.isfinite(sides.upper) & np.isinf(sides.penalty_above)
    lower = np.isfinite(sides.lower) & np.isinf(sides.penalty_below)
    return np.clip(ray, np.where(lower, -np.inf, 0.0), np.where(upper, np.inf, 0.0))


def bound_at(lp: MatchingLP, sides: Sides, price: Float64, pool: ThreadPoolExecutor, *, costs: bool = True) -> Bound:
    """g0 at `price` [R], which lies in its intervals; `costs` False leaves c out."""
    of_rows = _row_terms(sides, price)
    rounded = None
    if lp.edges > EXACT_EDGES:
        parts = list(over_chunks(lp, pool, lambda chunk: _rounded_chunk(chunk, price, costs=costs)))
        value = rounded_down([*of_rows.values, *(part.value for part in parts)])
        error = of_rows.error + sum(part.error for part in parts) + 2 * UNIT * abs(value)
        rounded = Bound(value=value, error=math.inf if math.isnan(error) else error)
        if rounded.error <= ERROR_THAT_MATTERS * max(1.0, abs(rounded.value)):
            return rounded

    exact = list(over_chunks(lp, pool, lambda chunk: _exact_chunk(chunk, price, costs=costs)))
    value = rounded_down([*of_rows.values, *(number for part in exact for number in part.values)])
    error = of_rows.error + sum(part.error for part in exact)
    found = Bound(value=value, error=(1 + 1e-6) * error + 2 * UNIT * abs(value) + 64 * SMALLEST)
    better = rounded is None or found.value >= rounded.value or not math.isfinite(rounded.value)
    return found if better or rounded is None else rounded


def _row_terms(sides: Sides, price: Float64) -> Terms:
    """-sum_r (upper_r max(y_r, 0) - lower_r max(-y_r, 0)) as numbers to be added."""
    used = price != 0
    side = np.where(price > 0, -sides.upper, sides.lower)[used]
    return scaled_pairs(np.abs(price[used]), side, np.zeros(side.size))


def _rounded_chunk(chunk: Chunk, price: Float64, *, costs: bool) -> Bound:
    """The chunk's sum over sources of min over C_i of q_i'x, lowered by its rounding."""
    reduced = _reduced_costs(chunk, price, costs=costs)
    q = reduced.first + reduced.second
    support = rounded_support(chunk, q, 0.0)
    total, rounding, magnitude = bounded_sum(support.terms)

    # What was lowered, at most: the pair, and 16 roundings of a q that its source may use.
    used = np.where(chunk.limits.equality[chunk.source], np.abs(q), np.maximum(-q, 0.0))
    lowering = float(_most_of_source(chunk, reduced.lowered + 16 * UNIT * used) @ most_mass(chunk))
    units = 16 + 4 * int(np.max(chunk.degrees, initial=0, where=np.isinf(chunk.limits.at_most)))
    error = lowering + support.error + 2 * rounding + units * UNIT * magnitude + 8 * SMALLEST * support.terms.size
    return Bound(value=total - rounding, error=error)


def _exact_chunk(chunk: Chunk, price: Float64, *, costs: bool) -> Terms:
    """The same sum as few numbers, unrounded."""
    reduced = _reduced_costs(chunk, price, costs=costs)
    terms = exact_support(chunk, reduced.first, reduced.second)
    values = [value for term in terms for value in term.values]
    lowering = float(_most_of_source(chunk, reduced.lowered) @ most_mass(chunk))
    error = lowering + sum(term.error for term in terms)
    if not (np.isfinite(reduced.first).all() and np.isfinite(reduced.second).all() and np.isfinite(values).all()):
        return Terms(values=[math.nan], error=math.inf)
    return Terms(values=expansion(values), error=error)


def _most_of_source(chunk: Chunk, values: Float64) -> Float64:
    """[n] the largest of `values` >= 0 over the edges of each source; 0 where it has none."""
    return np.where(chunk.degrees > 0, -chunk.minimum(-values), 0.0)


def _reduced_costs(chunk: Chunk, price: Float64, *, costs: bool) -> _Reduced:
    """c + A'y on every edge."""
    first = chunk.c.copy() if costs else np.zeros(chunk.edges.stop - chunk.edges.start)
    second = np.zeros(first.size)
    size = np.zeros(first.size)  # of what `second` sums
    underflow = np.zeros(first.size)
    additions = 0
    for layer in layers(chunk):
        paid = price[layer.row]
        product, rest = two_product(layer.coefficient, paid)
        lost_product = (np.abs(product) < TINY) & (layer.coefficient != 0) & (paid != 0)
        total, lost = two_sum(first[layer.edges], product)
        first[layer.edges] = total
        second[layer.edges] += lost + rest
        size[layer.edges] += np.abs(lost) + np.abs(rest)
        underflow[layer.edges] += np.where(lost_product, PRODUCT_UNDERFLOW, 0.0)
        additions += 2

    slack = (additions + 8) * UNIT * size + 2 * underflow
    inexact = slack > 0
    second = np.where(inexact, second - slack, second)
    first, second = two_sum(first, second)
    return _Reduced(first=first, second=second, lowered=2 * slack)
