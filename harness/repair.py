"""A feasible point from any answer, and its cost: the referee's upper bound.

'<=' polytopes and boxes: with A >= 0 and b >= 0, scaling edge e by min(1, b_j / (Ax)_j) keeps every constraint; what
the sums round is a share of x that a little more scaling would take away, so that share of its cost is added.
'=' polytopes: that scaling leaves sources short of z. In this order: the point as it is, refilled, changed by a small
LP on its largest entries, moved within the rows, changed by an LP on all edges (harness/refill.py, restore.py,
general/within.py). The first that keeps every row to 1e-12 is taken, else the best of them where it keeps them to 1e-9;
a violation that remains is stated, and its worth is added to the cost (harness/worth.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.bound import EXACT_EDGES
from harness.feasible import (
    ERROR_THAT_MATTERS,
    Cost,
    Violations,
    add_costs,
    cost_of,
    exact_cost,
    exact_costs,
    rounded_cost,
    violations,
)
from harness.general.points import point_of
from harness.general.within import moved_within
from harness.polytopes.points import brought_in, has_equality, unserved_source
from harness.refill import (
    fit,
    load_of,
    refill,
    scaled_into_polytopes,
    share_of_edges,
)
from harness.restore import MOST_EDGES, largest, restore, shares
from harness.rounding import UNIT, Float64
from harness.sources import Chunk, chunks, over_chunks
from harness.worth import worth_of_violations
from instances import MatchingLP

#: A violation to this share of a row is rounding, and the first point that has no more is taken.
_ROUNDING = 1e-12
#: A point with more than this is not called feasible at all.
_LARGEST_VIOLATION = 1e-9
#: Below b by this share: room for what refilling rounds.
_MARGIN = 1e-14
_SMALLEST_BUDGET = 1e-300
#: Entries below this multiple of the largest relative excess are left out, and never a larger share than the second.
_NOISE = (1.0, 30.0)
_MOST_NOISE = 0.1


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What a feasible point costs at most, by how much that was raised, and the relative violation that remains."""

    objective: float
    error: float
    violation: float


def repaired_point(lp: MatchingLP, x: Any, threads: int = 1) -> Float64 | None:
    """The point float64[E] that the certificate of `x` speaks of: feasible, or only near the rows where no repair is
    known; None where a '=' source wants more than its edges may take, so that no point exists.

    x must have E finite numbers. The same for any number of threads.
    """
    lp = lp.tightened  # what the certificate is about
    if unserved_source(lp) is not None:
        return None
    if not lp.is_short_form:
        return point_of(lp, x, threads)
    if has_equality(lp):
        with ThreadPoolExecutor(max_workers=threads) as pool:
            nearest = equality_point(lp, x, pool)
        return point_of(lp, x, threads) if nearest is None else nearest[0]
    return _packed_point(lp, x, threads)


def _packed_point(lp: MatchingLP, x: Any, threads: int) -> Float64:
    """x scaled into its polytopes and budgets, where no source is '='."""
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        factor = fit(lp.b, scaled_load(lp, x, pool))
        point = np.empty(lp.edges)
        for chunk in chunks(lp):
            point[chunk.edges] = packed(chunk, x, factor)
    return point


