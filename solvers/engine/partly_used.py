"""The edges of a point that can move both ways: neither 0 nor at their limit, in sources that have several or slack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, RaggedRows, Rows
from solvers.base import Vector

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: A sum that misses z by a smaller share of it is full.
_FULL = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """The N entries of F edges in the rows of all families."""

    start: Indices
    """[F + 1]: those of an edge."""
    row: Indices
    """[N], counted through all families."""
    a: Float64
    """[N]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """F edges of S sources."""

    edge: Indices
    """[F], rising."""
    source_start: Indices
    """[S + 1]: the edges of a source among the F."""
    upper: Float64
    """[F]: u of their sources, inf where there is none."""
    slack: Float64
    """[S]: z - 1'x; 0 for '=' sources and full sums, inf where the sum has no limit."""
    entries: Entries


def partly_used(lp: MatchingLP, x: Vector) -> Chosen:
    """Those of x[E] in C."""
    limits = lp.per_source.limits()
    used = np.flatnonzero(x > 0)
    source = np.searchsorted(lp.offsets, used, side="right") - 1
    slack = limits.at_most - np.bincount(source, x[used], lp.sources)
    slack = np.where(limits.equality | (slack <= _FULL * limits.at_most), 0.0, slack)

    own = lp.per_source.edge_upper
    upper = limits.upper[source] if own is None else own[used]
    partly = x[used] < upper
    ways = np.bincount(source[partly], minlength=lp.sources) + (slack > 0)
    chosen = partly & (ways[source] > 1)
    edge, source = used[chosen], source[chosen]
    first = np.flatnonzero(np.diff(source, prepend=-1))
    return Chosen(
        edge=edge,
        source_start=np.append(first, edge.size),
        upper=upper[chosen],
        slack=slack[source[first]],
        entries=_entries(lp, edge),
    )


def _entries(lp: MatchingLP, edge: Indices) -> Entries:
    """Of these edges, edge after edge."""
    number: list[Indices] = []
    row: list[Indices] = []
    a: list[Float64] = []
    first_row = 0
    for family in lp.rows:
        of_edge, place = _places(family, edge)
        rows: Any = family.row
        coefficient: Any = family.coefficient
        number.append(of_edge)
        row.append(np.full(place.size, first_row) if rows is None else first_row + rows[place].astype(np.int64))
        a.append(coefficient[place] if isinstance(coefficient, np.ndarray) else np.full(place.size, coefficient))
        first_row += family.rows

    numbers = np.concatenate(number)
    order = np.argsort(numbers, kind="stable")
    counts = np.bincount(numbers, minlength=edge.size)
    return Entries(
        start=np.append(0, np.cumsum(counts)),
        row=np.concatenate(row)[order],
        a=np.concatenate(a)[order].astype(np.float64),
    )


def _places(family: Rows | RaggedRows, edge: Indices) -> tuple[Indices, Indices]:
    """Of each entry of these edges in a family: the number of the edge among them, and the place in its arrays."""
    if isinstance(family, Rows):
        return np.arange(edge.size), edge
    starts = family.entry_offsets[edge].astype(np.int64)
    counts = family.entry_offsets[edge + 1] - starts
    ends = np.cumsum(counts)
    number = np.repeat(np.arange(edge.size), counts)
    return number, np.arange(number.size) + np.repeat(starts - (ends - counts), counts)
