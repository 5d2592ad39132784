"""The cells of a layout as a pass takes them: whole from memory, or window after window from the disk.

A window is a few bands (see layout.py). While the kernel works on one, a thread reads the next into a second set of
buffers and writes back what the kernel changed in the one before. Bands have sums of their own, so that a pass gives
the same bits whatever the windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import Cells
from solvers.engine.layout import Layout
from solvers.engine.storage import DiskStorage

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Some bands of a layout: their rows in arrays by band, their cells, and their part of the primal vectors."""

    bands: slice
    cells: Cells
    primal: tuple[Array, ...]


class Stream:
    """The windows of `layout`, `width` bands each; on disk it holds buffers for two of them."""

    def __init__(self, layout: Layout, width: int) -> None:
        self._layout = layout
        self._steps = [(first, min(first + width, layout.bands)) for first in range(0, layout.bands, width)]
        self._buffers: tuple[list[Array], list[Array]] = ([], [])
        self._worker = ThreadPoolExecutor(max_workers=1)  # one after another: a read never overtakes a write

    def windows(self, primal: Sequence[Array] = (), written: Sequence[int] = ()) -> Iterator[Window]:
        """All windows with their part of the vectors `primal`; those whose places are `written` are written back."""
        storage = self._layout.storage
        if not isinstance(storage, DiskStorage):
            yield self._resident(primal)
            return

        waiting = self._worker.submit(self._fetch, storage, 0, primal)
        stored = []
        for k in range(len(self._steps)):
            window = waiting.result()
            if k + 1 < len(self._steps):
                waiting = self._worker.submit(self._fetch, storage, k + 1, primal)
            yield window
            stored.append(self._worker.submit(self._store, storage, k, window, primal, written))
        for done in stored:
            done.result()

    def _resident(self, primal: Sequence[Array]) -> Window:
        return Window(bands=slice(0, self._layout.bands), cells=self._layout.all_cells, primal=tuple(primal))

    def _fetch(self, storage: DiskStorage, step: int, primal: Sequence[Array]) -> Window:
        layout = self._layout
        first, last = self._steps[step]
        first_slice, last_slice = int(layout.band_slice[first]), int(layout.band_slice[last])
        start = layout.slice_start[first_slice : last_slice + 1]
        lane = layout.slice_lane[first_slice : last_slice + 1]

        radius, index, a, c, *vectors = self._read(storage, step, start, lane, primal)
        cells = Cells(
            band_slice=layout.band_slice[first : last + 1] - first_slice,
            slice_start=start - start[0],
            slice_lane=lane - lane[0],
            slice_kind=layout.slice_kind[first_slice:last_slice],
            radius=radius,
            index=index,
            a=a,
            c=c,
            largest_slice=layout.largest_slice,
        )
        return Window(bands=slice(first, last), cells=cells, primal=tuple(vectors))

    def _read(
        self, storage: DiskStorage, step: int, start: Array, lane: Array, primal: Sequence[Array]
    ) -> Iterator[Array]:
        """The part of radius, index, a, c and the primal vectors between the first and last of `lane` and `start`."""
        layout = self._layout
        arrays = (layout.radius, layout.index, layout.a, layout.c, *primal)
        for array, buffer in zip(arrays, self._buffers_of(step, arrays), strict=True):
            bounds = lane if array is layout.radius else start
            part = buffer[: bounds[-1] - bounds[0]]
            storage.read(array, int(bounds[0]), part)
            yield part

    def _store(
        self, storage: DiskStorage, step: int, window: Window, primal: Sequence[Array], written: Sequence[int]
    ) -> None:
        first_cell = int(self._layout.first_cell[self._steps[step][0]])
        for place in written:
            storage.write(primal[place], first_cell, window.primal[place])

    def _buffers_of(self, step: int, arrays: Sequence[Array]) -> list[Array]:
        """Buffers of one of the two sets, large enough for every window: radius by lane, the others by cell."""
        buffers = self._buffers[step % 2]
        for array in arrays[len(buffers) :]:
            bounds = self._layout.slice_start if buffers else self._layout.slice_lane
            at = bounds[self._layout.band_slice]
            buffers.append(np.empty(max(int(at[last] - at[first]) for first, last in self._steps), array.dtype))
        return buffers[: len(arrays)]
