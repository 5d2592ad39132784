"""The loops of points.py, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

from solvers.engine.arrays import EdgeArrays
from solvers.engine.arrays_jit import PIECES, piece_of
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.box_cut_edges_jit import project_onto_both
from solvers.engine.polytopes.edge_limits_jit import limits_both, limits_of
from solvers.engine.polytopes.edges_jit import project_ridge
from solvers.engine.threads_jit import parallel_for


@compiled(cache=False)
def _unsort_slice(s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, cells: Any, x: Any) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                x[offsets[i] + w] = cells[slice_start[s] + w * lanes + lane]


@compiled(nogil=True)
def unsort(slice_start: Any, slice_lane: Any, source: Any, offsets: Any, cells: Any, x: Any) -> None:
    """x[E] in the order of the instance from the cells of these slices."""
    parallel_for(0, slice_start.size - 1, _unsort_slice, (slice_start, slice_lane, source, offsets, cells, x))


@compiled(cache=False)
def _sort_slice(s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, x: Any, cells: Any) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                cells[slice_start[s] + w * lanes + lane] = x[offsets[i] + w]


@compiled(nogil=True)
def sort(slice_start: Any, slice_lane: Any, source: Any, offsets: Any, x: Any, cells: Any) -> None:
    """The cells of these slices from x[E] in the order of the instance; cells without an edge stay as they are."""
    parallel_for(0, slice_start.size - 1, _sort_slice, (slice_start, slice_lane, source, offsets, x, cells))


@compiled(cache=False)
def _ridge_piece(piece: int, first: int, last: int, edges: EdgeArrays, price: Any, step: float, x: Any) -> None:
    for i in range(piece_of(first, last, piece), piece_of(first, last, piece + 1)):
        if not limits_both(limits_of(edges, i)):
            project_ridge(edges, i, price, step, x)


@compiled(cache=False)
def _ridge_piece_of_both(piece: int, first: int, last: int, edges: EdgeArrays, price: Any, step: float, x: Any) -> None:
    for i in range(piece_of(first, last, piece), piece_of(first, last, piece + 1)):
        limits = limits_of(edges, i)
        if limits_both(limits):
            project_onto_both(edges, i, price, step, limits, x)


@compiled(nogil=True)
def ridge_point(first: int, last: int, edges: EdgeArrays, price: Any, step: float, x: Any) -> None:
    """x_i = Proj_{C_i}(-step (c + A'price)_i) for the sources first..last - 1."""
    parallel_for(0, PIECES, _ridge_piece, (first, last, edges, price, step, x))
    parallel_for(0, PIECES, _ridge_piece_of_both, (first, last, edges, price, step, x))
