"""How a layout is made of an instance: its sizes are counted first, then its cells filled, band by band."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import stream_chunks
from solvers.engine.arrays import EdgeArrays, edge_arrays, has_box_cuts
from solvers.engine.bands import cut_bands
from solvers.engine.fill_families import fill_families
from solvers.engine.layout import Layout, index_dtype
from solvers.engine.layout_families import empty_families, is_exact
from solvers.engine.storage import RAM, Storage


def build_layout(lp: MatchingLP, dtype: str = "float32", *, storage: Storage = RAM, one_band: bool = False) -> Layout:
    """The cells of `lp`. Beside the result it takes a few numbers for each source of the bands that threads work on.

    one_band: for kernels that take slices of one shape at once, and so want them side by side.
    """
    edges = edge_arrays(lp)
    band_source = np.array([0, lp.sources]) if one_band else cut_bands(lp)
    before = _sizes_before(edges, band_source)
    slices, lanes, cells = before[-1].tolist()
    layout = Layout(
        sources=lp.sources,
        destinations=lp.row_count,
        edges=lp.edges,
        index=storage.empty(cells, index_dtype(lp.row_count)),
        a=storage.empty(cells, dtype),
        c=storage.empty(cells, dtype),
        slice_start=np.zeros(slices + 1, dtype=np.int64),
        slice_lane=np.zeros(slices + 1, dtype=np.int64),
        slice_kind=np.empty(slices, dtype=np.uint8),
        source=storage.empty(lanes, np.int32 if lp.sources < 2**31 else np.int64),
        radius=storage.empty(lanes, dtype),
        upper=storage.empty(lanes, dtype) if has_box_cuts(edges) else None,
        band_source=band_source,
        band_slice=before[:, 0].copy(),
        offsets=edges.offsets,
        exact=_is_exact(edges, np.dtype(dtype)),
        row_norm=np.zeros(lp.row_count),
        cost_norm=0.0,
        has_equality=False,
        infeasible=False,
        storage=storage,
        more=empty_families(edges, cells, index_dtype(lp.row_count), dtype, storage),
    )
    return _filled(layout, edges, before)


def refill_layout(layout: Layout, edges: EdgeArrays) -> Layout:
    """`layout`, which lies in memory, with other numbers in its cells: those of the same edges in another LP.

    The cells are overwritten, so the layout that was given is of no LP any more. Families beyond the first are new.
    """
    _scatter(layout, edges, layout.slice_start.size - 1)
    for values, lanes in ((edges.radius, layout.radius), (edges.upper, layout.upper)):
        if lanes is not None:
            _fill_limits(values, layout.source, lanes)
    dtype = layout.a.dtype
    layout = dataclasses.replace(
        layout,
        exact=_is_exact(edges, dtype),
        more=empty_families(edges, layout.cells, layout.index.dtype, dtype.name, layout.storage),
    )
    fill_families(edges, layout)
    facts = _Facts(layout, edges)
    facts.add(0, layout.bands)
    return facts.put_into(layout)


def compile_refill(layout: Layout, edges: EdgeArrays) -> None:
    """Compile, or load from the cache, what `refill_layout` needs beyond the loops that made `layout`."""
    _scatter(layout, edges, 0)


def _scatter(layout: Layout, edges: EdgeArrays, slices: int) -> None:
    """a and c of the edges into the cells of the first slices; padding stays as it is."""
    from solvers.engine.points_jit import sort

    slice_start, slice_lane = layout.slice_start[: slices + 1], layout.slice_lane[: slices + 1]
    for values, cells in ((edges.a, layout.a), (edges.c, layout.c)):
        sort(slice_start, slice_lane, layout.source, edges.offsets, values, cells)


def _fill_limits(values: npt.NDArray[np.float64], source: npt.NDArray[Any], lanes: npt.NDArray[Any]) -> None:
    """The limit of the source of each lane, 0 in an empty one; values: one of each source, or of all."""
    with np.errstate(over="ignore"):
        lanes[:] = np.where(source >= 0, values if values.size == 1 else values[source], 0.0)


def _is_exact(edges: EdgeArrays, dtype: np.dtype[Any]) -> bool:
    if max(edges.a.dtype, edges.c.dtype) > dtype or not is_exact(edges, dtype):
        return False
    with np.errstate(over="ignore"):
        return all(bool((limits.astype(dtype) == limits).all()) for limits in (edges.radius, edges.upper))


def _sizes_before(edges: EdgeArrays, band_source: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64[C + 1, 3]: slices, lanes and cells before each band, and of all of them."""
    import numba

    from solvers.engine import layout_jit as jit

    sizes = np.zeros((band_source.size, 3), dtype=np.int64)
    for first, last in stream_chunks(band_source.size - 1, numba.get_num_threads(), [(edges.offsets, band_source)]):
        jit.measure(first, last, edges, band_source, sizes[1:])
    return np.cumsum(sizes, axis=0)


def _filled(layout: Layout, edges: EdgeArrays, before: npt.NDArray[np.int64]) -> Layout:
    """The layout with its cells filled, band by band, and with its norms."""
    import numba

    from solvers.engine import layout_jit as jit

    cells = layout.all_cells._replace(largest_slice=0)  # slice_start is not filled yet
    facts = _Facts(layout, edges)
    for first, last in stream_chunks(layout.bands, numba.get_num_threads(), _streams(layout, edges, before)):
        jit.fill(first, last, edges, layout.band_source, before, cells, layout.source)
        if layout.upper is not None:
            jit.fill_upper(before[first, 1], before[last, 1], layout.source, edges.upper, layout.upper)
        facts.add(first, last)
    fill_families(edges, layout)
    return facts.put_into(layout)


class _Facts:
    """What a layout says of all its numbers, added up band by band."""

    def __init__(self, layout: Layout, edges: EdgeArrays) -> None:
        self._edges = edges
        self._band_source = layout.band_source
        self._squares = np.zeros((layout.bands, layout.destinations))
        self._costs = np.zeros(layout.bands)
        self._has_equality = False
        self._infeasible = False

    def add(self, first: int, last: int) -> None:
        """Those of the bands first..last - 1."""
        from solvers.engine import layout_jit as jit

        jit.norms(first, last, self._edges, self._band_source, self._squares, self._costs)
        present, unserved = jit.equalities(self._edges, self._band_source[first], self._band_source[last])
        self._has_equality = self._has_equality or present
        self._infeasible = self._infeasible or unserved

    def put_into(self, layout: Layout) -> Layout:
        return dataclasses.replace(
            layout,
            row_norm=np.sqrt(self._squares.sum(axis=0)),
            cost_norm=float(np.sqrt(self._costs.sum())),
            has_equality=self._has_equality,
            infeasible=self._infeasible,
        )


def _streams(layout: Layout, edges: EdgeArrays, before: npt.NDArray[np.int64]) -> list[tuple[Any, Any]]:
    """The arrays that a stream over the bands passes through, each with the place where a band begins in it."""
    first_edge = edges.offsets[layout.band_source]
    first_lane = before[:, 1]
    first_cell = before[:, 2]
    return [
        (edges.offsets, layout.band_source),
        *((array, first_edge) for array in (edges.destination, edges.a, edges.c)),
        *((array, first_lane) for array in (layout.source, layout.radius, layout.upper) if array is not None),
        *((array, first_cell) for array in (layout.index, layout.a, layout.c)),
    ]
