"""The CPU kernel: fused Numba loops, one band of slices a task, bit-identical whatever the number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import Vector
from solvers.engine.arrays import Cells, Iterate, PassNumbers, Sums, WayBack
from solvers.engine.constants import STACK_CELLS
from solvers.engine.kernel import Mix, Pass, Tensor
from solvers.engine.layout import Layout
from solvers.engine.layout_families import most_entries
from solvers.engine.stream import Stream, Window
from solvers.engine.tensors import reuse_buffer

Array = npt.NDArray[Any]

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
        self.destinations = layout.destinations
        most_cells = int(np.diff(layout.first_cell).max(initial=0))
        self.terms = max(most_cells, most_entries(layout.more, layout.first_cell)) + layout.bands
        self._type = layout.a.dtype.type
        self._threads = min(threads, numba.config.NUMBA_NUM_THREADS, layout.bands)
        self._layout = layout
        self._stream = Stream(layout, self._threads)
        self._sums = Sums(
            loads=np.zeros((layout.bands, layout.destinations)),
            values=np.zeros((layout.bands, layout.destinations)),
            scalars=np.zeros((layout.bands, 4)),
        )
        self._way_back = way_back(layout)

    def zeros(self) -> Tensor:
        import torch

        cells = self._layout.cells
        storage = self._layout.storage
        zeros = storage.zeros(cells, self._type) if storage.on_disk else _zeros(cells, self._type, self._threads)
        return torch.from_numpy(zeros)

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        import torch

        return torch.from_numpy(np.array(cells, dtype=self._type))

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return np.asarray(primal.numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        numbers = self._numbers(price, step, values=values)
        return self._run(
            lambda window, sums: _pass(window.cells, numbers, sums, None), self._stream.windows(), values=values
        )

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        numbers = self._numbers(price, step, values=values)
        weights = (self._type(mix.projected), self._type(mix.centre), self._type(mix.anchor))
        return self._run(
            lambda window, sums: _pass(
                window.cells, numbers, sums, Iterate(window.primal[0], window.primal[1], *weights, mix.restart)
            ),
            self._stream.windows((x.numpy(), anchor.numpy()), written=(0, 1) if mix.restart else (0,)),
            values=values,
        )

    def evaluate_feasible(self, price: Tensor, x: Tensor, factor: Tensor | None = None) -> Pass:
        by_row = (price.numpy(), None if factor is None else factor.numpy())
        return self._run(
            lambda window, sums: _evaluate_feasible(window.cells, *by_row, window.primal[0], sums),
            self._stream.windows((x.numpy(),)),
            values=True,
        )

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        import numba

        numba.set_num_threads(self._threads)
        return answer_on_host(self._layout, self._way_back, x, factor, reuse_buffer(scratch, self._layout.edges, dtype))

    def _numbers(self, price: Tensor, step: float, *, values: bool) -> PassNumbers:
        return PassNumbers(
            price=price.numpy().astype(self._type),
            step=self._type(step),
            resolution=self._type(np.finfo(self._type).eps),
            want_values=values,
        )

    def _run(self, loop: Callable[[Window, Sums], None], windows: Iterable[Window], *, values: bool) -> Pass:
        """The sums of `loop` over all windows."""
        import numba
        import torch

        numba.set_num_threads(self._threads)
        for window in windows:
            loop(window, Sums(*(array[window.bands] for array in self._sums)))
        return Pass(
            loads=torch.from_numpy(self._sums.loads.sum(axis=0)),
            values=torch.from_numpy(self._sums.values.sum(axis=0)) if values else None,
            sums=torch.from_numpy(self._sums.scalars.sum(axis=0)),
        )


def _pass(cells: Cells, numbers: PassNumbers, sums: Sums, iterate: Iterate | None) -> None:
    from solvers.engine import cpu_jit

    cpu_jit.one_pass(cells, numbers, sums, iterate)
    if cells.largest_slice > STACK_CELLS:
        cpu_jit.add_large_slices(cells, numbers, sums, iterate)


def _evaluate_feasible(cells: Cells, price: Array, factor: Array | None, x: Array, sums: Sums) -> None:
    from solvers.engine import proof_jit

    proof_jit.evaluate_feasible(cells, price, factor, x, sums)
    if cells.largest_slice > STACK_CELLS:
        proof_jit.add_large_slices(cells, price, factor, x, sums)


def _zeros(size: int, dtype: Any, threads: int) -> npt.NDArray[Any]:
    """Zeros in memory that the system has given already: pages of np.zeros come one by one, while a pass works."""
    array = np.empty(size, dtype)
    parts = min(threads, 1 + array.nbytes // _LEAST_PART)
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(lambda part: part.fill(0), np.array_split(array, parts)))
    return array


def way_back(layout: Layout) -> WayBack:
    """How the cells of a layout become edges."""
    return WayBack(
        slice_order=np.argsort(layout.source[layout.slice_lane[:-1]]),
        source=layout.source,
        offsets=layout.offsets,
    )


def answer_on_host(layout: Layout, way: WayBack, x: Tensor, factor: Tensor, edges: Tensor) -> Vector:
    """Kernel.answer, into `edges`, for vectors on the host."""
    from solvers.engine import proof_jit

    proof_jit.answer(layout.all_cells, way, x.numpy(), factor.numpy(), edges.numpy())
    return np.asarray(edges.numpy())
