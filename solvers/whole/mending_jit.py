"""Moves that bring a row within its hard sides. Letters and columns: form.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.whole.constants import (
    ABOVE,
    ACTIVITY,
    BELOW,
    CHARGE_ABOVE,
    CHARGE_BELOW,
    LOWER,
    NOWHERE,
    PRICE,
    UPPER,
)
from solvers.whole.moves_jit import cost_of, may_enter, may_leave, move, weight_in

_INLINED: dict[str, Any] = {"cache": False, "forceinline": True}


@compiled(nogil=True)
def mending_moves(form: Any, state: Any, r: int, leaves: Any, enters: Any, worth: Any) -> Any:
    """Find for each source of row r the move of a unit that brings the row nearer for the least cost.

    The n moves found go from leaves[:n] to enters[:n], edges or NOWHERE; worth[:n] is what each costs for each unit of
    activity that the row is less outside. No move takes another row further outside a hard side.
    Returns n and how many moves were looked at.
    """
    entries = (form.starts, form.row, form.weight)
    offsets = form.offsets
    x, sources, rows = state
    found = looked = 0
    last_source = -1
    for k in range(form.row_starts[r], form.row_starts[r + 1]):
        i = form.source[form.row_edge[k]]
        if i == last_source:
            continue
        last_source = i
        worth[found] = np.inf
        e = NOWHERE
        while e < offsets[i + 1]:
            if may_leave(sources, x, i, e):
                f = NOWHERE
                while f < offsets[i + 1]:
                    if f != e and may_enter(sources, x, i, f):
                        looked += 1
                        nearer = _nearer(entries, rows, r, e, f)
                        if nearer > 0.0:
                            value = _cost_beside(form.c, entries, rows, r, e, f) / nearer
                            if value < worth[found]:
                                leaves[found] = e
                                enters[found] = f
                                worth[found] = value
                    f = max(f + 1, offsets[i])
            e = max(e + 1, offsets[i])
        if worth[found] < np.inf:
            found += 1
    return found, looked


@compiled(nogil=True)
def make_moves(form: Any, state: Any, r: int, order: Any, leaves: Any, enters: Any) -> int:
    """Make the moves of `order`, one after another, until row r is within its sides; how many were made.

    A move is left out where those before it have left no room for it in another row.
    """
    entries = (form.starts, form.row, form.weight)
    rows = state.rows
    made = 0
    for k in order:
        if _outside(rows, r, rows[r, ACTIVITY]) == 0.0:
            break
        e, f = leaves[k], enters[k]
        if _nearer(entries, rows, r, e, f) > 0.0 and _cost_beside(form.c, entries, rows, r, e, f) < np.inf:
            move(form, state, e, f)
            made += 1
    return made


@compiled(**_INLINED)
def _outside(rows: Any, r: Any, activity: Any) -> Any:
    """How far an activity of row r is outside its sides."""
    return max(activity - rows[r, UPPER], rows[r, LOWER] - activity, 0.0)


@compiled(**_INLINED)
def _nearer(entries: Any, rows: Any, r: Any, e: Any, f: Any) -> Any:
    """By how much moving a unit from e to f brings row r nearer to its sides."""
    now = rows[r, ACTIVITY]
    after = now + weight_in(entries, f, r) - weight_in(entries, e, r)
    return _outside(rows, r, now) - _outside(rows, r, after)


@compiled(**_INLINED)
def _cost_beside(c: Any, entries: Any, rows: Any, r: Any, e: Any, f: Any) -> Any:
    """What moving a unit from e to f costs beside row r: by c, by prices, and by what other rows are outside."""
    starts, row, weight = entries
    cost = cost_of(c, f) - cost_of(c, e)
    if e >= 0:
        for k in range(starts[e], starts[e + 1]):
            if row[k] != r:
                cost += _change_cost(rows, row[k], weight_in(entries, f, row[k]) - weight[k])
    if f >= 0:
        for k in range(starts[f], starts[f + 1]):
            if row[k] != r and weight_in(entries, e, row[k]) == 0.0:
                cost += _change_cost(rows, row[k], weight[k])
    return cost


@compiled(**_INLINED)
def _change_cost(rows: Any, r: Any, change: Any) -> Any:
    """What a change of its activity costs at row r; inf where the row would be further outside a hard side."""
    now = rows[r, ACTIVITY]
    over = max(now + change - rows[r, UPPER], 0.0) - max(now - rows[r, UPPER], 0.0)
    under = max(rows[r, LOWER] - now - change, 0.0) - max(rows[r, LOWER] - now, 0.0)
    if (over > 0.0 and rows[r, CHARGE_ABOVE] > 0.0) or (under > 0.0 and rows[r, CHARGE_BELOW] > 0.0):
        return np.inf
    return rows[r, PRICE] * change + over * rows[r, ABOVE] + under * rows[r, BELOW]
