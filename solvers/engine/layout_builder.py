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

    band_source = layout.band_source
    cells = layout.all_cells._replace(largest_slice=0)  # slice_start is not filled yet
    squares = np.zeros((layout.bands, layout.destinations))
    costs = np.zeros(layout.bands)
    has_equality = False
    infeasible = False
    for first, last in stream_chunks(layout.bands, numba.get_num_threads(), _streams(layout, edges, before)):
        jit.fill(first, last, edges, band_source, before, cells, layout.source)
        if layout.upper is not None:
            jit.fill_upper(before[first, 1], before[last, 1], layout.source, edges.upper, layout.upper)
        jit.norms(first, last, edges, band_source, squares, costs)
        present, unserved = jit.equalities(edges, band_source[first], band_source[last])
        has_equality = has_equality or present
        infeasible = infeasible or unserved
    fill_families(edges, layout)
    return dataclasses.replace(
        layout,
        row_norm=np.sqrt(squares.sum(axis=0)),
        cost_norm=float(np.sqrt(costs.sum())),
        has_equality=has_equality,
        infeasible=infeasible,
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
