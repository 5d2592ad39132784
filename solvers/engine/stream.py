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
        self._buffers: tuple[dict[tuple[bool, int], Array], ...] = ({}, {})
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

        by_lane = [layout.radius] if layout.upper is None else [layout.radius, layout.upper]
        lanes = self._read(storage, step, by_lane, layout.slice_lane)
        by_cell = [layout.index, layout.a, layout.c, *primal]
        index, a, c, *vectors = self._read(storage, step, by_cell, layout.slice_start)
        cells = Cells(
            band_slice=layout.band_slice[first : last + 1] - first_slice,
            slice_start=start - start[0],
            slice_lane=lane - lane[0],
            slice_kind=layout.slice_kind[first_slice:last_slice],
            radius=lanes[0],
            index=index,
            a=a,
            c=c,
            largest_slice=layout.largest_slice,
            upper=None if layout.upper is None else lanes[1],
        )
        return Window(bands=slice(first, last), cells=cells, primal=tuple(vectors))

    def _read(self, storage: DiskStorage, step: int, arrays: Sequence[Array], starts: Array) -> list[Array]:
        """The part of each array that belongs to a step; starts: where each slice begins in them."""
        begins = starts[self._layout.band_slice]
        first, last = self._steps[step]
        parts = []
        for place, array in enumerate(arrays):
            part = self._buffer(step, (starts is self._layout.slice_lane, place), array, begins)
            part = part[: begins[last] - begins[first]]
            storage.read(array, int(begins[first]), part)
            parts.append(part)
        return parts

    def _store(
        self, storage: DiskStorage, step: int, window: Window, primal: Sequence[Array], written: Sequence[int]
    ) -> None:
        first_cell = int(self._layout.first_cell[self._steps[step][0]])
        for place in written:
            storage.write(primal[place], first_cell, window.primal[place])

    def _buffer(self, step: int, place: tuple[bool, int], array: Array, begins: Array) -> Array:
        """The buffer of a place in one of the two sets, large enough for the part of every step."""
        buffers = self._buffers[step % 2]
        if place not in buffers:
            largest = max(int(begins[last] - begins[first]) for first, last in self._steps)
            buffers[place] = np.empty(largest, array.dtype)
        return buffers[place]
