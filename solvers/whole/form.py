"""The LP as the loops of whole decisions take it: entries by edge and by row, whole limits of sources, costs of rows.

I sources, E edges, R rows of all families, N entries. Each array has one type, so one compilation serves every LP.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from instances import MatchingLP, RaggedRows, Rows
from instances.sides import SIDE_NAMES
from solvers.whole.constants import (
    ABOVE,
    BELOW,
    CAP,
    CHARGE_ABOVE,
    CHARGE_BELOW,
    EXACT,
    HELD,
    LOWER,
    MOST,
    NOWHERE,
    PRICE,
    TOTAL,
    UPPER,
)

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
#: A limit is held to this share of 1 + itself: ten times 0.1 fill a budget of 1.
ROUNDING = 1e-12
#: What being outside a hard side costs, in the largest |c|: more than any chain of moves gains.
_CHARGE = 1e5
#: The least cost of a unit outside a hard side, in the largest |c|.
_LEAST_WEIGHT = 0.1


class Form(NamedTuple):
    """The edges, of which nothing changes while decisions are made."""

    offsets: Any
    """int64[I + 1]: the edges of source i are offsets[i]..offsets[i + 1] - 1."""
    source: Any
    """int32[E]"""
    c: Any
    """float64[E]"""
    starts: Any
    """int64[E + 1]: the entries of each edge, no two of them in one row."""
    row: Any
    """int32[N]"""
    weight: Any
    """float64[N]"""
    row_starts: Any
    """int64[R + 1]: where each row begins in `row_edge`."""
    row_edge: Any
    """int32[N]: the edges of each row."""


class State(NamedTuple):
    """Decisions, and what depends on them; constants.py names the columns."""

    x: Any
    """int64[E]"""
    sources: Any
    """int64[I, 5]"""
    rows: Any
    """float64[R, 8]"""


def form_of(lp: MatchingLP, edges: Int64) -> Form:
    """The edges of `lp` that `edges` int64[E], in rising order, names; the loops count them from 0."""
    matrix = _entries(lp, edges)
    by_row = matrix.tocsc()
    offsets = np.searchsorted(edges, lp.offsets).astype(np.int64)
    return Form(
        offsets=offsets,
        source=np.repeat(np.arange(lp.sources, dtype=np.int32), np.diff(offsets)),
        c=lp.c[edges].astype(np.float64),
        starts=matrix.indptr.astype(np.int64),
        row=matrix.indices.astype(np.int32, copy=False),
        weight=matrix.data,
        row_starts=by_row.indptr.astype(np.int64),
        row_edge=by_row.indices.astype(np.int32, copy=False),
    )


def state_of(lp: MatchingLP, dual: Any) -> State:
    """Nothing decided on any edge of `lp`; dual[R]: prices, or None."""
    limits = lp.per_source.limits()
    cap = whole_part(np.minimum(limits.upper, limits.at_most))
    sources = np.zeros((lp.sources, 5), dtype=np.int64)
    sources[:, MOST] = np.minimum(whole_part(limits.at_most), cap * lp.degrees())
    sources[:, CAP] = cap
    sources[:, EXACT] = limits.equality
    sources[:, HELD] = NOWHERE
    return State(np.zeros(lp.edges, dtype=np.int64), sources, _rows(lp, dual))


def take(form: Form, state: State, x: Int64) -> None:
    """Let the decisions be x[E], and all that depends on them."""
    from solvers.whole.moves_jit import count_loads

    state.x[:] = x
    used = np.flatnonzero(x)
    state.sources[:, TOTAL] = np.bincount(form.source[used], x[used], state.sources.shape[0]).astype(np.int64)
    state.sources[:, HELD] = NOWHERE
    state.sources[form.source[used], HELD] = used
    count_loads(form, state)


def whole_part(limit: Any) -> Any:
    """The largest whole number within a limit, which may be short of one by rounding."""
    return np.floor(limit + ROUNDING * (1 + np.abs(limit)))


def _rows(lp: MatchingLP, dual: Any) -> Float64:
    """The rows of a State, where nothing is used yet."""
    lower, upper, below, above = (
        np.concatenate([getattr(family, name) for family in lp.rows]).astype(np.float64) for name in SIDE_NAMES
    )
    floor, ceiling = np.isfinite(lower), np.isfinite(upper)
    price = np.zeros(upper.size) if dual is None else np.nan_to_num(np.asarray(dual, dtype=np.float64))
    price = np.clip(price, np.where(floor, -below, 0.0), np.where(ceiling, above, 0.0))

    largest = float(np.abs(lp.c).max(initial=0.0)) or 1.0
    weight = np.maximum(np.abs(price), _LEAST_WEIGHT * largest)
    rows = np.zeros((upper.size, 8))
    rows[:, LOWER] = np.where(floor, lower - ROUNDING * (1 + np.abs(lower)), -np.inf)
    rows[:, UPPER] = np.where(ceiling, upper + ROUNDING * (1 + np.abs(upper)), np.inf)
    for penalty, unit, charge in ((below, BELOW, CHARGE_BELOW), (above, ABOVE, CHARGE_ABOVE)):
        rows[:, unit] = np.where(np.isinf(penalty), weight, penalty)
        rows[:, charge] = np.where(np.isinf(penalty), _CHARGE * largest, 0.0)
    rows[:, PRICE] = price
    return rows


def entries_of(family: Rows | RaggedRows, edges: Int64) -> tuple[npt.NDArray[np.signedinteger[Any]], Float64]:
    """Row and coefficient of each entry of `edges`, edge after edge."""
    if isinstance(family, Rows):
        row = np.zeros(edges.size, dtype=np.int32) if family.row is None else family.row[edges]
        of_edges = edges
    else:
        starts, counts = family.entry_offsets[edges], np.diff(family.entry_offsets)[edges]
        of_edges = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        row = family.row[of_edges]
    coefficient = np.asarray(family.coefficient, dtype=np.float64)
    return row, np.broadcast_to(coefficient, row.shape) if coefficient.ndim == 0 else coefficient[of_edges]


def _entries(lp: MatchingLP, edges: Int64) -> Any:
    """The columns `edges` of A, transposed: float64 CSR [E, R], with one entry for each edge and row."""
    counts = [np.diff(f.entry_offsets)[edges] if isinstance(f, RaggedRows) else 1 for f in lp.rows]
    starts = np.zeros(edges.size + 1, dtype=np.int64)
    starts[1:] = np.cumsum(np.broadcast_to(sum(counts), edges.size))
    row = np.empty(int(starts[-1]), dtype=np.int32)
    weight = np.empty(row.size)

    first_row = 0
    next_entry = starts[:-1].copy()  # of each edge
    for family, count in zip(lp.rows, counts, strict=True):
        of_family, coefficient = entries_of(family, edges)
        place = next_entry
        if isinstance(family, RaggedRows):
            place = np.repeat(next_entry - np.cumsum(count) + count, count) + np.arange(of_family.size)
        row[place] = first_row + of_family
        weight[place] = coefficient
        next_entry = next_entry + count
        first_row += family.rows

    matrix = sparse.csr_array((weight, row, starts), shape=(edges.size, lp.row_count))
    if any(isinstance(family, RaggedRows) for family in lp.rows):
        matrix.sum_duplicates()
    return matrix
