"""Sums over the entries of a chunk of edges, with what they round: A'y by edge and A x by row, all families."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.rounding import SMALLEST, UNIT, Float64
from harness.sources import Chunk
from instances import RaggedRows

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """The entries of one family in a chunk."""

    row: Indices
    """[n]: the row of each entry, counted through all families."""

    a: Float64
    """[n]"""

    edge: Indices | None
    """[n]: the edge of each entry, counted from the first of the chunk; None where entry e is that of edge e."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """Sums and by how much each may be off; `size` are the sums of the absolute values."""

    value: Float64
    size: Float64
    error: Float64

    def __add__(self, other: Sums) -> Sums:
        value = self.value + other.value
        error = self.error + other.error + UNIT * np.abs(value)
        return Sums(value=value, size=(1 + 2 * UNIT) * (self.size + other.size), error=(1 + 4 * UNIT) * error)


def entries(chunk: Chunk) -> Iterator[Entries]:
    """Those of each family in turn."""
    edges = chunk.edges
    first_row = 0
    for family in chunk.lp.rows:
        part = family.part(edges.start, edges.stop)
        edge, row, a = part.entries(edges.stop - edges.start)
        ragged = isinstance(part, RaggedRows)
        yield Entries(row=first_row + row, a=a, edge=edge if ragged else None)
        first_row += family.rows


def rises(chunk: Chunk, price: Float64, base: Float64) -> Sums:
    """base + A'price of each edge, [e]."""
    count = base.size
    value = base.copy()
    size = np.abs(base)
    terms = np.ones(count)
    for part in entries(chunk):
        product = part.a * price[part.row]
        value += _by_edge(part, product, count)
        size += _by_edge(part, np.abs(product), count)
        terms += 1.0 if part.edge is None else np.bincount(part.edge, minlength=count)
    # a product and an addition for each term, and as many roundings of `size` itself
    error = 2 * (terms + 2) * UNIT * size + terms * SMALLEST
    return Sums(value=value, size=size, error=error)


def activities(chunk: Chunk, x: Float64, rows: int, missed: Float64 | float = 0.0) -> Sums:
    """A x of the edges of the chunk by row, [R]; missed: by how much each entry of x may be off."""
    value = np.zeros(rows)
    size = np.zeros(rows)
    error = np.zeros(rows)
    for part in entries(chunk):
        of_entry = x if part.edge is None else x[part.edge]
        off = missed if part.edge is None or isinstance(missed, float) else missed[part.edge]
        product = part.a * of_entry
        own_value = np.bincount(part.row, product, rows)
        own_size = np.bincount(part.row, np.abs(product), rows).astype(np.float64, copy=False)
        value += own_value
        size += own_size
        if np.any(off):
            error += np.bincount(part.row, np.abs(part.a) * off, rows) * (1 + 1e-9)
        if _adds_exactly(product, own_size):
            continue
        terms = np.bincount(part.row, minlength=rows)
        error += 2 * (terms + 2) * UNIT * own_size + terms * SMALLEST
    return Sums(value=value, size=size, error=error)


def least_over_rows(chunk: Chunk, factor: Float64) -> Float64:
    """The smallest factor[R] among the rows in which an edge has a coefficient other than 0, [e]; 1 without any."""
    least = np.ones(chunk.edges.stop - chunk.edges.start)
    for part in entries(chunk):
        of_entry = np.where(part.a != 0, factor[part.row], 1.0)
        if part.edge is None:
            np.minimum(least, of_entry, out=least)
        else:
            np.minimum.at(least, part.edge, of_entry)
    return least


def _by_edge(part: Entries, values: Float64, edges: int) -> Float64:
    if part.edge is None:
        return values
    return np.bincount(part.edge, values, edges).astype(np.float64, copy=False)


def _adds_exactly(product: Float64, sizes: Float64) -> bool:
    """Whether all are whole numbers with sums that float64 holds: nothing is rounded then."""
    return float(np.max(sizes, initial=0.0)) < 2.0**52 and bool((np.rint(product) == product).all())
