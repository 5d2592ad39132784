"""Where the edges of an instance lie for the kernels: sources sorted by kind and number of edges, cut into slices.

I sources, J destinations, E edges; S slices, a slice has L lanes (one source each) and width W (its largest degree);
cell k of slice s is edge k // L of lane k % L, so that the lanes of one edge number lie side by side and every step of
a projection runs over lanes as vectors ("sliced ELLPACK", Kreutzer et al. 2014). Cells that no edge fills have a = 0
and c = PAD_COST: never active in a projection, never the minimum of a source that has an edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP

PAD_COST = 1e30
#: Lanes a slice may have, the first that pads little is taken; 1 serves a source unlike its neighbours.
LANES = (64, 16, 1)
#: A slice with more cells than this has fewer lanes, so that one slice stays in the nearest caches.
SLICE_CELLS = 16_384
#: A slice may have this many cells per edge before it gets fewer lanes.
PADDING = 1.25
_CHUNK_CELLS = 65_536
_MOST_CHUNKS = 64


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
    """An instance in cells. Host arrays; `values` is float32 or float64, `index` the narrowest unsigned type for J.

    index, a, c [cells]; slice_start int64[S + 1] first cell; slice_lane int64[S + 1] first lane; slice_kind uint8[S];
    source int32[lanes] (int64 from 2^31 sources on), -1 where a lane is empty; radius values[lanes], 0 there;
    chunk int64[C + 1] first slice of each piece of work: chosen by the shape alone, so sums do not depend on the
    number of threads. offsets int64[I + 1]: the instance's own, for the way back to the order of its edges.
    exact: the cells and radii hold the numbers of the instance, none was rounded to `values`.
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
    chunk: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    exact: bool
    row_norm: npt.NDArray[np.float64]
    cost_norm: float
    has_equality: bool
    hopeless: bool

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
    """The narrowest unsigned integer that holds 0..destinations - 1."""
    return np.min_scalar_type(max(0, destinations - 1))


def frozen(lp: MatchingLP) -> tuple[Any, ...]:
    """offsets, destination, a, c, kind, radius as read-only views, so that compiled loops see one set of types.

    kind and radius have one entry where all sources share it, else one a source.
    """
    polytope = lp.per_source
    shared = [v[:1].copy() if lp.sources and v.strides == (0,) else v for v in (polytope.kind, polytope.radius)]
    views = tuple(np.ascontiguousarray(v).view() for v in (lp.offsets, lp.destination, lp.a, lp.c, *shared))
    for view in views:
        view.flags.writeable = False
    return views


def build_layout(lp: MatchingLP, dtype: str = "float32") -> Layout:
    """The cells of `lp`. Beside the result it takes a few numbers a source, nothing of the size of the edges."""
    from solvers.engine import layout_jit as jit

    offsets, destination, lp_a, lp_c, kind, radius = frozen(lp)
    wide = np.empty(0, dtype=np.int32 if lp.sources < 2**31 else np.int64)
    order = jit.sort_sources(offsets, kind, wide)
    slice_start, slice_lane, slice_kind = jit.cut(offsets, kind, order, np.array(LANES), SLICE_CELLS, PADDING)
    source = np.empty(slice_lane[-1], dtype=wide.dtype)
    jit.fill_lanes(order, kind, slice_lane, slice_kind, source)
    del order  # before the cells are there
    lane_radius = np.empty(source.size, dtype=dtype)
    jit.fill_radii(source, radius, lane_radius)
    cells = int(slice_start[-1])
    index = np.empty(cells, dtype=index_dtype(lp.destinations))
    a, c = np.empty(cells, dtype=dtype), np.empty(cells, dtype=dtype)
    jit.fill_cells(offsets, destination, lp_a, lp_c, slice_start, slice_lane, source, index, a, c, PAD_COST)
    chunk = _cut_chunks(slice_start, lp.destinations)
    squares, cost = jit.norms(destination, lp_a, lp_c, chunk.size - 1, lp.destinations)
    has_equality, hopeless = jit.equalities(offsets, kind, radius, int(Kind.SIMPLEX_EQUALITY))
    return Layout(
        sources=lp.sources,
        destinations=lp.destinations,
        edges=lp.edges,
        index=index,
        a=a,
        c=c,
        slice_start=slice_start,
        slice_lane=slice_lane,
        slice_kind=slice_kind,
        source=source,
        radius=lane_radius,
        chunk=chunk,
        offsets=offsets,
        exact=_exact(lp_a, lp_c, radius, np.dtype(dtype)),
        row_norm=np.sqrt(squares.sum(axis=0)),
        cost_norm=float(np.sqrt(cost.sum())),
        has_equality=has_equality,
        hopeless=hopeless,
    )


def _exact(a: npt.NDArray[Any], c: npt.NDArray[Any], radius: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    narrower = max(a.dtype, c.dtype) > dtype
    return not narrower and bool((radius.astype(dtype) == radius).all())


def _cut_chunks(slice_start: npt.NDArray[np.int64], destinations: int) -> npt.NDArray[np.int64]:
    """First slice of each chunk: equal shares of the cells, few enough that their J loads each cost little."""
    cells = int(slice_start[-1])
    most = min(_MOST_CHUNKS, cells // _CHUNK_CELLS, cells // (32 * destinations))
    chunks = 1 << max(0, most.bit_length() - 1)
    cuts = np.searchsorted(slice_start[:-1], np.linspace(0, cells, chunks + 1)[1:-1])
    return np.concatenate(([0], cuts, [slice_start.size - 1])).astype(np.int64)
