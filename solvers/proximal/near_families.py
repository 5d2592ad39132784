"""The families of rows beyond the first in the cells of a subproblem."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import AlignedEntries, Cells, RaggedEntries
from solvers.engine.collectives import Communicator, concatenated
from solvers.engine.layout_families import Entries
from solvers.engine.prices import Prices
from solvers.proximal.arrays import NearLanes


def reach_of(cells: Cells, unit: Prices) -> npt.NDArray[Any]:
    """float[K]: how far the reduced cost of each cell can move while every price moves by at most its unit[R]."""
    from solvers.proximal import near_families_jit as jit

    reach: npt.NDArray[Any] = np.empty_like(cells.a)
    jit.reach(cells, unit, reach)
    return reach


def gather_families(
    near: NearLanes, source: npt.NDArray[np.int32], cells: Cells, sub: Cells
) -> tuple[Entries, ...] | None:
    """The families of `sub`, whose other arrays are there, from those of `cells`; source[L]: its near lanes."""
    from solvers.proximal import near_families_jit as jit

    if cells.more is None:
        return None
    origin = np.empty(sub.a.size, np.int64)
    jit.origins(near, source, sub, origin)
    return tuple(_gathered(family, sub.slice_start, origin) for family in cells.more)


def _gathered(family: Entries, slice_start: npt.NDArray[np.int64], origin: npt.NDArray[np.int64]) -> Entries:
    """The family with the entries of the cells `origin` of the layout alone."""
    from solvers.proximal import near_families_jit as jit

    if isinstance(family, AlignedEntries):
        fields: dict[str, Any] = {}
        for name in ("index", "a"):
            values = getattr(family, name)
            if values is not None:
                fields[name] = np.empty(origin.size, values.dtype)
                jit.gather(slice_start, origin, values, fields[name])
        return family._replace(**fields)

    start = np.empty(origin.size + 1, np.int64)
    jit.starts(origin, family.start, start)
    entries = int(start[-1])
    a = None if family.a is None else np.empty(entries, family.a.dtype)
    sub = RaggedEntries(family.first_row, start, np.empty(entries, family.index.dtype), a, family.coefficient)
    jit.gather_entries(slice_start, origin, family, sub)
    return sub


def families_of_all_ranks(more: tuple[Entries, ...] | None, group: Communicator) -> tuple[Entries, ...] | None:
    """The families of the cells of all ranks, rank after rank."""
    return None if more is None else tuple(_of_all_ranks(family, group) for family in more)


def _of_all_ranks(family: Entries, group: Communicator) -> Entries:
    fields: dict[str, Any] = {}
    if family.index is not None:
        fields["index"] = concatenated(group, family.index.astype(np.int64)).astype(family.index.dtype)
    if family.a is not None:
        fields["a"] = concatenated(group, family.a)
    if isinstance(family, RaggedEntries):
        fields["start"] = np.append(0, np.cumsum(concatenated(group, np.diff(family.start))))
    return family._replace(**fields)


def entry_count(cells: Cells) -> int:
    """The entries of all cells in all families."""
    count = int(cells.a.size)
    for family in cells.more or ():
        count += int(family.index.size if isinstance(family, RaggedEntries) else cells.a.size)
    return count
