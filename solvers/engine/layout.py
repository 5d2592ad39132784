"""Where the edges of an instance lie for the kernels: sources sorted by kind and number of edges, cut into slices.

I sources, J destinations, E edges; C bands of consecutive sources, each sorted for itself, so that a piece of the
instance becomes one piece of the cells, which passes can stream from the disk. S slices; a slice has L lanes (one
source each) and width W (its largest degree); cell k of slice s is edge k // L of lane k % L, so that the lanes of one
edge number lie side by side and every step of a projection runs over lanes as vectors ("sliced ELLPACK", Kreutzer et
al. 2014). Cells that no edge fills have a = 0 and c = PAD_COST: never active in a projection, never the minimum of a
source that has an edge.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP
from instances.mapped import stream_chunks
from solvers.engine.arrays import EdgeArrays, edge_arrays
from solvers.engine.constants import LANES, PAD_COST, PADDING, SLICE_CELLS
from solvers.engine.storage import RAM, Storage

_LEAST_EDGES = 65_536
_BANDS = 64
#: ... or more, so that none has more edges than this.
_BAND_EDGES = 1 << 23


@dataclass(frozen=True, kw_only=True)
class Group:
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
    """An instance in cells. Host arrays; `values` is float32 or float64, `index` an unsigned type for J.

    index, a, c [cells]; slice_start int64[S + 1] first cell; slice_lane int64[S + 1] first lane; slice_kind uint8[S];
    source int32[lanes] (int64 from 2^31 sources on), -1 where a lane is empty; radius values[lanes], 0 there;
    band int64[C + 1] first source of each band, chunk int64[C + 1] its first slice: chosen by the shape alone, so sums
    by band do not depend on the number of threads. offsets int64[I + 1]: the instance's own, for the way back to the
    order of its edges. exact: the cells and radii hold the numbers of the instance, none was rounded to `values`.
    row_norm float64[J] = ||A_j||_2, cost_norm = ||c||_2.
    hopeless: a source without edges has to serve z > 0, so there is no feasible x.
    """

    sources: int
    destinations: int
    edges: int
    index: npt.NDArray[Any]
    a: npt.NDArray[Any]
    c: npt.NDArray[Any]
    slice_start: npt.NDArray[np.int64]
    slice_lane: npt.NDArray[np.int64]
    slice_kind: npt.NDArray[np.uint8]
    source: npt.NDArray[Any]
    radius: npt.NDArray[Any]
    band: npt.NDArray[np.int64]
    chunk: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    exact: bool
    row_norm: npt.NDArray[np.float64]
    cost_norm: float
    has_equality: bool
    hopeless: bool
    storage: Storage

    @property
    def cells(self) -> int:
        return int(self.slice_start[-1])

    @property
    def padding(self) -> float:
        """Cells an edge."""
        return self.cells / max(1, self.edges)

    @property
    def largest_slice(self) -> int:
        """Cells of the largest slice."""
        return int(np.diff(self.slice_start).max(initial=0))

    @property
    def first_cell(self) -> npt.NDArray[np.int64]:
        """First cell of each band, and the end."""
        return self.slice_start[self.chunk]

    def groups(self) -> Iterator[Group]:
        """The runs of slices of one shape and kind, in the order of the cells."""
        cells, lanes = np.diff(self.slice_start), np.diff(self.slice_lane)
        width = cells // np.maximum(lanes, 1)
        new = (np.diff(width) != 0) | (np.diff(lanes) != 0) | (np.diff(self.slice_kind.astype(np.int64)) != 0)
        edges = np.concatenate(([0], 1 + np.flatnonzero(new), [width.size])) if width.size else np.zeros(1, np.int64)
        for first, last in itertools.pairwise(edges.tolist()):
            yield Group(
                first_cell=int(self.slice_start[first]),
                first_lane=int(self.slice_lane[first]),
                slices=last - first,
                width=int(width[first]),
                lanes=int(lanes[first]),
                kind=Kind(int(self.slice_kind[first])),
            )


def index_dtype(destinations: int) -> Any:
    """uint16, uint32 where that is too narrow for 0..destinations - 1; uint8 gained nothing, but was to be compiled."""
    return np.dtype(np.uint16 if destinations <= 1 << 16 else np.uint32)


def build_layout(lp: MatchingLP, dtype: str = "float32", *, storage: Storage = RAM, one_band: bool = False) -> Layout:
    """The cells of `lp`. Beside the result it takes a few numbers for each source of the bands that threads work on.

    one_band: for kernels that take slices of one shape at once, and so want them side by side.
    """
    edges = edge_arrays(lp)
    band = np.array([0, lp.sources]) if one_band else cut_bands(lp)
    at = _sizes(edges, band)
    slices, lanes, cells = at[-1].tolist()
    made = Layout(
        sources=lp.sources,
        destinations=lp.destinations,
        edges=lp.edges,
        index=storage.empty(cells, index_dtype(lp.destinations)),
        a=storage.empty(cells, dtype),
        c=storage.empty(cells, dtype),
        slice_start=np.zeros(slices + 1, dtype=np.int64),
        slice_lane=np.zeros(slices + 1, dtype=np.int64),
        slice_kind=np.empty(slices, dtype=np.uint8),
        source=storage.empty(lanes, np.int32 if lp.sources < 2**31 else np.int64),
        radius=storage.empty(lanes, dtype),
        band=band,
        chunk=at[:, 0].copy(),
        offsets=edges.offsets,
        exact=_exact(lp, np.dtype(dtype)),
        row_norm=np.zeros(lp.destinations),
        cost_norm=0.0,
        has_equality=False,
        hopeless=False,
        storage=storage,
    )
    return _filled(made, lp, at)


def _exact(lp: MatchingLP, dtype: np.dtype[Any]) -> bool:
    radius = edge_arrays(lp).radius
    narrower = max(lp.a.dtype, lp.c.dtype) > dtype
    with np.errstate(over="ignore"):
        return not narrower and bool((radius.astype(dtype) == radius).all())


def count_bands(edges: int, destinations: int) -> int:
    """A power of two; a band has _LEAST_EDGES or more."""
    most = min(max(_BANDS, edges // _BAND_EDGES), edges // _LEAST_EDGES, edges // (32 * max(1, destinations)))
    return 1 << max(0, most.bit_length() - 1)


def cut_bands(lp: MatchingLP) -> npt.NDArray[np.int64]:
    """First source of each band: equal shares of the edges, few enough that the J loads of each cost little."""
    bands = count_bands(lp.edges, lp.destinations)
    shares = np.array([lp.edges * k // bands for k in range(1, bands)], dtype=np.int64)
    return np.concatenate(([0], np.searchsorted(lp.offsets[:-1], shares), [lp.sources])).astype(np.int64)


def _sizes(edges: EdgeArrays, band: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[C + 1, 3]: slices, lanes and cells before each band, and of all of them."""
    import numba

    from solvers.engine import layout_jit as jit

    at = np.zeros((band.size, 3), dtype=np.int64)
    for first, last in stream_chunks(band.size - 1, numba.get_num_threads(), [(edges.offsets, band)]):
        jit.measure(first, last, edges.offsets, edges.kind, band, np.array(LANES), SLICE_CELLS, PADDING, at[1:])
    return np.cumsum(at, axis=0)


