"""The LP over moves: the least mass moved at the least cost, so that rows hold. R rows, K moves.

With all in units of `unit`, and rows in shares of their size,

    minimise  sum_k d_k t_k + sum_r penalty_r s_r   subject to   lower - s <= A x + D't <= upper + s,   0 <= t <= most,

s >= 0 on soft sides, and on hard ones first with the sum of s as the objective, until that is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from harness.general.moves import Moves
from harness.rounding import Float64
from instances.sides import Sides

#: By how much a row may leave its side, as a share of it: sums are no better.
ROUNDING = 1e-13
#: Violations, in units of the largest, that are those of HiGHS.
_TOLERATED = 1e-6
#: Of the rounding that may remain, the part that an LP may leave: what sources give and rows take may differ by it.
_SHARE_LEFT = 0.1
_WITHOUT_LIMIT = 1e7
_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """The sides that rows are to be held to, float64[R] each."""

    sides: Sides
    """Moved inward."""
    size: Float64
    """What a row is measured by."""

    def excess(self, activity: Float64) -> float:
        """The largest share by which a hard row is left."""
        above = np.where(np.isinf(self.sides.penalty_above), activity - self.sides.upper, 0.0)
        below = np.where(np.isinf(self.sides.penalty_below), self.sides.lower - activity, 0.0)
        left = np.maximum(np.maximum(above, below), 0.0)
        shares = np.divide(left, self.size, out=np.where(left > 0, np.inf, 0.0), where=self.size > 0)
        return float(np.max(shares, initial=0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Of one LP."""

    amount: Float64
    """[K]: t, in units of the mass."""
    price: Float64
    """[R]: a further move gains by these; inf where nothing may enter."""
    violation: float
    """By how much hard rows are left, all together, in shares of their size and units of `unit`."""
    cost: float
    """d't and what soft rows cost, in units of `unit`."""


class MoveProblem:
    """The LPs of one round, with K moves each. n one-sided rows and equalities."""

    def __init__(self, target: Target, activity: Float64, unit: float) -> None:
        """activity: A x of the point as it is; unit: the largest share by which it leaves a hard row."""
        sides = target.sides
        self._unit = unit
        self.tolerated = max(_TOLERATED, _SHARE_LEFT * ROUNDING / unit)
        self._size = np.where(target.size > 0, target.size, 1.0)
        self._closed = target.size == 0
        equal = np.flatnonzero(sides.lower == sides.upper)
        above = np.flatnonzero(np.isfinite(sides.upper) & (sides.lower != sides.upper))
        below = np.flatnonzero(np.isfinite(sides.lower) & (sides.lower != sides.upper))
        self._row = np.concatenate((equal, above, below))
        self._sign = np.concatenate((np.ones(equal.size + above.size), -np.ones(below.size)))
        self._equalities = equal.size
        side = np.where(self._sign > 0, sides.upper[self._row], sides.lower[self._row])
        room = self._sign * (side - activity[self._row]) / (self._size[self._row] * unit)
        self._room = np.minimum(room, _WITHOUT_LIMIT)

        # s of each one-sided row, then the two of each equality: above its side, below it.
        self._leaving = sparse.hstack(
            (sparse.eye_array(self._row.size), -sparse.eye_array(self._row.size, self._equalities))
        )
        price_above, price_below = sides.penalty_above[self._row], sides.penalty_below[self._row]
        of_row = np.where(self._sign > 0, price_above, price_below)
        self._penalty = np.concatenate((of_row, price_below[: self._equalities]))
        self._penalty *= np.concatenate((self._size[self._row], self._size[equal]))

    def without_moves(self) -> Solution:
        """Where no mass is moved: the price of a hard row is that of leaving it by less."""
        hard = np.isinf(self._penalty)
        rows, equalities = self._row.size, self._equalities
        multiplier = -((self._room < 0) & hard[:rows]).astype(np.float64)
        multiplier[:equalities] += (self._room[:equalities] > 0) & hard[rows:]
        return Solution(amount=np.zeros(0), price=self._price(multiplier), violation=np.inf, cost=np.inf)

    def solved(self, moves: Moves, *, cheapest: bool) -> Solution | None:
        """The least violation, or the least cost without any but HiGHS's own; None where HiGHS gives none."""
        from scipy.optimize import linprog  # slow to load, and rarely needed

        hard = np.isinf(self._penalty)
        costs = np.concatenate((moves.cost, np.where(hard, 0.0, self._penalty)))
        scale = max(float(np.max(np.abs(costs), initial=0.0)), 1e-300)
        left = max(_TOLERATED / max(1, hard.sum()), _SHARE_LEFT * ROUNDING / self._unit)
        objective = costs / scale if cheapest else np.concatenate((np.zeros(moves.cost.size), hard.astype(np.float64)))
        most = np.concatenate((moves.most / self._unit, np.where(hard & cheapest, left, np.inf)))
        most[most > _WITHOUT_LIMIT] = np.inf

        changes = moves.changes[:, self._row].multiply(self._sign / self._size[self._row]).T
        matrix = sparse.hstack((changes, -self._leaving), format="csr")
        solution = linprog(
            objective,
            A_eq=matrix[: self._equalities],
            b_eq=self._room[: self._equalities],
            A_ub=matrix[self._equalities :],
            b_ub=self._room[self._equalities :],
            bounds=np.column_stack((np.zeros(most.size), most)),
            method="highs-ds",
            options={"time_limit": _SECONDS},
        )
        if solution.x is None or solution.status != 0:
            return None
        amount, leaving = np.split(solution.x, [moves.cost.size])
        multiplier = np.concatenate((solution.eqlin.marginals, solution.ineqlin.marginals))
        return Solution(
            amount=np.clip(amount, 0.0, moves.most / self._unit),
            price=self._price(multiplier * (scale if cheapest else 1.0)),
            violation=float(leaving[hard].sum()),
            cost=float(costs @ solution.x),
        )

    def _price(self, multiplier: Float64) -> Float64:
        """y[R] of the multipliers of all rows, which are those of the scaled rows; nothing may enter a closed row."""
        price = np.bincount(
            self._row, weights=-multiplier * self._sign / self._size[self._row], minlength=self._size.size
        )
        return np.where(self._closed, np.inf, price)
