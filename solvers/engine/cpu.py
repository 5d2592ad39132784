"""The CPU kernel: fused Numba loops, one chunk of slices a task, bit-identical whatever the number of threads."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import Vector
from solvers.engine.kernel import Mix, Pass, Tensor, edge_room
from solvers.engine.layout import Layout
from solvers.engine.stream import Stream, Window

#: Pieces of the answer, which threads share.
_PIECES = 64
#: Bytes for which a thread is worth starting.
_LEAST_PART = 1 << 22


class CpuKernel:
    """See solvers.engine.kernel.Kernel. Works in the type of the layout, accumulates in float64."""

    name = "cpu"
    device = "cpu"

    def __init__(self, layout: Layout, threads: int) -> None:
        import numba

        if layout.storage.on_disk:
            self.name = "cpu from disk"
        self._type = layout.a.dtype.type
        chunks = layout.chunk.size - 1
        self._threads = min(threads, numba.config.NUMBA_NUM_THREADS, chunks)
        self.destinations = layout.destinations
        self._layout, self._stream = layout, Stream(layout, self._threads)
        self._loads, self._values = (np.zeros((chunks, layout.destinations)) for _ in range(2))
        self._sums = np.zeros((chunks, 4))
        self._first_sources = by_first_source(layout)
        self.terms = int(np.diff(layout.first_cell).max(initial=0)) + chunks

    def zeros(self) -> Tensor:
        import torch

        cells, storage = self._layout.cells, self._layout.storage
        made = storage.zeros(cells, self._type) if storage.on_disk else _zeros(cells, self._type, self._threads)
        return torch.from_numpy(made)

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        import torch

        return torch.from_numpy(np.array(cells, dtype=self._type))

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return np.asarray(primal.numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        from solvers.engine import cpu_jit

        return self._run(cpu_jit.project, self._stream.windows(), self._numbers(price, step, values), values=values)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        from solvers.engine import cpu_jit

        weights = (self._type(w) for w in (mix.projected, mix.centre, mix.anchor))
        windows = self._stream.windows((x.numpy(), anchor.numpy()), written=(0, 1) if mix.settle else (0,))
        numbers = self._numbers(price, step, values)
        return self._run(cpu_jit.advance, windows, numbers, (*weights, mix.settle), values=values)

    def judge(self, price: Tensor, x: Tensor) -> Pass:
        from solvers.engine import proof_jit

        return self._run(proof_jit.judge, self._stream.windows((x.numpy(),)), (price.numpy(),), values=True)

    def answer(self, x: Tensor, factor: Tensor, dtype: str, room: Tensor) -> Vector:
        import numba

        numba.set_num_threads(self._threads)
        return answer_on_host(self._layout, x, factor, dtype, room, order=self._first_sources)

    def _numbers(self, price: Tensor, step: float, values: bool) -> tuple[Any, ...]:  # noqa: FBT001
        resolution = self._type(np.finfo(self._type).eps)
        return price.numpy().astype(self._type), self._type(step), resolution, values

    def _run(
        self, loop: Any, windows: Iterable[Window], numbers: tuple[Any, ...], mix: tuple[Any, ...] = (), *, values: bool
    ) -> Pass:
        """The sums of `loop` over all windows."""
        import numba
        import torch

        numba.set_num_threads(self._threads)
        for window in windows:
            sums = (array[window.bands] for array in (self._loads, self._values, self._sums))
            loop(self._layout.largest_slice, *window.arrays, *numbers, *sums, *window.primal, *mix)
        return Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)) if values else None,
            sums=torch.from_numpy(self._sums.sum(axis=0)),
        )


def _zeros(size: int, dtype: Any, threads: int) -> npt.NDArray[Any]:
    """Zeros in memory that the system has given already: pages of np.zeros come one by one, while a pass works."""
    array = np.empty(size, dtype)
    parts = min(threads, 1 + array.nbytes // _LEAST_PART)
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(lambda part: part.fill(0), np.array_split(array, parts)))
    return array


def by_first_source(layout: Layout) -> npt.NDArray[np.int64]:
    """The slices in the order in which an answer is written."""
    return np.argsort(layout.source[layout.slice_lane[:-1]])


def answer_on_host(
    layout: Layout, x: Tensor, factor: Tensor, dtype: str, room: Tensor, order: npt.NDArray[np.int64] | None = None
) -> Vector:
    """Kernel.answer for vectors on the host; order: by_first_source, made where it is not at hand."""
    from solvers.engine import proof_jit

    edges: Vector = edge_room(room, layout.edges, dtype).numpy()
    proof_jit.answer(
        _PIECES, layout.largest_slice, by_first_source(layout) if order is None else order, layout.slice_start,
        layout.slice_lane, layout.slice_kind, layout.radius, layout.index, layout.source, layout.offsets, x.numpy(),
        factor.numpy(), edges,
    )  # fmt: skip
    return edges
