"""The Newton system of a subproblem, on the rows whose prices can move. R rows, M of them movable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import Cells
from solvers.engine.collectives import Communicator
from solvers.engine.prices import Prices
from solvers.proximal.arrays import CgState, SubproblemPass
from solvers.proximal.constants import Constants
from solvers.proximal.near_families import entry_count
from solvers.proximal.nested import Basis


class NewtonSystem:
    """s H + diag(ridge[R]) on the movable rows, at a point of a subproblem; H = sum_i A_i P_i A_i' over all ranks."""

    def __init__(
        self,
        cells: Cells,
        last: SubproblemPass,
        step: float,
        movable: npt.NDArray[np.bool_],
        group: Communicator,
        basis: Basis | None = None,
    ) -> None:
        """last: the pass at the point. basis: the prices that the system is in, None for those of the rows."""
        from solvers.proximal import system_jit as jit

        self._size = movable.size
        self._rows = np.flatnonzero(movable)
        place = np.full(movable.size, -1, dtype=np.int32)
        place[self._rows] = np.arange(self._rows.size, dtype=np.int32)
        start = None if cells.more is None else np.empty(cells.a.size + 1, dtype=np.int64)
        free = jit.free_edges(cells, last, place, entry_count(cells), start)
        self._free = free if basis is None else jit.rebased(free, *basis.in_places(place))
        self._step = step
        self._group = group
        self.products = 0
        """Products with H that `solve` took."""

    def solve(self, gradient: Prices, ridge: Prices, constants: Constants, expired: Callable[[], bool]) -> Prices:
        """d[R], 0 on the other rows, by conjugate gradients with the diagonal as preconditioner, to ||residual|| <=
        cg_tolerance ||gradient||, or as far as it came when the time had expired.
        """
        from solvers.proximal import system_jit as jit

        rows = self._rows
        ridge = ridge[rows]
        h = np.empty(rows.size)
        if self._free.start is None:
            jit.diagonal(self._free, h)
        else:
            jit.diagonal_of_entries(self._free, h, np.zeros(rows.size))
        scale = 1.0 / (self._step * self._group.sum(h) + ridge)

        state = CgState(solution=np.zeros(rows.size), residual=gradient[rows], direction=np.empty(rows.size))
        product, square = jit.cg_start(state, scale)
        goal = constants.cg_tolerance**2 * square
        for _ in range(constants.cg_steps):
            if not (product > 0.0 and square > goal) or expired():  # so that NaN ends it
                break
            jit.hessian(self._free, state.direction, h)
            curved = self._group.sum(h)
            product, square = jit.cg_step(curved, self._step, ridge, scale, product, state)

            self.products += 1
        return self._of_all_rows(state.solution)

    def is_dense_better(self, constants: Constants) -> bool:
        """Whether `solve_densely` takes less work than conjugate gradients that go on for long."""
        return self._rows.size <= constants.dense_rows and self._pairs_an_entry() <= constants.dense_pairs

    def is_sparse(self, constants: Constants) -> bool:
        """Whether `solve_sparsely` can be used: on one rank, where few entries of a source meet."""
        return self._group.size == 1 and self._pairs_an_entry() <= constants.sparse_pairs

    def _pairs_an_entry(self) -> float:
        """Pairs of entries of one source, for each entry."""
        from solvers.proximal import dense_jit as jit

        pairs, entries = self._group.sum(np.array([jit.pairs(self._free), self._free.row.size]))
        return float(pairs / max(1, entries))

    def solve_densely(self, gradient: Prices, ridge: Prices) -> Prices:
        """d[R], 0 on the other rows, by elimination."""
        from solvers.proximal import dense_jit as jit

        rows = self._rows
        matrix = np.empty((rows.size, rows.size))
        jit.dense_hessian(self._free, matrix)
        matrix = self._step * self._group.sum(matrix)
        matrix[np.diag_indices(rows.size)] += ridge[rows]
        d = gradient[rows]
        jit.solve(matrix, d)
        return self._of_all_rows(d)

    def solve_sparsely(self, gradient: Prices, ridge: Prices, constants: Constants) -> Prices:
        """d[R], 0 on the other rows: rows coupled with few others by elimination, the rest to cg_tolerance."""
        from solvers.proximal.sparse_core_jit import Core
        from solvers.proximal.sparse_jit import eliminate

        rows = self._rows
        d = gradient[rows]
        core = Core(constants.sparse_degree, constants.sparse_rows, constants.cg_tolerance, constants.cg_steps)
        eliminate(self._free, self._step, ridge[rows], d, core)
        return self._of_all_rows(d)

    @property
    def entries(self) -> int:
        """Entries of the free edges of this rank in movable rows."""
        return int(self._free.row.size)

    def _of_all_rows(self, solution: Prices) -> Prices:
        d = np.zeros(self._size)
        d[self._rows] = solution
        return d
