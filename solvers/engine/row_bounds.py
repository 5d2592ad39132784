"""What the sides of the coupling rows ask of prices and activities (rows of all families, R of them).

A row r with  lower <= act <= upper  and prices p-, p+ of leaving it (infinite: the side is hard) gives its dual the
interval and the dual objective the term

    y_r in [-p-_r, p+_r], y_r > 0 only under a finite upper, y_r < 0 only under a finite lower;  upper y+ - lower y-

The class works on NumPy arrays and, after `on`, on tensors of a device: it uses only what both have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.engine.kernel import Tensor
from solvers.engine.tensors import upload

Numbers = npt.NDArray[np.float64] | Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class RowBounds:
    """Float64[R] each, NumPy arrays or tensors."""

    ceilings: bool
    """Every row is a hard '<=' row with finite upper, as in the short form."""
    lower: Numbers
    """-inf where there is none."""
    upper: Numbers
    """inf where there is none."""
    finite_lower: Numbers
    """lower, 0 where there is none."""
    finite_upper: Numbers
    """upper, 0 where there is none."""
    least_dual: Numbers
    """0 where there is no lower."""
    largest_dual: Numbers
    """0 where there is no upper."""
    soft_below: Numbers
    """The price of a unit below lower, 0 where that side is hard or missing."""
    soft_above: Numbers
    """The price of a unit above upper, 0 where that side is hard or missing."""
    hard_below: Numbers
    """1 / (1 + |lower|) where that side is hard, else 0."""
    hard_above: Numbers
    """1 / (1 + |upper|) where that side is hard, else 0."""

    @property
    def rows(self) -> int:
        return int(self.upper.shape[0])

    @property
    def sizes(self) -> Any:
        """Float64[R]: the larger one of |lower| and |upper|, of those that are there."""
        return abs(self.finite_upper).clip(abs(self.finite_lower))

    def on(self, device: str) -> RowBounds:
        """The same on a device, as tensors."""
        return RowBounds(
            ceilings=self.ceilings,
            **{f.name: upload(getattr(self, f.name), device) for f in fields(self) if f.name != "ceilings"},
        )

    def clip(self, dual: Any) -> Any:
        """The nearest dual within its intervals."""
        return dual.clip(min=0) if self.ceilings else dual.clip(self.least_dual, self.largest_dual)

    def within_hard_sides(self, dual: Any) -> Any:
        """The nearest dual that prices hard sides alone, however large: what a ray is made of."""
        above = dual.clip(min=0) * (self.hard_above > 0)
        return above if self.ceilings else above + dual.clip(max=0) * (self.hard_below > 0)

    def cost(self, dual: Any) -> Any:
        """sum_r (upper y+ - lower y-), which the dual objective lacks; for a dual within its intervals."""
        if self.ceilings:
            return (self.upper * dual).sum()
        return (self.finite_upper * dual.clip(min=0) + self.finite_lower * dual.clip(max=0)).sum()

    def proximal_step(self, dual: Any, activity: Any, sigma: Any) -> Any:
        """argmin over the intervals of  cost(y) - y'activity + ||y - dual||^2 / (2 sigma); sigma may be one a row.

        The step goes against the upper side where that leaves y > 0, against the lower where that leaves y < 0, and
        else ends at the kink, 0.
        """
        against_upper = dual + sigma * (activity - self.upper)
        if self.ceilings:
            return against_upper.clip(min=0)
        against_lower = dual + sigma * (activity - self.lower)
        return against_lower.clip(max=0).clip(against_upper).clip(self.least_dual, self.largest_dual)

    @property
    def origin(self) -> Any:
        """Float64[R], finite: the upper side, the lower one where there is no upper, 0 where there is neither."""
        return self.finite_upper + self.finite_lower * (self.upper == math.inf)

    def measured_from(self, origin: Any) -> RowBounds:
        """Those of activities less origin[R]; for `clip`, `proximal_step` and pieces."""
        return replace(
            self,
            lower=self.lower - origin,
            upper=self.upper - origin,
            finite_lower=self.finite_lower - origin,
            finite_upper=self.finite_upper - origin,
        )

    def scaled(self, scale: Any) -> RowBounds:
        """Those of rows times scale[R] > 0, whose duals are divided by it; for `clip`, `cost` and `proximal_step`."""
        return replace(
            self,
            lower=self.lower * scale,
            upper=self.upper * scale,
            finite_lower=self.finite_lower * scale,
            finite_upper=self.finite_upper * scale,
            least_dual=self.least_dual / scale,
            largest_dual=self.largest_dual / scale,
        )

    def cost_size(self, dual: Any) -> Any:
        """The sum of the sizes of the terms of `cost`."""
        return (abs(self.finite_upper) * dual.clip(min=0) - abs(self.finite_lower) * dual.clip(max=0)).sum()

    def above(self, activity: Any) -> Any:
        """By how much each row is above its upper side, float64[R] >= 0."""
        return (activity - self.upper).clip(min=0)

    def below(self, activity: Any) -> Any:
        """By how much each row is below its lower side, float64[R] >= 0."""
        return (self.lower - activity).clip(min=0)

    def penalty(self, activity: Any) -> Any:
        """What the violations of the soft sides cost."""
        return (self.soft_above * self.above(activity) + self.soft_below * self.below(activity)).sum()

    def priced_violation(self, dual: Any, activity: Any) -> Any:
        """sum_r |y_r| times the violation of the hard sides."""
        if self.ceilings:
            return (dual * self.above(activity)).sum()
        above, below = self.above(activity), self.below(activity)
        return (abs(dual) * (above * (self.hard_above > 0) + below * (self.hard_below > 0))).sum()

    def violation(self, activity: Any) -> Any:
        """The largest violation of a hard side, relative to 1 + |side|."""
        relative = self.hard_above * self.above(activity) + self.hard_below * self.below(activity)
        return relative.max() if relative.shape[0] else relative.sum()


def row_bounds(lp: MatchingLP) -> RowBounds:
    """The sides of all rows of `lp`, family after family."""
    lower, upper, penalty_below, penalty_above = (
        np.concatenate([getattr(family.sides, side) for family in lp.rows])
        for side in ("lower", "upper", "penalty_below", "penalty_above")
    )
    floor, ceiling = np.isfinite(lower), np.isfinite(upper)
    finite_lower, finite_upper = np.where(floor, lower, 0.0), np.where(ceiling, upper, 0.0)
    hard_below, hard_above = floor & np.isinf(penalty_below), ceiling & np.isinf(penalty_above)
    return RowBounds(
        ceilings=lp.is_short_form and bool(ceiling.all()),
        lower=lower,
        upper=upper,
        finite_lower=finite_lower,
        finite_upper=finite_upper,
        least_dual=np.where(floor, -penalty_below, 0.0),
        largest_dual=np.where(ceiling, penalty_above, 0.0),
        soft_below=np.where(floor & ~hard_below, penalty_below, 0.0),
        soft_above=np.where(ceiling & ~hard_above, penalty_above, 0.0),
        hard_below=np.where(hard_below, 1 / (1 + abs(finite_lower)), 0.0),
        hard_above=np.where(hard_above, 1 / (1 + abs(finite_upper)), 0.0),
    )
