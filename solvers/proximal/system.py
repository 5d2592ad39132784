"""The Newton system of a subproblem, on the rows whose prices can move. J destinations, M movable rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.collectives import Communicator
from solvers.engine.prices import Prices
from solvers.proximal.constants import Constants


class NewtonSystem:
    """s H + diag(ridge[J]) on the movable rows, at a point of a subproblem; H = sum_i A_i P_i A_i' over all ranks."""

    def __init__(
        self,
        cells: tuple[Any, ...],
        x: Prices,
        bends: npt.NDArray[np.int8],
        step: float,
        movable: Any,
        group: Communicator,
    ) -> None:
        from solvers.proximal import system_jit as jit

        _, start, lane, kind, radius, index, a, _, _ = cells
        self._rows = np.flatnonzero(movable)
        place = np.full(movable.size, -1, dtype=np.int32)
        place[self._rows] = np.arange(self._rows.size, dtype=np.int32)
        self._free = jit.free_edges(start, lane, kind, radius, index, a, x, bends, place)
        self._step, self._group, self._size = step, group, movable.size

    def solve(
        self, gradient: Prices, ridge: Prices, constants: Constants, expired: Callable[[], bool]
    ) -> tuple[Prices, int]:
        """d[J], 0 on the other rows, by conjugate gradients with the diagonal as preconditioner, to ||residual|| <=
        cg_tolerance ||gradient||, or as far as it came when the time had expired; and the iterations.
        """
        from solvers.proximal import system_jit as jit

        residual, ridge, h = gradient[self._rows], ridge[self._rows], np.empty(self._rows.size)
        jit.diagonal(*self._free, h)
        scale = 1.0 / (self._step * self._group.sum(h) + ridge)
        d, p = np.zeros(self._rows.size), np.empty(self._rows.size)
        product, square = jit.begin(residual, scale, p)
        goal, iterations = constants.cg_tolerance**2 * square, 0
        while iterations < constants.cg_steps and product > 0.0 and square > goal and not expired():
            jit.hessian(*self._free, p, h)
            curved = self._group.sum(h)
            product, square = jit.go_on(curved, self._step, ridge, scale, product, d, residual, p)
            iterations += 1
        whole = np.zeros(self._size)
        whole[self._rows] = d
        return whole, iterations
