"""What is known of the coupling rows before any pass. R rows of all families."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP
from solvers.engine.arrays import edge_arrays
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.prices import Prices, blocked
from solvers.engine.row_bounds import row_bounds
from solvers.engine.sweeps import sources_in_turn

#: An ascent may go so far beyond the upper bound, so that rounding does not cut the edge that defines it.
_MARGIN = 1 + 1e-7


class Rows:
    """Facts of the coupling rows over all ranks."""

    norm: Prices
    """float64[R]: ||A_r||, 1 for a row without edges."""
    rms: Prices
    """float64[R]: the root of the mean of a_e^2 of a row."""
    dual_upper_bound: Prices
    """float64[R]: some optimal dual lies below.

    In the short form max(0, max_e -c_e / a_e), because no edge of row r is used at a higher price; infinite on rows of
    '=' sources, which have to serve at any price. Beyond it the price of leaving the row, infinite where that is hard.
    """
    price_floor: Prices
    """float64[R]: the least dual of an ascent: 0 in the short form, -inf on rows with a hard floor."""
    price_limit: Prices
    """float64[R]: the largest dual of an ascent: dual_upper_bound, in the short form a little more."""

    def __init__(self, lp: MatchingLP, group: Communicator = LOCAL) -> None:
        from solvers.engine import rows_jit as jit

        edges = edge_arrays(lp)
        square, count, highest = (np.zeros(lp.row_count) for _ in range(3))
        for first, last in sources_in_turn(lp):
            jit.row_facts(first, last, edges, square, count, highest)
        square, count = group.sum(np.concatenate((square, count))).reshape(2, -1)
        self.norm = np.sqrt(np.where(square > 0, square, 1.0))
        self.rms = self.norm / np.sqrt(np.maximum(1.0, count))
        if lp.is_short_form:
            self.price_floor = np.zeros(lp.row_count)
            self.dual_upper_bound = group.max(highest)
            self.price_limit = self.dual_upper_bound * _MARGIN
        else:
            bounds = row_bounds(lp)
            self.price_floor = np.asarray(bounds.least_dual)
            self.dual_upper_bound = np.asarray(bounds.largest_dual)
            self.price_limit = self.dual_upper_bound

    def residual(self, gradient: Prices, price: Prices, low: Prices | float, high: Prices) -> float:
        """Norm of the gradient of a dual in row-normalised units, where no bound stops the price."""
        return float(np.sqrt((np.where(blocked(gradient, price, low, high), 0.0, gradient / self.norm) ** 2).sum()))