def scaled_load(lp: MatchingLP, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> Float64:
    """A x of x scaled into its polytopes."""
    load = np.zeros(lp.destinations)
    for part in over_chunks(lp, pool, lambda chunk: chunk.load(brought_in(chunk, chunk.read(x)), lp.destinations)):
        load += part
    return load


def packed(chunk: Chunk, x: npt.NDArray[Any], factor: Float64) -> Float64:
    """The chunk's part of the repaired point without '=' sources."""
    return brought_in(chunk, chunk.read(x)) * share_of_edges(chunk, factor)


def repaired(
    lp: MatchingLP, x: npt.NDArray[Any], load: Float64, price: Float64 | None, pool: ThreadPoolExecutor
) -> Repaired | None:
    """The cost of the repaired point; `load` = A x of x scaled into its polytopes, `price` = the answer's dual."""
    if has_equality(lp):
        nearest = equality_point(lp, x, pool)
        if nearest is None:
            return None
        point, left = nearest
        cost = cost_of(lp, lambda chunk: point[chunk.edges], pool)
        return _raised(cost, worth_of_violations(lp, point, left, cost, price), left.relative)

    factor = fit(lp.b, load)
    if lp.edges <= EXACT_EDGES:
        point = np.concatenate([np.zeros(0), *(packed(chunk, x, factor) for chunk in chunks(lp))])
        left = violations(lp, point)
        share = left.sources + left.relative
        cost = cost_of(lp, lambda chunk: point[chunk.edges], pool)
        if share < _ROUNDING:
            return _raised(cost, share * cost.magnitude, 0.0)
    cost = add_costs(list(over_chunks(lp, pool, lambda chunk: rounded_cost(chunk, packed(chunk, x, factor)))))
    if cost.error > ERROR_THAT_MATTERS * max(1.0, abs(cost.value)):
        cost = exact_costs(list(over_chunks(lp, pool, lambda chunk: exact_cost(chunk, packed(chunk, x, factor)))))
    return _raised(cost, _rounding_of_sums(lp) * cost.magnitude, 0.0)


def _rounding_of_sums(lp: MatchingLP) -> float:
    """The share of x that rounding may have put above the sums of rows and sources, in chunks and over them."""
    sizes = [chunk.edges.stop - chunk.edges.start for chunk in chunks(lp)]
    return (2 * max(sizes, default=0) + len(sizes) + 32) * UNIT


def _raised(cost: Cost, worth: float, violation: float) -> Repaired:
    objective = cost.value + worth
    if worth > 0:
        objective += 2 * UNIT * abs(objective)
    return Repaired(objective=objective, error=cost.error + worth + 4 * UNIT * abs(objective), violation=violation)


def equality_point(lp: MatchingLP, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> tuple[Float64, Violations] | None:
    """The point with the least violation of the rows, and what remains of it."""
    if unserved_source(lp) is not None:
        return None
    best: tuple[Float64, Violations] | None = None
    with np.errstate(all="ignore"):
        for point in _candidates(lp, x, pool):
            for chunk in chunks(lp):
                point[chunk.edges] = brought_in(chunk, point[chunk.edges])
            left = violations(lp, point)
            if left.relative <= _LARGEST_VIOLATION and (best is None or left.relative < best[1].relative):
                best = (point, left)
            if left.relative <= _ROUNDING:
                break
    return best


def _candidates(lp: MatchingLP, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> Iterator[Float64]:
    """Points that hold the budgets, from those that change x least to those that take longest."""
    scaled = scaled_into_polytopes(lp, x)
    load = load_of(lp, scaled)
    yield scaled.copy()
    yield from _refilled(lp, scaled)

    # Entries as small as what is wrong with x may be noise: without them, full rows may be left to the others.
    excess = float(np.max((load - lp.b) / np.maximum(lp.b, _SMALLEST_BUDGET), initial=0.0))
    share = shares(lp, scaled)
    for factor in _NOISE:
        if excess > 0:
            yield from _refilled(lp, np.where(share > min(factor * excess, _MOST_NOISE), scaled, 0.0))

    support = largest(share, above=min(excess, _MOST_NOISE))
    held = np.where(support, scaled, 0.0)
    if restore(lp, point := held.copy(), support):
        yield point
    moved = moved_within(lp, scaled, pool)
    if moved is not None:
        yield moved
    if lp.edges <= MOST_EDGES and restore(lp, point := held.copy(), np.ones(lp.edges, np.bool_)):
        yield point


def _refilled(lp: MatchingLP, start: Float64) -> Iterator[Float64]:
    """`start` refilled, a little below the budgets where that is possible."""
    for budget in (lp.b * (1 - _MARGIN), lp.b):
        if refill(lp, point := start.copy(), budget):
            yield point
