"""Points x[E] in the edge order of the instance: to and from cells, and projections without a layout, in float64.

I sources, R coupling rows, E edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import stream_chunks
from solvers.base import Vector
from solvers.engine.arrays import edge_arrays, read_only
from solvers.engine.layout import Layout
from solvers.engine.storage import RAM, Storage
from solvers.engine.sweeps import sources_in_turn


def to_edges(layout: Layout, lp: MatchingLP, cells: npt.NDArray[Any], dtype: str) -> Vector:
    """x[E] in the edge order of the instance from cells."""
    import numba

    from solvers.engine import points_jit as jit

    x: Vector = layout.storage.empty(lp.edges, dtype)
    lanes = layout.slice_lane[layout.band_slice]
    band = layout.band_source
    streams = [(layout.storage.original(cells), layout.first_cell), (layout.source, lanes)]
    streams += [(lp.offsets, band), (x, lp.offsets[band])]
    for first, last in stream_chunks(band.size - 1, numba.get_num_threads(), streams):
        jit.unsort(*_slices(layout, first, last), layout.source, edge_arrays(lp).offsets, cells, x)
    return x


def to_cells(layout: Layout, lp: MatchingLP, x: Vector) -> npt.NDArray[Any]:
    """Cells, 0 where there is no edge, from x[E]."""
    cells = np.zeros(layout.cells, dtype=layout.a.dtype)
    put_into_cells(layout, lp, x, cells)
    return cells


def put_into_cells(layout: Layout, lp: MatchingLP, x: Vector, cells: npt.NDArray[Any]) -> None:
    """x[E] into the cells of its edges; the others stay as they are."""
    from solvers.engine import points_jit as jit

    # Read-only, as a start is: one variant of the loop is compiled.
    jit.sort(layout.slice_start, layout.slice_lane, layout.source, edge_arrays(lp).offsets, read_only(x), cells)


def ridge_point(
    lp: MatchingLP, price: npt.NDArray[np.float64], step: float, dtype: str, storage: Storage = RAM
) -> Vector:
    """x[E] = Proj_C(-step (c + A'price)), evaluated in float64 without a layout."""
    from solvers.engine import points_jit as jit

    x: Vector = storage.empty(lp.edges, dtype)
    edges = edge_arrays(lp)
    for first, last in sources_in_turn(lp, x):
        jit.ridge_point(first, last, edges, price, step, x)
    return x


def nearest_point(lp: MatchingLP, x: Vector, price: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Proj_C(x - A'price), in float64."""
    from solvers.engine import points_jit as jit

    point = np.empty(lp.edges)
    cost = -x
    cost.flags.writeable = False
    edges = edge_arrays(lp)._replace(c=cost)
    for first, last in sources_in_turn(lp):
        jit.ridge_point(first, last, edges, price, 1.0, point)
    return point


def _slices(layout: Layout, first: int, last: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """slice_start and slice_lane of the bands first..last - 1."""
    chosen = slice(layout.band_slice[first], layout.band_slice[last] + 1)
    return layout.slice_start[chosen], layout.slice_lane[chosen]