def _filled(made: Layout, lp: MatchingLP, at: npt.NDArray[np.int64]) -> Layout:
    """The layout with its cells filled, band by band, and with its norms."""
    import numba

    from solvers.engine import layout_jit as jit

    edges, bands = edge_arrays(lp), made.band.size - 1
    first_edge = edges.offsets[made.band]
    squares, costs, seen = np.zeros((bands, lp.destinations)), np.zeros(bands), []
    streams = [(edges.offsets, made.band), *((array, first_edge) for array in (edges.destination, edges.a, edges.c))]
    streams += [(array, at[:, 1]) for array in (made.source, made.radius)]
    streams += [(array, at[:, 2]) for array in (made.index, made.a, made.c)]
    for first, last in stream_chunks(bands, numba.get_num_threads(), streams):
        jit.fill(
            first, last, *edges, made.band,
            np.array(LANES), SLICE_CELLS, PADDING, PAD_COST, at,
            made.slice_start, made.slice_lane, made.slice_kind, made.source, made.radius, made.index, made.a, made.c,
        )  # fmt: skip
        jit.norms(first, last, *edges[:4], made.band, squares, costs)
        seen.append(jit.equalities(edges.offsets, edges.kind, edges.radius, made.band[first], made.band[last]))
    return dataclasses.replace(
        made,
        row_norm=np.sqrt(squares.sum(axis=0)),
        cost_norm=float(np.sqrt(costs.sum())),
        has_equality=any(some for some, _ in seen),
        hopeless=any(without for _, without in seen),
    )
