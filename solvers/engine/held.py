"""A kernel with its layout, which can be released and made again."""

from __future__ import annotations

from instances import MatchingLP
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Kernel
from solvers.engine.kernels import make_kernel
from solvers.engine.shared import SharedKernel
from solvers.engine.shared_layout import inverse_row_norm, make_layout, reduce_norms
from solvers.engine.sizes import LAYOUT_BYTES_KEPT
from solvers.engine.storage import RAM, Storage
from solvers.engine.workspace import forget_layout, layout_of_solve
from solvers.settings import Settings


class HeldKernel:
    """name: the kernel asked for. has_equality, infeasible, inverse_row_norm: of the layout over all ranks."""

    def __init__(self, lp: MatchingLP, settings: Settings, name: str, context: SolveContext, storage: Storage) -> None:
        self._lp = lp
        self._settings = settings
        self._name = name
        self._context = context
        self.storage = storage

        layout = reduce_norms(layout_of_solve(lp, settings, storage), context.group)
        self._kernel: Kernel | None = SharedKernel(make_kernel(layout, settings, name), context, settings)
        self._bytes = layout.index.nbytes + layout.a.nbytes + layout.c.nbytes
        self.name = self._kernel.name
        self.device = self._kernel.device
        self.has_equality = layout.has_equality
        self.infeasible = layout.infeasible
        self.inverse_row_norm = inverse_row_norm(layout)

    @property
    def kernel(self) -> Kernel:
        if self._kernel is None:
            own = make_kernel(make_layout(self._lp, self._settings, self.storage), self._settings, self._name)
            self._kernel = SharedKernel(own, self._context, self._settings)
        return self._kernel

    def release_layout(self) -> None:
        """Free a large in-memory layout before the answer is allocated."""
        if self._bytes > LAYOUT_BYTES_KEPT and self.storage is RAM:
            self._kernel = None
            forget_layout()
