"""The sides of all rows, and the intervals of their prices. R rows of all families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.rounding import UNIT, Float64
from instances import MatchingLP


@dataclass(frozen=True, kw_only=True, eq=False)
class RowSides:
    """Float64[R] each."""

    lower: Float64
    """-inf where there is none."""
    upper: Float64
    """inf where there is none."""
    penalty_below: Float64
    """inf where the lower side is hard."""
    penalty_above: Float64
    """inf where the upper side is hard."""

    @classmethod
    def of(cls, lp: MatchingLP) -> RowSides:
        names = ("lower", "upper", "penalty_below", "penalty_above")
        return cls(**{name: np.concatenate([getattr(family, name) for family in lp.rows]) for name in names})

    def clipped(self, dual: Float64, *, hard_only: bool = False) -> Float64:
        """The nearest y that a bound can use: within the penalties, and 0 on the side of a limit that is not there.

        hard_only: a ray prices hard sides alone.
        """
        below, above = self.penalty_below, self.penalty_above
        if hard_only:
            below, above = (np.where(np.isinf(penalty), np.inf, 0.0) for penalty in (below, above))
        least = np.where(np.isfinite(self.lower), -below, 0.0)
        largest = np.where(np.isfinite(self.upper), above, 0.0)
        return np.clip(dual, least, largest)

    def paid(self, price: Float64) -> tuple[Float64, Float64]:
        """upper y+ - lower y- of each row, and by how much each may be off."""
        side = np.where(price > 0, self.upper, np.where(price < 0, self.lower, 0.0))
        paid = side * price
        return paid, UNIT * np.abs(paid) + np.where(paid == 0, 0.0, 2.0**-1074)

    def above(self, activity: Float64) -> Float64:
        return np.maximum(activity - self.upper, 0.0)

    def below(self, activity: Float64) -> Float64:
        return np.maximum(self.lower - activity, 0.0)

    def penalty(self, activity: Float64, error: Float64) -> Float64:
        """What leaving the rows with a price costs at most, [R], for activities that may be off by `error`."""
        cost = np.zeros(activity.size)
        for outside, penalty in (
            (self.above(activity + error), self.penalty_above),
            (self.below(activity - error), self.penalty_below),
        ):
            left = (outside > 0) & np.isfinite(penalty)
            cost[left] += outside[left] * penalty[left]
        return (1 + 8 * UNIT) * cost

    def violation(self, activity: Float64, error: Float64 | float = 0.0) -> Float64:
        """How far each row may be outside a hard side, [R]."""
        above = np.where(np.isinf(self.penalty_above), self.above(activity + error), 0.0)
        below = np.where(np.isinf(self.penalty_below), self.below(activity - error), 0.0)
        return np.maximum(above, below)

    def relative(self, activity: Float64, violation: Float64) -> float:
        """The largest violation over 1 + |the side that is violated|."""
        side = np.where(activity > self.upper, self.upper, np.where(np.isfinite(self.lower), self.lower, self.upper))
        size = 1 + np.abs(np.where(np.isfinite(side), side, 0.0))
        return float(np.max(violation / size, initial=0.0))

    def norm(self) -> float:
        """The 2-norm of the sides, of each row the larger one that is there."""
        sizes = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (self.lower, self.upper)]
        return float(np.linalg.norm(np.maximum(*sizes)))
