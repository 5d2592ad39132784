"""What the proximal phase knows of the budget rows. J destinations."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.engine.arrays import edge_arrays
from solvers.engine.collectives import LOCAL, Group

Prices = npt.NDArray[np.float64]
#: Room above the largest price, so that rounding does not cut the edge that defines it.
_ROOM = 1 + 1e-7


class Rows:
    """norm[J] = ||A_j||, rms[J] = its mean a, most[J]: no edge of row j is used at a higher price, some optimal price
    lies below (infinite on rows of '=' sources, which have to serve at any price).
    """

    def __init__(self, lp: MatchingLP, group: Group = LOCAL) -> None:
        from solvers.proximal import rows_jit as jit

        edges = edge_arrays(lp)
        square, count, most = jit.row_facts(*edges[:5], lp.destinations)
        square, count = group.sum(np.concatenate((square, count))).reshape(2, -1)
        most = group.max(most)
        self.norm: Prices = np.sqrt(np.where(square > 0, square, 1.0))
        self.rms: Prices = self.norm / np.sqrt(np.maximum(1.0, count))
        self.most: Prices = most * _ROOM

    def residual(self, gradient: Prices, price: Prices, low: Prices | float, high: Prices) -> float:
        """Norm of the gradient of phi in row-normalised units, where a bound does not stop the price."""
        return float(np.sqrt((np.where(blocked(gradient, price, low, high), 0.0, gradient / self.norm) ** 2).sum()))


def blocked(gradient: Prices, price: Prices, low: Prices | float, high: Prices) -> npt.NDArray[Any]:
    """Rows whose price is at a bound and would rise phi only beyond it."""
    return ((price <= low) & (gradient <= 0)) | ((price >= high) & (gradient >= 0))


def dot(u: Prices, v: Prices) -> float:
    """u'v, summed in the same order on any number of threads."""
    return float((u * v).sum())
