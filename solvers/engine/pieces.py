"""Where a dual function is smooth. R rows.

The term  upper y+ - lower y-  of a row with two different sides has a kink at y = 0, and the function falls on both
sides of the kink while lower <= act <= upper. So the price of such a row stays at 0 there, and no step leads across: a
step is one within a piece, a box of prices on one side of every kink. Rows with one side, and '=' rows, have no kink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.engine.prices import Prices, blocked
from solvers.engine.row_bounds import RowBounds


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A box of prices in which the function is smooth, with gradient A x - side; float64[R] each."""

    side: Prices
    """The side of each row that its price is of; A x itself where a kink holds the price at 0."""
    low: Prices
    high: Prices

    def blocked(self, gradient: Prices, price: Prices) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Rows at an end of the piece that the gradient pushes against."""
        return blocked(gradient, price, self.low, self.high)


class Pieces:
    """The pieces of a problem; lower and upper are finite, the one that a row does not have is the other."""

    def __init__(self, lower: Prices, upper: Prices) -> None:
        self._lower = lower
        self._upper = upper
        self._kinks = np.flatnonzero(lower < upper)

    @classmethod
    def of(cls, bounds: RowBounds) -> Pieces:
        floor, ceiling = np.isfinite(bounds.lower), np.isfinite(bounds.upper)
        upper = np.where(ceiling, bounds.upper, bounds.finite_lower)
        return cls(np.where(floor, bounds.lower, upper), upper)

    def without(self, loads: Prices) -> Pieces:
        """Those of the problem in which loads[R] are fixed and left out of A x."""
        return Pieces(self._lower - loads, self._upper - loads)

    def piece(self, price: Prices, activity: Prices, low: Prices, high: Prices) -> Piece:
        """The piece around `price`, within low..high; activity[R] = A x there, which tells the side where the price
        is 0.
        """
        if not self._kinks.size:
            return Piece(side=self._upper, low=low, high=high)

        at = self._kinks
        y, act, lower, upper = price[at], activity[at], self._lower[at], self._upper[at]
        above = (y > 0) | ((y == 0) & (act > upper))
        below = (y < 0) | ((y == 0) & (act < lower))
        side, low, high = self._upper.copy(), low.copy(), high.copy()
        side[at] = np.where(above, upper, np.where(below, lower, act))
        low[at] = np.where(below, low[at], np.maximum(low[at], 0.0))
        high[at] = np.where(above, high[at], np.minimum(high[at], 0.0))
        return Piece(side=side, low=low, high=high)
