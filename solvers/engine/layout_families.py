"""The families beyond the first in the cells of a layout: their arrays in the order of the cells.

An aligned family with rows and coefficients of its own takes 2 + value bytes a cell, one without takes nothing; a
ragged one takes 8 bytes a cell and 2 + value bytes an entry (4 for 2 where there are more than 65,536 rows).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import AlignedEntries, EdgeArrays, RaggedEntries
from solvers.engine.storage import Storage

Entries = AlignedEntries | RaggedEntries


def empty_families(
    edges: EdgeArrays, cells: int, index_dtype: Any, dtype: str, storage: Storage
) -> tuple[Entries, ...] | None:
    """The families of `edges` with arrays of zeros, which padding keeps; None where there are none."""
    if edges.more is None:
        return None

    def empty(family: Entries) -> Entries:
        ragged = isinstance(family, RaggedEntries)
        size = family.index.size if ragged else cells
        fields: dict[str, Any] = {"coefficient": np.dtype(dtype).type(family.coefficient)}
        if family.index is not None:
            fields["index"] = storage.zeros(size, index_dtype)
        if family.a is not None:
            fields["a"] = storage.zeros(size, dtype)
        if ragged:
            fields["start"] = storage.zeros(cells + 1, np.int64)
        return family._replace(**fields)

    return tuple(empty(family) for family in edges.more)


def most_entries(more: tuple[Entries, ...] | None, first_cell: Any) -> int:
    """The most entries of a ragged family that the cells from one of first_cell to the next have."""
    starts = [family.start[first_cell] for family in more or () if isinstance(family, RaggedEntries)]
    return max((int(np.diff(start).max(initial=0)) for start in starts), default=0)


def is_exact(edges: EdgeArrays, dtype: Any) -> bool:
    """Whether `dtype` holds the coefficients of all families beyond the first."""
    return all(
        dtype.type(family.coefficient) == family.coefficient if family.a is None else family.a.dtype <= dtype
        for family in edges.more or ()
    )
