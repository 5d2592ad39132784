"""How far a point is outside hard rows, and where the rounds of correction.py lead it. R coupling rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.row_bounds import RowBounds

Float64 = npt.NDArray[np.float64]

#: Sides are moved inward by this share of a row's size; for an answer in float32 by more than its entries round ...
_INWARD = 1e-10
_INWARD_IN_FLOAT32 = 2.0**-22
#: ... and by this share of what a row is left by, so that a rough solution ends within; two sides at most by this share
#: of their distance.
_BEYOND = 0.1
_MOST_INWARD = 0.25
#: A '=' row is met within this share of its size.
_MET = 1e-13


@dataclass(frozen=True, kw_only=True, eq=False)
class SidesToMeet:
    """Float64[R] each."""

    lower: Float64
    upper: Float64
    hard_lower: Float64
    """-inf where the side is soft."""
    hard_upper: Float64
    """inf where the side is soft."""
    size: Float64
    """What a row is measured by: the larger of its hard sides and of the sum of |a| x."""
    inward: float

    @classmethod
    def of(cls, rows: RowBounds, load_sizes: Float64, dtype: Any) -> SidesToMeet:
        """load_sizes: sums of |a| x. dtype: that of the answer."""
        below, above = rows.hard_below > 0, rows.hard_above > 0
        sides = np.maximum(abs(rows.finite_lower) * below, abs(rows.finite_upper) * above)
        return cls(
            lower=np.asarray(rows.lower),
            upper=np.asarray(rows.upper),
            hard_lower=np.where(below, rows.lower, -np.inf),
            hard_upper=np.where(above, rows.upper, np.inf),
            size=np.maximum(sides, load_sizes),
            inward=_INWARD if np.dtype(dtype) == np.float64 else _INWARD_IN_FLOAT32,
        )

    def left(self, loads: Float64) -> float:
        """The largest share of its size by which a hard row is left, 0.0 where all are met."""
        excess = np.maximum(np.maximum(loads - self.hard_upper, self.hard_lower - loads), 0.0)
        tolerated = np.where(self.hard_lower == self.hard_upper, _MET * self.size, 0.0)
        shares = np.divide(excess, self.size, out=np.full(excess.size, np.inf), where=self.size > 0)
        return float(np.where(excess > tolerated, shares, 0.0).max(initial=0.0))

    def wanted(self, loads: Float64) -> Float64:
        """What leads rows that are left, or nearly so, to a little within their sides; 0 for the others."""
        above = np.maximum(0.0, loads - self.hard_upper)
        below = np.maximum(0.0, self.hard_lower - loads)
        inward = self.inward * self.size + _BEYOND * (above + below)
        inward = np.minimum(inward, _MOST_INWARD * (self.hard_upper - self.hard_lower))
        highest, lowest = self.hard_upper - inward, self.hard_lower + inward
        return np.where(loads > highest, highest - loads, np.where(loads < lowest, lowest - loads, 0.0))

    def room(self, loads: Float64, wanted: Float64) -> Float64:
        """How far rows may move: to the nearer side, a soft one too, which is a good place to stay at; 0 where a change
        is wanted.
        """
        nearer = np.minimum(abs(loads - self.lower), abs(self.upper - loads))
        return np.where(wanted != 0, 0.0, nearer)
