"""Bytes that a solve on the engine takes, before anything is allocated: one model, for choosing where the arrays of a
solve lie (placement.py) and for `dualbench plan`.

I sources, R coupling rows, E edges of one rank. The figures follow the arrays that exist at once, and were checked
against measured peaks (tests/harness/scaling/test_plan.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instances import MatchingLP
from solvers.engine.arrays import AlignedEntries, RaggedEntries, edge_arrays
from solvers.engine.bands import count_bands
from solvers.engine.constants import LANES
from solvers.engine.layout import index_dtype
from solvers.engine.storage import BLOCK_CELLS

#: A layout of more bytes than this is released before the answer is allocated, where no primal vector needs it.
LAYOUT_BYTES_KEPT = 1 << 26
#: Cells for each edge and lanes for each source, as measured on the generated families.
_CELLS = 1.06
_LANES = 1.02
#: Cells for each edge that are asked for before the layout is there: padding may be worse than on those families.
_CELLS_ASKED = 1.1
#: Bytes for each row of the copies of loads and values that the CUDA kernel adds into: where cells are
#: streamed, and where they lie on the device.
_STREAMED_SUMS = 600
_DEVICE_SUMS = 400
#: Bytes for each edge of an instance with one family: row, a and c.
_EDGE = 12
#: Bytes of the number that says where the entries of an edge or cell start in a ragged family.
_START = 8


@dataclass(frozen=True, kw_only=True)
class Further:
    """What an edge or cell holds in a family of rows beyond the first (arrays.py)."""

    index: bool
    """Whether its row is stored; a family of one row has none."""
    a: bool
    """Whether its coefficient is stored, not the same for all."""
    entries: float | None = None
    """Of an edge, in a ragged family; None where each has one."""

    def bytes(self, *, index: int, value: int) -> float:
        """Of an edge or cell, for so many bytes of a row and of a coefficient."""
        each = index * self.index + value * self.a
        return float(each) if self.entries is None else _START + self.entries * each


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The part of an instance that one rank holds."""

    sources: int
    rows: int
    """Of all families."""
    edges: int
    further: tuple[Further, ...] = ()
    """The families beyond the first."""

    @classmethod
    def of(cls, lp: MatchingLP) -> Shape:
        """That of an instance, or of the part of it that a rank holds."""
        further = tuple(_further(family, lp.edges) for family in edge_arrays(lp).more or ())
        return cls(sources=lp.sources, rows=lp.row_count, edges=lp.edges, further=further)

    def further_bytes(self, *, index: int, value: int) -> float:
        """Of an edge or cell in the families beyond the first."""
        return sum(family.bytes(index=index, value=value) for family in self.further)


def _further(family: AlignedEntries | RaggedEntries, edges: int) -> Further:
    entries = family.index.size / max(1, edges) if isinstance(family, RaggedEntries) else None
    return Further(index=family.index is not None, a=family.a is not None, entries=entries)


@dataclass(frozen=True, kw_only=True)
class SolveBytes:
    """Bytes of a solve of an instance of this shape."""

    shape: Shape
    vectors: int
    """Primal vectors that the solver keeps beside the cells."""
    dtype: str = "float32"
    """Of the cells and the vectors."""
    answer_dtype: str = "float32"

    @property
    def value(self) -> int:
        return int(np.dtype(self.dtype).itemsize)

    @property
    def cell(self) -> float:
        """One cell: index, a, c, its entries in further families, and a number of each vector."""
        index = int(index_dtype(self.shape.rows).itemsize)
        further = self.shape.further_bytes(index=index, value=self.value)
        return index + (2 + self.vectors) * self.value + further

    @property
    def cells(self) -> float:
        """All cells and vectors, padding included."""
        return _CELLS * self.shape.edges * self.cell

    @property
    def answer(self) -> float:
        return float(np.dtype(self.answer_dtype).itemsize * self.shape.edges)

    @property
    def instance(self) -> float:
        return self._edge * self.shape.edges + 8 * self.shape.sources

    @property
    def _edge(self) -> float:
        """An edge of the instance, with 4 bytes a number."""
        return _EDGE + self.shape.further_bytes(index=4, value=4)

    @property
    def asked(self) -> float:
        """Layout and vectors as they are asked for where arrays are placed."""
        return float(_CELLS_ASKED * self.cell * self.shape.edges + (16 + self.value) * self.shape.sources + 1e6)

    @property
    def blocks(self) -> float:
        """On a device that streams from its host: two blocks of cells, radii and slices, and sums."""
        cells = 2 * min(BLOCK_CELLS, _CELLS * self.shape.edges) * self.cell
        sums = _STREAMED_SUMS * self.shape.rows
        return float(cells + (1 + self.value) * _LANES * self.shape.sources + sums)

    @property
    def device(self) -> float:
        """On a device that holds all cells: these, lanes and slices, and sums."""
        return self.cells + 12 * _LANES * self.shape.sources + _DEVICE_SUMS * self.shape.rows

    def host(self, *, cells_on_host: bool) -> float:
        """On the host beside the instance: layout and, where they lie there, vectors, with the answer, and sums."""
        kept = _CELLS * self.shape.edges * self.vectors * self.value
        layout = self.cells - kept + (8 + self.value) * _LANES * self.shape.sources
        working = layout + self.answer + (kept if cells_on_host else 0.0)
        if not self.vectors and layout > LAYOUT_BYTES_KEPT:
            working = max(layout, self.answer)
        bands = count_bands(self.shape.edges, self.shape.rows)
        return working + 2 * bands * 8 * self.shape.rows

    def streaming(self, *, threads: int) -> float:
        """On a host that streams from its disk: two windows of cells and vectors, the piece of instance and answer
        that a proof is at, the sums of each band, and what is known of each slice.
        """
        shape = self.shape
        bands = count_bands(shape.edges, shape.rows)
        window = min(threads, bands) * shape.edges / bands
        cells = 2 * window * _CELLS * self.cell
        piece = window * (self._edge + 8 * shape.sources / shape.edges + self.answer / shape.edges)
        kept = 4 * bands * 8 * shape.rows + 17 * shape.sources / LANES[0]
        return float(kept + cells + piece)

    @property
    def disk(self) -> float:
        """On the disk: the instance in the store, and cells, vectors, lanes and answer in files without a name."""
        instance = self.instance + 8 * self.shape.rows
        return instance + self.cells + 2 * self.value * _LANES * self.shape.sources + self.answer

    @property
    def pass_read(self) -> float:
        """Read by one pass, for each edge: all of its cell."""
        return _CELLS * self.cell

    @property
    def pass_moved(self) -> float:
        """Read and written by one pass, for each edge: of the vectors the first is written."""
        return self.pass_read + (_CELLS * self.value if self.vectors else 0.0)
