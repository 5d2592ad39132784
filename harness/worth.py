"""What the violations of a nearly feasible point are worth: the cost of a feasible point near it, less its own.

I sources, J destinations. Let the sums of a point x be off by a share r at most; x' = x z / sum(x) satisfies all
polytopes and costs r sum |c x| more at most. Where a load of x' exceeds its budget by v_j, v_j / a_e of mass moves

1. from an edge e in use to the cheapest edge of its source whose row has slack for all such moves together;
2. where row j has no such edge, through several sources (harness/exchange.py).

Both are proofs. What neither removes is estimated: v_j times the largest difference of costs over a, or times the
answer's price of row j where that is more. An excess that every point has counts at the answer's price, so that the
gap stays above 0. Where costs are of ordinary size the estimate is below anything that matters, and the second way is
not tried.
"""

from __future__ import annotations

import numpy as np

from harness.exchange import exchanged
from harness.feasible import ERROR_THAT_MATTERS, Cost, Violations
from harness.polytopes.points import headroom
from harness.rounding import Float64
from harness.sources import chunks
from instances import MatchingLP


def worth_of_violations(lp: MatchingLP, point: Float64, left: Violations, cost: Cost, price: Float64 | None) -> float:
    """What `left` is worth at most, for the point [E] with this cost; `price` [J]: the answer's."""
    worth = _worth(lp, point, left, cost, price)
    matters = ERROR_THAT_MATTERS * max(1.0, abs(cost.value))
    if worth <= matters:
        return worth
    moved = exchanged(lp, point, matters)
    if moved is None:
        return worth
    after = moved.cost + _worth(lp, moved.point, moved.left, cost, price)
    if price is not None:
        after += float(np.maximum(price, 0.0) @ moved.stays)
    return min(worth, after)


def _worth(lp: MatchingLP, point: Float64, left: Violations, cost: Cost, price: Float64 | None) -> float:
    """By moves within single sources, and by the estimate."""
    worth = left.sources * cost.magnitude + left.placed
    over = left.rows > 0
    if not over.any():
        return worth
    by_row = _cost_of_moves(lp, point, left)
    if np.isinf(by_row[over]).any():
        by_row = np.where(np.isinf(by_row), _dearest_moves(lp, point, left.rows, price), by_row)
    return worth + float(left.rows[over] @ by_row[over]) * (1 + 1e-6)


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
