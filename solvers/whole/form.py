"""The LP as the loops of whole decisions take it: entries by edge and by row, whole limits of sources, costs of rows.

I sources, E edges, R rows of all families, N entries. Each array has one type, so one compilation serves every LP.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from instances import MatchingLP, RaggedRows
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
    UPPER,
)

Float64 = npt.NDArray[np.float64]
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
    """int32[n]: edges of each row, those that a search looks at; none before `indexed`."""


class State(NamedTuple):
    """Decisions, and what depends on them; constants.py names the columns."""

    x: Any
    """int64[E]"""
    sources: Any
    """int64[I, 5]"""
    rows: Any
    """float64[R, 8]"""


def form_of(lp: MatchingLP) -> Form:
    """The edges of `lp`."""
    matrix = _entries(lp)
    return Form(
        offsets=np.array(lp.offsets),
        source=lp.source_of_edge().astype(np.int32),
        c=lp.c.astype(np.float64),
        starts=matrix.indptr.astype(np.int64),
        row=matrix.indices.astype(np.int32, copy=False),
        weight=matrix.data,
        row_starts=np.zeros(lp.row_count + 1, dtype=np.int64),
        row_edge=np.zeros(0, dtype=np.int32),
    )


def indexed(form: Form, edges: npt.NDArray[np.int64]) -> Form:
    """The form with `edges`, in rising order, in the lists of their rows."""
    rows = form.row_starts.size - 1
    matrix = sparse.csr_array((form.weight, form.row, form.starts), shape=(form.c.size, rows))
    listed = matrix[edges].tocsc()
    return form._replace(
        row_starts=listed.indptr.astype(np.int64), row_edge=edges[listed.indices].astype(np.int32, copy=False)
    )


def activity_of(form: Form, x: Any) -> Float64:
    """A x, float64[R]."""
    rows = form.row_starts.size - 1
    used = np.flatnonzero(x)
    matrix = sparse.csr_array((form.weight, form.row, form.starts), shape=(form.c.size, rows))
    activity: Float64 = matrix[used].T @ x[used].astype(np.float64)
    return activity


def state_of(lp: MatchingLP, dual: Any) -> State:
    """Nothing decided; dual[R]: prices, or None."""
    limits = lp.per_source.limits()
    cap = whole_part(np.minimum(limits.upper, limits.at_most))
    sources = np.zeros((lp.sources, 5), dtype=np.int64)
    sources[:, MOST] = np.minimum(whole_part(limits.at_most), cap * lp.degrees())
    sources[:, CAP] = cap
    sources[:, EXACT] = limits.equality
    sources[:, HELD] = NOWHERE
    return State(np.zeros(lp.edges, dtype=np.int64), sources, _rows(lp, dual))


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


def _entries(lp: MatchingLP) -> Any:
    """A', float64 CSR [E, R], with one entry for each edge and row."""
    counts = [np.diff(f.entry_offsets) if isinstance(f, RaggedRows) else 1 for f in lp.rows]
    starts = np.zeros(lp.edges + 1, dtype=np.int64)
    starts[1:] = np.cumsum(np.broadcast_to(sum(counts), lp.edges))
    row = np.empty(int(starts[-1]), dtype=np.int32)
    weight = np.empty(row.size)

    first_row = 0
    next_entry = starts[:-1].copy()  # of each edge
    for family, count in zip(lp.rows, counts, strict=True):
        place = next_entry
        if isinstance(family, RaggedRows):
            place = np.repeat(next_entry - family.entry_offsets[:-1], count) + np.arange(family.entry_count)
        row[place] = first_row if family.row is None else first_row + family.row
        weight[place] = family.coefficient
        next_entry = next_entry + count
        first_row += family.rows

    matrix = sparse.csr_array((weight, row, starts), shape=(lp.edges, lp.row_count))
    if any(isinstance(family, RaggedRows) for family in lp.rows):
        matrix.sum_duplicates()
    return matrix
