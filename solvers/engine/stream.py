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

from solvers.engine.arrays import Cells, RaggedEntries
from solvers.engine.layout import Layout
from solvers.engine.layout_families import Entries
from solvers.engine.storage import DiskStorage

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Some bands of a layout: their rows in arrays by band, their cells, and their part of the primal vectors."""

    bands: slice
    cells: Cells
    primal: tuple[Array, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """An array, of which each window takes its part."""

    array: Array
    begins: Array
    """int64[C + 1]: where each band begins in it."""
    beyond: int = 0
    """So many entries of the next band come along: the end of the last part of an array of starts."""


class Stream:
    """The windows of `layout`, `width` bands each; on disk it holds buffers for two of them."""

    def __init__(self, layout: Layout, width: int) -> None:
        self._layout = layout
        self._steps = [(first, min(first + width, layout.bands)) for first in range(0, layout.bands, width)]
        self._pieces = _pieces(layout) if layout.storage.on_disk else []
        self._buffers: tuple[dict[int, Array], ...] = ({}, {})
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

        by_cell = [Piece(array=vector, begins=layout.first_cell) for vector in primal]
        parts = iter(self._read(storage, step, [*self._pieces, *by_cell]))
        cells = Cells(
            band_slice=layout.band_slice[first : last + 1] - first_slice,
            slice_start=start - start[0],
            slice_lane=lane - lane[0],
            slice_kind=layout.slice_kind[first_slice:last_slice],
            radius=next(parts),
            upper=None if layout.upper is None else next(parts),
            index=next(parts),
            a=next(parts),
            c=next(parts),
            largest_slice=layout.largest_slice,
            more=None if layout.more is None else tuple(_of_window(family, parts) for family in layout.more),
        )
        return Window(bands=slice(first, last), cells=cells, primal=tuple(parts))

    def _read(self, storage: DiskStorage, step: int, pieces: Sequence[Piece]) -> list[Array]:
        """The part of each piece that belongs to a step."""
        first, last = self._steps[step]
        parts = []
        for place, piece in enumerate(pieces):
            begin = int(piece.begins[first])
            part = self._buffer(step, place, piece)[: int(piece.begins[last]) + piece.beyond - begin]
            if part.size:
                storage.read(piece.array, begin, part)
            parts.append(part)
        return parts

    def _store(
        self, storage: DiskStorage, step: int, window: Window, primal: Sequence[Array], written: Sequence[int]
    ) -> None:
        first_cell = int(self._layout.first_cell[self._steps[step][0]])
        for place in written:
            storage.write(primal[place], first_cell, window.primal[place])

    def _buffer(self, step: int, place: int, piece: Piece) -> Array:
        """The buffer of a place in one of the two sets, large enough for the part of every step."""
        buffers = self._buffers[step % 2]
        if place not in buffers:
            largest = max(int(piece.begins[last] - piece.begins[first]) for first, last in self._steps)
            buffers[place] = np.empty(largest + piece.beyond, piece.array.dtype)
        return buffers[place]


def _pieces(layout: Layout) -> list[Piece]:
    """Those of the lanes, then those of the cells, then those of each further family, in the order of its fields."""
    first_lane = layout.slice_lane[layout.band_slice]
    by_lane = [layout.radius] if layout.upper is None else [layout.radius, layout.upper]
    pieces = [Piece(array=array, begins=first_lane) for array in by_lane]
    pieces += [Piece(array=array, begins=layout.first_cell) for array in (layout.index, layout.a, layout.c)]
    for family in layout.more or ():
        first_entry = layout.first_cell
        if isinstance(family, RaggedEntries):
            pieces.append(Piece(array=family.start, begins=layout.first_cell, beyond=1))
            first_entry = family.start[layout.first_cell]
        pieces += [Piece(array=array, begins=first_entry) for array in (family.index, family.a) if array is not None]
    return pieces


def _of_window(family: Entries, parts: Iterator[Array]) -> Entries:
    """The family with the next parts, in the order of `_pieces`, counted from the start of the window."""
    if isinstance(family, RaggedEntries):
        start = next(parts)
        start -= start[0]
        family = family._replace(start=start)
    fields: dict[str, Any] = {name: next(parts) for name in ("index", "a") if getattr(family, name) is not None}
    return family._replace(**fields)
