"""How the families beyond the first come into the order of the cells, band by band."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from instances.mapped import stream_chunks
from solvers.engine.arrays import EdgeArrays, RaggedEntries
from solvers.engine.layout import Layout


def fill_families(edges: EdgeArrays, layout: Layout) -> None:
    """Fill the families of `layout`, the slices of which are known, from those of `edges`, band by band."""
    from solvers.engine.points_jit import sort

    for of_edges, of_cells in zip(edges.more or (), layout.more or (), strict=True):
        if isinstance(of_edges, RaggedEntries):
            _fill_ragged(edges, layout, of_edges, of_cells)
            continue
        for name in ("index", "a"):
            values, cells = getattr(of_edges, name), getattr(of_cells, name)
            if values is not None:
                streams = [(values, edges.offsets[layout.band_source]), (cells, layout.first_cell)]
                for place in _in_turn(edges, layout, streams):
                    sort(*place, values, cells)


def _fill_ragged(edges: EdgeArrays, layout: Layout, of_edges: RaggedEntries, of_cells: Any) -> None:
    """First the number of entries of each cell, from which their starts follow, then the entries."""
    from solvers.engine.layout_families_jit import add_up, count_entries, fill_entries

    first_edge = edges.offsets[layout.band_source]
    starts = [(of_edges.start, first_edge), (of_cells.start, layout.first_cell)]
    for place in _in_turn(edges, layout, starts):
        count_entries(*place, of_edges.start, of_cells.start)
        add_up(of_cells.start, place[0][0], place[0][-1])

    entries = [(array, of_edges.start[first_edge]) for array in (of_edges.index, of_edges.a) if array is not None]
    first_entry = of_cells.start[layout.first_cell]
    entries += [(array, first_entry) for array in (of_cells.index, of_cells.a) if array is not None]
    for place in _in_turn(edges, layout, [*starts, *entries]):
        fill_entries(*place, of_edges, of_cells)


def _in_turn(edges: EdgeArrays, layout: Layout, streams: list[tuple[Any, Any]]) -> Iterator[tuple[Any, Any, Any, Any]]:
    """slice_start and slice_lane of some bands, then the source of all lanes and the offsets; see stream_chunks."""
    import numba

    lanes = (layout.source, layout.slice_lane[layout.band_slice])
    for first, last in stream_chunks(layout.bands, numba.get_num_threads(), [lanes, *streams]):
        chosen = slice(layout.band_slice[first], layout.band_slice[last] + 1)
        yield layout.slice_start[chosen], layout.slice_lane[chosen], layout.source, edges.offsets
