"""The coupling rows of a chunk as layers: entries of which no two belong to the same edge.

An aligned family is one layer; a ragged family has as many layers as the edge with the most entries. So whatever is
done edge by edge is done by whole vectors, a layer at a time. R rows of all families, n entries of a layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.rounding import Float64
from harness.sources import Chunk
from instances import MatchingLP, RaggedRows, Rows
from instances.mapped import release_pages
from instances.sides import SIDE_NAMES, Sides

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Entries of distinct edges."""

    edges: Indices | slice
    """[n] the edges, counted from the first of the chunk; a slice where every edge has an entry."""
    row: Indices
    """[n] the rows, counted over all families."""
    coefficient: Float64
    """[n] of any sign."""

    def activity(self, values: Float64, rows: int) -> Float64:
        """What `values`, one an entry, put on each of `rows` rows, float64[R]."""
        return np.bincount(self.row, weights=values, minlength=rows).astype(np.float64, copy=False)


def sides_of(lp: MatchingLP) -> Sides:
    """Sides of all rows, family after family, float64[R] each."""
    return Sides(**{name: np.concatenate([getattr(family, name) for family in lp.rows]) for name in SIDE_NAMES})


def hard_sides(lp: MatchingLP) -> Sides:
    """The same, infinite where a side has a price."""
    sides = sides_of(lp)
    return replace(
        sides,
        lower=np.where(np.isinf(sides.penalty_below), sides.lower, -np.inf),
        upper=np.where(np.isinf(sides.penalty_above), sides.upper, np.inf),
    )


def layers(chunk: Chunk) -> Iterator[Layer]:
    """All entries of the chunk's edges."""
    first_row = 0
    for family in chunk.lp.rows:
        yield from (
            _ragged(chunk, family, first_row)
            if isinstance(family, RaggedRows)
            else [_aligned(chunk, family, first_row)]
        )
        first_row += family.rows


def _aligned(chunk: Chunk, family: Rows, first_row: int) -> Layer:
    edges = chunk.edges.stop - chunk.edges.start
    row = np.zeros(edges, np.intp) if family.row is None else chunk.read(family.row, np.intp)
    coefficient = family.coefficient
    values = chunk.read(coefficient) if isinstance(coefficient, np.ndarray) else np.full(edges, coefficient)
    return Layer(edges=slice(None), row=row + first_row, coefficient=values)


def _ragged(chunk: Chunk, family: RaggedRows, first_row: int) -> Iterator[Layer]:
    starts = family.entry_offsets[chunk.edges.start : chunk.edges.stop + 1]
    if not starts.size:
        return
    first_entry, last_entry = int(starts[0]), int(starts[-1])
    row = _read(family.row, first_entry, last_entry, np.intp) + first_row
    coefficient = family.coefficient
    values = (
        _read(coefficient, first_entry, last_entry, np.float64)
        if isinstance(coefficient, np.ndarray)
        else np.full(row.size, coefficient)
    )

    counts = np.diff(starts)
    for rank in range(int(np.max(counts, initial=0))):
        edges = np.flatnonzero(counts > rank)
        entries = starts[edges] - first_entry + rank
        yield Layer(edges=edges, row=row[entries], coefficient=values[entries])


def _read(array: npt.NDArray[Any], first: int, last: int, dtype: Any) -> npt.NDArray[Any]:
    """A copy of a part; where the array is mapped from a file, the part leaves memory."""
    part = array[first:last].astype(dtype)
    release_pages(array, first, last)
    return part
