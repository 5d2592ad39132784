"""The CPU kernel: fused Numba loops, one chunk of slices a task, bit-identical whatever the number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import OptionError, Vector
from solvers.engine.kernel import Mix, Pass, Tensor, edge_room
from solvers.engine.layout import Layout

#: A slice's scratch lies on the stack five times over; a source with more edges needs the reference kernel.
_LARGEST_SLICE = 1 << 16


class CpuKernel:
    """See solvers.engine.kernel.Kernel. Works in the type of the layout, accumulates in float64."""

    name = "cpu"
    device = "cpu"

    def __init__(self, layout: Layout, threads: int) -> None:
        import numba

        if layout.largest_slice > _LARGEST_SLICE:
            raise OptionError(
                f"kernel='cpu' takes sources with up to {_LARGEST_SLICE} edges, one has {layout.largest_slice}: "
                f"use kernel='reference'"
            )
        self._type = layout.a.dtype.type
        chunks = layout.chunk.size - 1
        self._threads = min(threads, numba.config.NUMBA_NUM_THREADS, chunks)
        self.destinations = layout.destinations
        self._cells = layout.cells
        self._loads, self._values = (np.zeros((chunks, layout.destinations)) for _ in range(2))
        self._sums = np.zeros((chunks, 4))
        self._edge_order = (np.argsort(layout.source[layout.slice_lane[:-1]]), layout.source, layout.offsets)
        self._arrays = (
            layout.largest_slice, layout.chunk, layout.slice_start, layout.slice_lane, layout.slice_kind,
            layout.radius, layout.index, layout.a, layout.c,
        )  # fmt: skip

    def zeros(self) -> Tensor:
        import torch

        return torch.zeros(self._cells, dtype=torch.float32 if self._type is np.float32 else torch.float64)

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        import torch

        return torch.from_numpy(np.array(cells, dtype=self._type))

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return np.asarray(primal.numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        from solvers.engine import cpu_jit

        return self._run(cpu_jit.project, price, step, (), values=values)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        from solvers.engine import cpu_jit

        weights = (self._type(w) for w in (mix.projected, mix.centre, mix.anchor))
        return self._run(cpu_jit.advance, price, step, (x.numpy(), anchor.numpy(), *weights, mix.settle), values=values)

    def judge(self, price: Tensor, x: Tensor) -> Pass:
        from solvers.engine import proof_jit

        self._set_threads()
        proof_jit.judge(*self._arrays, price.numpy(), x.numpy(), self._loads, self._values, self._sums)
        return self._pass(values=True)

    def answer(self, x: Tensor, factor: Tensor, dtype: str, room: Tensor) -> Vector:
        from solvers.engine import proof_jit

        self._set_threads()
        order, source, offsets = self._edge_order
        edges: Vector = edge_room(room, int(offsets[-1]), dtype).numpy()
        cells, vectors = self._arrays[2:-2], (x.numpy(), factor.numpy(), edges)
        proof_jit.answer(self._arrays[0], self._loads.shape[0], order, *cells, source, offsets, *vectors)
        return edges

    def _run(self, loop: Any, price: Tensor, step: float, primal: tuple[Any, ...], *, values: bool) -> Pass:
        self._set_threads()
        resolution = self._type(np.finfo(self._type).eps)
        scalars = (price.numpy().astype(self._type), self._type(step), resolution, values)
        loop(*self._arrays, *scalars, self._loads, self._values, self._sums, *primal)
        return self._pass(values=values)

    def _set_threads(self) -> None:
        import numba

        numba.set_num_threads(self._threads)

    def _pass(self, *, values: bool) -> Pass:
        import torch

        return Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)) if values else None,
            sums=torch.from_numpy(self._sums.sum(axis=0)),
        )
