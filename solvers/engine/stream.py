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

from solvers.engine.layout import Layout
from solvers.engine.storage import DiskStorage

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Some bands of a layout: their rows in arrays by band, their part of the layout and of the primal vectors.

    arrays: chunk, slice_start, slice_lane, slice_kind, radius, index, a, c, counted from the start of the window.
    """

    bands: slice
    arrays: tuple[Array, ...]
    primal: tuple[Array, ...]


class Stream:
    """The windows of `layout`, `width` bands each; on disk it holds buffers for two of them."""

    def __init__(self, layout: Layout, width: int) -> None:
        self._layout, bands = layout, layout.chunk.size - 1
        self._steps = [(first, min(first + width, bands)) for first in range(0, bands, width)]
        self._buffers: tuple[list[Array], list[Array]] = ([], [])
        self._worker = ThreadPoolExecutor(max_workers=1)  # one after another: a read never overtakes a write

    def windows(self, primal: Sequence[Array] = (), written: Sequence[int] = ()) -> Iterator[Window]:
        """All windows with their part of the vectors `primal`; those whose places are `written` are written back."""
        storage = self._layout.storage
        if not isinstance(storage, DiskStorage):
            yield self._whole(primal)
            return
        waiting, stored = self._worker.submit(self._fetch, storage, 0, primal), []
        for k in range(len(self._steps)):
            window = waiting.result()
            if k + 1 < len(self._steps):
                waiting = self._worker.submit(self._fetch, storage, k + 1, primal)
            yield window
            stored.append(self._worker.submit(self._store, storage, k, window, primal, written))
        for done in stored:
            done.result()

    def _whole(self, primal: Sequence[Array]) -> Window:
        layout = self._layout
        shape = (layout.chunk, layout.slice_start, layout.slice_lane, layout.slice_kind)
        cells = (layout.radius, layout.index, layout.a, layout.c)
        return Window(bands=slice(0, layout.chunk.size - 1), arrays=(*shape, *cells), primal=tuple(primal))

    def _fetch(self, storage: DiskStorage, step: int, primal: Sequence[Array]) -> Window:
        layout, (first, last) = self._layout, self._steps[step]
        slices = slice(int(layout.chunk[first]), int(layout.chunk[last]) + 1)
        chunk, start, lane = layout.chunk[first : last + 1], layout.slice_start[slices], layout.slice_lane[slices]
        arrays = (layout.radius, layout.index, layout.a, layout.c, *primal)
        parts = []
        for k, (array, buffer) in enumerate(zip(arrays, self._buffers_of(step, arrays), strict=True)):
            bounds = start if k else lane
            parts.append(buffer[: bounds[-1] - bounds[0]])
            storage.read(array, int(bounds[0]), parts[-1])
        shape = (chunk - chunk[0], start - start[0], lane - lane[0], layout.slice_kind[slices.start : slices.stop - 1])
        return Window(bands=slice(first, last), arrays=(*shape, *parts[:4]), primal=tuple(parts[4:]))

    def _store(
        self, storage: DiskStorage, step: int, window: Window, primal: Sequence[Array], written: Sequence[int]
    ) -> None:
        first_cell = int(self._layout.slice_start[self._layout.chunk[self._steps[step][0]]])
        for place in written:
            storage.write(primal[place], first_cell, window.primal[place])

    def _buffers_of(self, step: int, arrays: Sequence[Array]) -> list[Array]:
        """Buffers of one of the two sets, large enough for every window: radius by lane, the others by cell."""
        buffers = self._buffers[step % 2]
        for array in arrays[len(buffers) :]:
            bounds = self._layout.slice_start if buffers else self._layout.slice_lane
            at = bounds[self._layout.chunk]
            buffers.append(np.empty(max(int(at[last] - at[first]) for first, last in self._steps), array.dtype))
        return buffers[: len(arrays)]
