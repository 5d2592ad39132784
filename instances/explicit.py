"""A matching LP in the form that a general LP solver takes.

E edges, R coupling rows, S sources whose sum is limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.per_source import PerSource
from instances.rows import RaggedRows, Rows

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplicitLP:
    """minimise c'x, row_lower <= matrix x <= row_upper, 0 <= x <= upper.

    Rows: the R coupling rows, family after family, then a row for each source whose sum is limited. Columns: the E
    edges, then a column for each side that may be left at a price; it takes up the violation and costs the penalty.
    """

    matrix: Any
    """float64 CSC [R + S, E + priced sides]."""
    c: Float64
    row_lower: Float64
    row_upper: Float64
    upper: Float64
    edges: int
    """E: columns from here on are violations, first below then above of each family."""
    coupling_rows: int
    """R: rows from here on are those of sources."""


def explicit_form(
    offsets: Indices, c: npt.NDArray[Any], families: Sequence[Rows | RaggedRows], polytopes: PerSource
) -> ExplicitLP:
    """A '=' source without edges stays as the row 0 = z, so an infeasible instance stays infeasible."""
    from scipy import sparse

    limits = polytopes.limits()
    limited = np.flatnonzero(np.isfinite(limits.at_most))
    source = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    coupling_rows = sum(family.rows for family in families)
    row_of_source = np.full(offsets.size - 1, -1, dtype=np.int64)
    row_of_source[limited] = coupling_rows + np.arange(limited.size)

    starts, rows, values = _edge_columns(source.size, families, row_of_source[source])
    violations = _violation_columns(families)
    ends = starts[-1] + np.arange(1, violations.rows.size + 1)
    starts = np.concatenate((starts, ends))
    rows = np.concatenate((rows, violations.rows))
    values = np.concatenate((values, violations.values))

    shape = (coupling_rows + limited.size, source.size + violations.rows.size)
    index = np.int32 if max(rows.size, shape[0]) < 2**31 else np.int64
    matrix = sparse.csc_array((values, rows.astype(index), starts.astype(index)), shape=shape)
    if any(isinstance(family, RaggedRows) for family in families):
        matrix.sum_duplicates()  # an edge may list a row twice

    z = limits.at_most[limited]
    lower = [np.where(family.penalty_below > 0, family.lower, -np.inf) for family in families]
    upper = [np.where(family.penalty_above > 0, family.upper, np.inf) for family in families]
    return ExplicitLP(
        matrix=matrix,
        c=np.concatenate((c.astype(np.float64), violations.prices)),
        row_lower=np.concatenate((*lower, np.where(limits.equality[limited], z, -np.inf))),
        row_upper=np.concatenate((*upper, z)),
        upper=np.concatenate((polytopes.upper_of_edges(offsets), np.full(violations.rows.size, np.inf))),
        edges=source.size,
        coupling_rows=coupling_rows,
    )


def _edge_columns(
    edges: int, families: Sequence[Rows | RaggedRows], row_of_sum: Indices
) -> tuple[Indices, Indices, Float64]:
    """CSC arrays of the edges: entries family after family, last the one in the sum of the source (-1: none)."""
    in_sum = row_of_sum >= 0
    counts = in_sum.astype(np.int64)
    for family in families:
        counts += _entries_per_edge(family)
    starts = np.concatenate(([0], np.cumsum(counts)))
    rows = np.empty(starts[-1], dtype=np.int64)
    values = np.ones(starts[-1], dtype=np.float64)

    free = starts[:-1].copy()  # where the next entry of each edge goes
    first_row = 0
    for family in families:
        edge, row, coefficient = family.entries(edges)
        place = free[edge]
        if isinstance(family, RaggedRows):
            place += np.arange(edge.size) - family.entry_offsets[edge]
        rows[place] = first_row + row
        values[place] = coefficient
        free += _entries_per_edge(family)
        first_row += family.rows
    rows[free[in_sum]] = row_of_sum[in_sum]
    return starts, rows, values


def _entries_per_edge(family: Rows | RaggedRows) -> Indices | int:
    return np.diff(family.entry_offsets) if isinstance(family, RaggedRows) else 1


@dataclass(frozen=True, kw_only=True, eq=False)
class _Columns:
    """One entry a column: its row, its value, and the price of the column."""

    rows: Indices
    values: Float64
    prices: Float64


def _violation_columns(families: Sequence[Rows | RaggedRows]) -> _Columns:
    """A column for each side with a price: + what lacks to `lower`, or - what exceeds `upper`.

    A side whose penalty is 0 needs none: it is no limit.
    """
    rows: list[Indices] = []
    values: list[Float64] = []
    prices: list[Float64] = []
    first_row = 0
    for family in families:
        for penalty, sign in ((family.penalty_below, 1.0), (family.penalty_above, -1.0)):
            priced = np.flatnonzero((penalty > 0) & np.isfinite(penalty))
            rows.append(first_row + priced)
            values.append(np.full(priced.size, sign))
            prices.append(penalty[priced])
        first_row += family.rows
    return _Columns(rows=np.concatenate(rows), values=np.concatenate(values), prices=np.concatenate(prices))
