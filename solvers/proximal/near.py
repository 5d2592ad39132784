"""The cells of a subproblem: the near edges of the ranks, sorted into slices as in engine/layout.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import Cells, read_only
from solvers.engine.collectives import Communicator, concatenated
from solvers.proximal.arrays import FullPass, ProximalStep
from solvers.proximal.iterates import CellVector
from solvers.proximal.near_families import families_of_all_ranks, gather_families

#: A band of a subproblem has at least this many cells, so that its sums cost little ...
_BAND_CELLS = 16_384
#: ... and this many for each row.
_CELLS_PER_ROW = 8
#: More bands than this gain nothing on the threads of one machine.
_MOST_BANDS = 16


def cut_near(
    cells: Cells, at: ProximalStep, last: FullPass, radius: float, loads: npt.NDArray[np.float64]
) -> tuple[Cells, CellVector]:
    """The edges of `cells` that can become free while no price moves by more than `radius` of its units, in one band,
    and their centre. last: the full pass at this point; loads[C, R] becomes those of these edges by band of `cells`.
    """
    from solvers.engine import layout_jit
    from solvers.proximal import near_jit as jit

    near = jit.near_edges(cells, at, last, radius, loads)
    # read-only as in an instance: the loops compiled for its layout serve here too
    offsets, kinds = read_only(np.concatenate(([0], np.cumsum(near.count)))), read_only(near.kind)
    order = layout_jit.sort_sources(offsets, kinds, 0, kinds.size)
    start, lane, kind = layout_jit.cut(offsets, kinds, order)
    sub = _one_band(
        start,
        lane,
        kind,
        radius=np.empty(lane[-1], near.radius.dtype),
        upper=None if near.upper is None else np.empty(lane[-1], near.upper.dtype),
        index=np.empty(start[-1], cells.index.dtype),
        a=np.empty(start[-1], cells.a.dtype),
        c=np.empty(start[-1], cells.c.dtype),
    )
    source = np.empty(lane[-1], np.int32)
    centre = np.empty(start[-1], at.centre.dtype)
    layout_jit.fill_lanes(order, kinds, read_only(near.radius), sub, 0, kind.size, source)
    if sub.upper is not None:
        layout_jit.fill_upper(0, source.size, source, near.upper, sub.upper)
    jit.gather(near, source, cells, at.centre, sub, centre)
    return sub._replace(more=gather_families(near, source, cells, sub)), centre


def of_all_ranks(cells: Cells, centre: CellVector, group: Communicator) -> tuple[Cells, CellVector]:
    """The cells of all ranks, rank after rank, in one band, and their centre."""
    start = np.append(0, np.cumsum(concatenated(group, np.diff(cells.slice_start))))
    lane = np.append(0, np.cumsum(concatenated(group, np.diff(cells.slice_lane))))
    kind = concatenated(group, cells.slice_kind.astype(np.int64)).astype(cells.slice_kind.dtype)
    index = concatenated(group, cells.index.astype(np.int64)).astype(cells.index.dtype)
    radius, a, c, centre = (concatenated(group, values) for values in (cells.radius, cells.a, cells.c, centre))
    upper = _upper_of_all_ranks(cells, group)
    more = families_of_all_ranks(cells.more, group)
    return _one_band(start, lane, kind, radius=radius, upper=upper, index=index, a=a, c=c, more=more), centre


def _upper_of_all_ranks(cells: Cells, group: Communicator) -> npt.NDArray[Any] | None:
    """That of all ranks; a rank without box-cuts, where others have some, says 0, which nothing reads."""
    if not group.max(np.array([float(cells.upper is not None)]))[0]:
        return None
    return concatenated(group, np.zeros_like(cells.radius) if cells.upper is None else cells.upper)


def _one_band(
    start: npt.NDArray[np.int64], lane: npt.NDArray[np.int64], kind: npt.NDArray[np.uint8], **numbers: Any
) -> Cells:
    return Cells(
        band_slice=np.array([0, kind.size]),
        slice_start=start,
        slice_lane=lane,
        slice_kind=kind,
        largest_slice=int(np.diff(start).max(initial=1)),
        **numbers,
    )


def in_bands(cells: Cells, rows: int) -> Cells:
    """The cells in bands of equal shares: chosen by the sizes alone, as is then the order of the sums."""
    size = int(cells.slice_start[-1])
    bands = max(1, min(_MOST_BANDS, size // _BAND_CELLS, size // (_CELLS_PER_ROW * rows)))
    inner = np.searchsorted(cells.slice_start[:-1], np.linspace(0, size, bands + 1)[1:-1])
    ends = np.concatenate(([0], inner, [cells.slice_start.size - 1])).astype(np.int64)
    return cells._replace(band_slice=ends)
