"""Where the edges of an instance lie for the kernels: sources sorted by kind and number of edges, cut into slices.

I sources, J destinations, E edges; C bands, S slices, L lanes (over all slices), K cells. A band is consecutive
sources, sorted for themselves, so that a piece of the instance becomes one piece of the cells, which passes can stream
from the disk. A slice has lanes (one source each) and a width (its largest degree); cell k of slice s is edge
k // lanes of lane k % lanes, so that the lanes of one edge number lie side by side and every step of a projection runs
over lanes as vectors ("sliced ELLPACK", Kreutzer et al. 2014). Cells that no edge fills are padding: a = 0 and
c = PAD_COST, never active in a projection and never the minimum of a source that has an edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind
from solvers.engine.arrays import Cells
from solvers.engine.layout_families import Entries
from solvers.engine.storage import Storage


@dataclass(frozen=True, kw_only=True)
class SliceRun:
    """Neighbouring slices of one shape: `slices` slices of `width` x `lanes` cells, all of one polytope kind."""

    first_cell: int
    first_lane: int
    slices: int
    width: int
    lanes: int
    kind: Kind

    @property
    def cells(self) -> int:
        return self.slices * self.width * self.lanes


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """An instance in cells; all arrays are on the host. `value` below is float32 or float64."""

    sources: int
    destinations: int
    """R: the rows of all families, J where there is one."""
    edges: int
    index: npt.NDArray[Any]
    """unsigned[K]: the destination of each cell, its row in the first family, in the type index_dtype(R)."""
    a: npt.NDArray[Any]
    """value[K]"""
    c: npt.NDArray[Any]
    """value[K]"""
    slice_start: npt.NDArray[np.int64]
    """[S + 1]: the first cell of each slice."""
    slice_lane: npt.NDArray[np.int64]
    """[S + 1]: the first lane of each slice."""
    slice_kind: npt.NDArray[np.uint8]
    """[S]"""
    source: npt.NDArray[Any]
    """int32[L], int64 from 2^31 sources on: the source of each lane, -1 where a lane is empty."""
    radius: npt.NDArray[Any]
    """value[L]: z of a sum, u of a box, 0 where a lane is empty."""
    upper: npt.NDArray[Any] | None
    """value[L]: u of a box-cut, None where the instance has none."""
    band_source: npt.NDArray[np.int64]
    """[C + 1]: the first source of each band. Bands depend on the shape of the instance alone, so that sums by band do
    not depend on the number of threads."""
    band_slice: npt.NDArray[np.int64]
    """[C + 1]: the first slice of each band."""
    offsets: npt.NDArray[np.int64]
    """[I + 1]: those of the instance, for the way back to the order of its edges."""
    exact: bool
    """Whether the cells and radii hold the numbers of the instance, none of them rounded to `value`."""
    row_norm: npt.NDArray[np.float64]
    """[R]: ||A_j||_2."""
    cost_norm: float
    """||c||_2"""
    has_equality: bool
    infeasible: bool
    """Whether a source without edges has to serve z > 0, so that there is no feasible x."""
    storage: Storage
    more: tuple[Entries, ...] | None = None
    """The families of rows beyond the first, see layout_families.py; None where there are none."""

    @property
    def cells(self) -> int:
        return int(self.slice_start[-1])

    @property
    def bands(self) -> int:
        return self.band_slice.size - 1

    @property
    def padding(self) -> float:
        """Cells per edge."""
        return self.cells / max(1, self.edges)

    @property
    def largest_slice(self) -> int:
        """Cells of the largest slice."""
        return int(np.diff(self.slice_start).max(initial=0))

    @property
    def first_cell(self) -> npt.NDArray[np.int64]:
        """[C + 1]: the first cell of each band."""
        return self.slice_start[self.band_slice]

    @cached_property
    def all_cells(self) -> Cells:
        """The layout as compiled loops take it."""
        return Cells(
            band_slice=self.band_slice,
            slice_start=self.slice_start,
            slice_lane=self.slice_lane,
            slice_kind=self.slice_kind,
            radius=self.radius,
            index=self.index,
            a=self.a,
            c=self.c,
            largest_slice=self.largest_slice,
            upper=self.upper,
            more=self.more,
        )

    def slice_runs(self) -> Iterator[SliceRun]:
        """The runs of slices of one shape and kind, in the order of the cells."""
        lanes = np.diff(self.slice_lane)
        width = np.diff(self.slice_start) // np.maximum(lanes, 1)
        shape = np.column_stack((width, lanes, self.slice_kind))
        starts = np.flatnonzero(np.r_[len(shape) > 0, (np.diff(shape, axis=0) != 0).any(axis=1)])
        for first, last in itertools.pairwise([*starts.tolist(), len(shape)]):
            yield SliceRun(
                first_cell=int(self.slice_start[first]),
                first_lane=int(self.slice_lane[first]),
                slices=last - first,
                width=int(width[first]),
                lanes=int(lanes[first]),
                kind=Kind(int(self.slice_kind[first])),
            )


def index_dtype(destinations: int) -> Any:
    """uint16, or uint32 where that is too narrow; uint8 was no faster and would double the compiled variants."""
    return np.dtype(np.uint16 if destinations <= 1 << 16 else np.uint32)
