"""Taking violations of rounding size out of a point by changes in several sources at once: by HiGHS.

I sources, J destinations, E edges. Where rows are full, the excess of one reaches a row with slack, or an edge without
load, along a path through several sources; where coefficients differ, a cycle of changes may make room by itself. Both
are changes y[E] that solve

    A y <= b - A x,      1'y_i = z_i - 1'x_i  ('<=': at most that),      0 <= x + y <= u,

whose right-hand sides are known far beyond the rounding of x (harness/feasible.py). They are divided by the largest of
them as a share of its row, so that HiGHS sees numbers near 1 where there were 1e-17. Edges that rise or fall are
charged by what that costs beside what matters, not by the cost itself: a forbidden edge is used where nothing else
serves. What HiGHS's tolerance leaves is solved for again. x + y is never rounded to one number an edge: y is kept
beside x, and its cost c'y and what it leaves of the violations are exact to a share of y.

Where HiGHS finds that no changes remove an excess, every point has it: budgets that were rounded miss what '=' sources
want. It is told apart, for no cost of a change is its worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.changed import ExactPoint, Remaining, exact_point
from harness.feasible import Violations
from harness.restore import SUPPORT_EDGES, Changes, changes_of, largest, matrix, numbered, shares
from harness.rounding import Float64
from instances import MatchingLP

_SECONDS = 20.0
_ROUNDS = 3
#: A round that leaves more than this share of the violations has come to an end.
_PROGRESS = 0.1
_WITHOUT_BOUND = 1e7
#: The charge of an edge is between 1 and this, and that of an excess that stays far above any path of them.
_DEAREST = 1e3
_EXCESS = 1e7
#: An excess of a smaller share of what was asked for is what HiGHS's tolerance leaves.
_STAYS = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Exchange:
    """Changes y that leave less of a point's violations. cost: c'y, rounded up, and >= 0; point: x + y, to within a
    share UNIT of an edge; stays: [J] the excess that no changes remove; left: what x + y itself violates besides.
    """

    cost: float
    point: Float64
    stays: Float64
    left: Violations


def exchanged(lp: MatchingLP, point: Float64, matters: float) -> Exchange | None:
    """Changes of `point` [E], which is within rounding of all rows; None where none were found.

    matters: a cost below this is as good as none.
    """
    start = exact_point(lp, point)
    change = np.zeros(lp.edges)
    stays = np.zeros(lp.destinations)
    remaining = start.remaining(change, stays)
    found = False
    for _ in range(_ROUNDS):
        unit = remaining.largest
        if unit == 0 or not np.isfinite(unit):
            break
        step = _step(start, change, remaining, matters)
        if step is None:
            break
        trial = start.within_limits(change + step.change)
        after = start.remaining(trial, stays + step.stays)
        if not after.largest <= _PROGRESS * unit:
            break
        change, stays, remaining, found = trial, stays + step.stays, after, True
    if not found:
        return None
    return Exchange(
        cost=start.cost(change), point=start.point + change, stays=stays, left=start.violations(change, remaining)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    """What to add to the changes, [E], and to the excess that stays, [J]."""

    change: Float64
    stays: Float64


def _step(start: ExactPoint, change: Float64, remaining: Remaining, matters: float) -> _Step | None:
    """One solve."""
    from scipy.optimize import linprog  # slow to load, and rarely needed

    lp, unit = start.lp, remaining.largest
    columns = np.ones(lp.edges, np.bool_)
    if lp.edges > SUPPORT_EDGES:
        columns = largest(shares(lp, start.point), above=unit)
    open_rows = (lp.b > 0)[lp.destination] | (lp.a == 0)
    changes = changes_of(lp, start.point + change, columns & open_rows, columns)
    edges = changes.edges
    with np.errstate(all="ignore"):
        most = changes.most / (unit * changes.cap)
    most[most > _WITHOUT_BOUND] = np.inf

    rows = np.flatnonzero((lp.b > 0) & np.isfinite(lp.b))
    at_most, equal = _rows(start, changes, rows, remaining)
    charges = _charges(start, changes, unit / matters)
    solution = linprog(
        np.concatenate((charges, np.full(rows.size, _EXCESS))),
        A_ub=at_most.matrix,
        b_ub=np.minimum(at_most.side / unit, _WITHOUT_BOUND),
        A_eq=equal.matrix,
        b_eq=equal.side / unit,
        bounds=np.column_stack((np.zeros(edges.size + rows.size), np.append(most, np.full(rows.size, np.inf)))),
        method="highs-ds",
        options={"time_limit": _SECONDS},
    )
    if solution.x is None:
        return None
    moved = unit * changes.sign * changes.cap * solution.x[: edges.size]
    excess = solution.x[edges.size :]
    stays = np.zeros(lp.destinations)
    if solution.status == 0 and columns.all():
        stays[rows] = np.where(excess > _STAYS, (1 + _STAYS) * excess * unit * lp.b[rows], 0.0)
    return _Step(
        change=np.bincount(edges, weights=moved, minlength=lp.edges).astype(np.float64, copy=False), stays=stays
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """matrix x <= side, or = side, where side counts shares of the right-hand sides of the instance."""

    matrix: sparse.csr_array
    side: Float64


def _rows(
    start: ExactPoint, changes: Changes, rows: npt.NDArray[np.int64], remaining: Remaining
) -> tuple[_Rows, _Rows]:
    """Of the changes, then of the excess on each of `rows`: what '<=' says, and what '=' says."""
    lp, edges = start.lp, changes.edges
    source, row = start.source[edges], lp.destination[edges]
    summed = np.isfinite(start.at_most) & (start.at_most > 0)
    fixed, fixed_of = numbered(summed & start.equality)
    free, free_of = numbered(summed & ~start.equality)
    _, row_of = numbered(np.isin(np.arange(lp.destinations), rows))

    load = matrix(row_of[row], changes.sign * lp.a[edges].astype(np.float64) * changes.cap / lp.b[row], rows.size)
    share = changes.sign * changes.cap / start.at_most[source]
    loads = sparse.hstack([load, -sparse.eye_array(rows.size)])
    sums, fixed_sums = (
        sparse.hstack([matrix(of[source], share, count), sparse.csr_array((count, rows.size))], format="csr")
        for of, count in ((free_of, free.size), (fixed_of, fixed.size))
    )
    slack = (remaining.slack - remaining.slack_error)[rows] / lp.b[rows]
    spare = (remaining.lack - remaining.lack_error)[free] / start.at_most[free]
    at_most = _Rows(matrix=sparse.vstack([loads, sums], format="csr"), side=np.concatenate((slack, spare)))
    return at_most, _Rows(matrix=fixed_sums, side=remaining.lack[fixed] / start.at_most[fixed])


def _charges(start: ExactPoint, changes: Changes, weight: float) -> Float64:
    """What changing an edge by its unit is charged: its cost above the least of a '=' source, or what falls away where
    the source need not be served; `weight` makes costs beside what matters of costs of changes by `cap`.
    """
    c = start.lp.c.astype(np.float64)
    least = np.full(start.lp.sources, np.inf)
    np.minimum.at(least, start.source, c)
    source = start.source[changes.edges]
    fixed = start.equality[source]
    added = c[changes.edges] - np.where(fixed, least[source], 0.0)
    added = np.where(changes.sign > 0, added, np.where(fixed, 0.0, -added))
    return 1 + np.minimum(np.maximum(added, 0.0) * (changes.cap * weight), _DEAREST)
