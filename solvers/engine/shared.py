"""A kernel whose passes are those of all ranks."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from solvers.base import Vector
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Kernel, Mix, Pass, Tensor
from solvers.settings import Settings


class SharedKernel:
    """A kernel on the sources of this rank, with passes summed over the ranks; see solvers.engine.kernel.Kernel."""

    def __init__(self, kernel: Kernel, context: SolveContext, settings: Settings) -> None:
        self._kernel = kernel
        self._context = context
        self._reduce_dtype = context.reduce_dtype(settings)
        self.name = kernel.name
        self.device = kernel.device
        self.destinations = kernel.destinations
        self.terms = kernel.terms

    def zeros(self) -> Tensor:
        return self._kernel.zeros()

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        return self._kernel.load(cells)

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return self._kernel.unload(primal)

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        return self._context.sum_pass(self._kernel.project(price, step, values=values), self._reduce_dtype)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        own = self._kernel.advance(price, step, x, anchor, mix, values=values)
        return self._context.sum_pass(own, self._reduce_dtype)

    def evaluate_feasible(self, price: Tensor, x: Tensor, factor: Tensor | None = None) -> Pass:
        return self._context.sum_pass_exactly(self._kernel.evaluate_feasible(price, x, factor))

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        return self._kernel.answer(x, factor, dtype, scratch)
