"""Taking violations of rounding size out of a point by changes in several sources at once: by HiGHS.

I sources, J destinations, E edges. Where rows are full, the excess of one reaches a row with slack, or an edge without
load, along a path through several sources; where coefficients differ, a cycle of changes may make room by itself. Both
are changes y[E] that solve

    A y <= b - A x,      1'y_i = z_i - 1'x_i  ('<=': at most that),      0 <= x + y <= u,

whose right-hand sides are known far beyond the rounding of x (harness/feasible.py). They are divided by the largest of
them as a share of its row, so that HiGHS sees numbers near 1 where there were 1e-17. Edges that rise or fall are
charged by what that costs beside what matters, not by the cost itself: a forbidden edge is used where nothing else
serves. The first LP has the cheapest changes of each source, the next ones those besides that its multipliers ask for
(column generation), so that the last one is the LP on all edges. What HiGHS's tolerance leaves is solved for again.

x + y is never rounded to one number an edge: y is kept beside x, and its cost c'y and what it leaves of the violations
are exact to a share of y.

Where HiGHS finds that no changes remove an excess, every point has it: budgets that were rounded miss what '=' sources
want. It is told apart, for no cost of a change is its worth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.changed import ExactPoint, Remaining, exact_point
from harness.feasible import Violations
from harness.restore import Changes, changes_of, matrix, numbered
from harness.rounding import Float64
from instances import MatchingLP

#: Seconds for all LPs of one point, and rows of an LP that is still tried.
_SECONDS = 20.0
_MOST_ROWS = 200_000
_ROUNDS = 3
#: A round that leaves more than this share of the violations has come to an end.
_PROGRESS = 0.1
_WITHOUT_BOUND = 1e7
#: The charge of an edge is between 1 and this, and that of an excess that stays far above any path of them.
_DEAREST = 1e3
_EXCESS = 1e7
#: Changes of a source that an LP takes at once, and the reduced cost below which one is worth taking.
_AT_ONCE = 4
_WORTH_TAKING = -1e-6
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
    ends = time.monotonic() + _SECONDS
    start = exact_point(lp, point)
    change = np.zeros(lp.edges)
    stays = np.zeros(lp.destinations)
    remaining = start.remaining(change, stays)
    found = False
    for _ in range(_ROUNDS):
        unit = remaining.largest
        if unit == 0 or not np.isfinite(unit):
            break
        step = _step(start, change, remaining, matters, ends)
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


def _step(start: ExactPoint, change: Float64, remaining: Remaining, matters: float, ends: float) -> _Step | None:
    """One LP, by LPs on growing sets of changes, until `ends` on the monotonic clock."""
    problem = _problem(start, change, remaining, matters)
    if problem is None:
        return None
    chosen = problem.first_choice()
    while True:
        solution = problem.solved(chosen, ends - time.monotonic())
        if solution is None:
            return None
        more = problem.cheaper(solution.multipliers) & ~chosen
        if not more.any() or time.monotonic() > ends:
            break
        chosen |= more

    lp, changes = start.lp, problem.changes
    moved = remaining.largest * changes.sign * changes.cap * solution.amount
    stays = np.zeros(lp.destinations)
    if not more.any():
        budgets = lp.b[problem.rows]
        excess = (1 + _STAYS) * solution.excess * remaining.largest * budgets
        stays[problem.rows] = np.where(solution.excess > _STAYS, excess, 0.0)
    added = np.bincount(changes.edges, weights=moved, minlength=lp.edges).astype(np.float64, copy=False)
    return _Step(change=added, stays=stays)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Solution:
    """amount: of each change; excess: of each budget row; multipliers: of each row of the matrix."""

    amount: Float64
    excess: Float64
    multipliers: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """minimise charges'y + _EXCESS sum(w) over 0 <= y <= most, w >= 0, for rows counted in shares of the right-hand
    sides of the instance and of the largest violation: first the budgets, M y - w <= side; then the sources, '<=' and
    '='.
    """

    changes: Changes
    source: npt.NDArray[np.int64]
    """Of each change."""
    rows: npt.NDArray[np.int64]
    """The budgets."""
    matrix: sparse.csc_array
    side: Float64
    equal: npt.NDArray[np.bool_]
    charges: Float64
    most: Float64

    def first_choice(self) -> npt.NDArray[np.bool_]:
        """The changes that cost each source least, up and down."""
        rising = self.changes.sign > 0
        cheap = _first_of_each(self.source, np.where(rising, self.charges, np.inf))
        large = _first_of_each(self.source, np.where(rising, np.inf, -self.changes.most))
        return cheap | large

    def cheaper(self, multipliers: Float64) -> npt.NDArray[np.bool_]:
        """The changes of each source that the multipliers ask for most."""
        reduced = self.charges - self.matrix.T @ multipliers
        return _first_of_each(self.source, np.where(reduced < _WORTH_TAKING, reduced, np.inf))

    def solved(self, chosen: npt.NDArray[np.bool_], seconds: float) -> _Solution | None:
        """With the chosen changes alone."""
        from scipy.optimize import linprog  # slow to load, and rarely needed

        columns, budgets = np.flatnonzero(chosen), self.rows.size
        excess = sparse.csc_array((-np.ones(budgets), (range(budgets), range(budgets))), (self.side.size, budgets))
        rows = sparse.hstack([self.matrix[:, columns], excess], format="csr")
        solution = linprog(
            np.concatenate((self.charges[columns], np.full(budgets, _EXCESS))),
            A_ub=rows[~self.equal],
            b_ub=np.minimum(self.side[~self.equal], _WITHOUT_BOUND),
            A_eq=rows[self.equal],
            b_eq=self.side[self.equal],
            bounds=np.column_stack(
                (np.zeros(columns.size + budgets), np.append(self.most[columns], np.full(budgets, np.inf)))
            ),
            method="highs-ds",
            options={"time_limit": max(seconds, 1e-3)},
        )
        if solution.status != 0:
            return None
        amount = np.zeros(chosen.size)
        amount[columns] = solution.x[: columns.size]
        multipliers = np.zeros(self.side.size)
        multipliers[~self.equal] = solution.ineqlin.marginals
        multipliers[self.equal] = solution.eqlin.marginals
        return _Solution(amount=amount, excess=solution.x[columns.size :], multipliers=multipliers)


def _first_of_each(source: npt.NDArray[np.int64], value: Float64) -> npt.NDArray[np.bool_]:
    """The _AT_ONCE changes of each source with the least value, none where that is inf."""
    finite = np.flatnonzero(value < np.inf)
    order = finite[np.lexsort((value[finite], source[finite]))]
    first = np.searchsorted(source[order], source[order])
    found = np.zeros(value.size, np.bool_)
    found[order[np.arange(order.size) - first < _AT_ONCE]] = True
    return found


def _problem(start: ExactPoint, change: Float64, remaining: Remaining, matters: float) -> _Problem | None:
    """None where the LP has too many rows."""
    lp, unit = start.lp, remaining.largest
    rows, row_of = numbered((lp.b > 0) & np.isfinite(lp.b))
    summed = np.isfinite(start.at_most) & (start.at_most > 0)
    sources, source_of = numbered(summed)
    if rows.size + sources.size > _MOST_ROWS:
        return None

    open_rows = (lp.b > 0)[lp.destination] | (lp.a == 0)
    changes = changes_of(lp, start.point + change, open_rows, np.ones(lp.edges, np.bool_))
    edges = changes.edges
    source, row = start.source[edges], lp.destination[edges]
    load = changes.sign * lp.a[edges].astype(np.float64) * changes.cap / lp.b[row]
    share = changes.sign * changes.cap / start.at_most[source]

    slack = (remaining.slack - remaining.slack_error)[rows] / lp.b[rows]
    equal = start.equality[sources]
    spare = np.where(equal, remaining.lack[sources], (remaining.lack - remaining.lack_error)[sources])
    with np.errstate(all="ignore"):
        most = changes.most / (unit * changes.cap)
    return _Problem(
        changes=changes,
        source=source,
        rows=rows,
        matrix=sparse.vstack(
            [matrix(row_of[row], load, rows.size), matrix(source_of[source], share, sources.size)], format="csc"
        ),
        side=np.concatenate((slack, spare / start.at_most[sources])) / unit,
        equal=np.concatenate((np.zeros(rows.size, np.bool_), equal)),
        charges=_charges(start, changes, unit / matters),
        most=np.where(most > _WITHOUT_BOUND, np.inf, most),
    )


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
