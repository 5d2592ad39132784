"""Improving whole decisions: units that change their edge, alone or in chains of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.whole.constants import ACTIVITY, CAP, HELD, LOWER, MOST, NOWHERE, PRICE, TOTAL, UPPER
from solvers.whole.moves_jit import cost_of, may_enter, may_leave, move, move_cost, reduced_cost, row_cost, weight_in

#: A sweep moves no more units than this for each edge, however many a source has.
_MOVES_OF_AN_EDGE = 4


@compiled(nogil=True)
def sweep(form: Any, state: Any, least_gain: Any, calm: Any) -> int:
    """Move each unit to where it costs least, source after source; how many moved.

    calm: no row pays anything, so only a smaller c is looked at. Units beyond a few for each edge stay. Of ends that
    cost the same the first is taken: NOWHERE, then the edges in their order.
    """
    entries = (form.starts, form.row, form.weight)
    offsets, c = form.offsets, form.c
    x, sources, rows = state
    moved = 0
    most = _MOVES_OF_AN_EDGE * x.size
    for i in range(sources.shape[0]):
        e = NOWHERE
        while e < offsets[i + 1]:
            best, least = e, -least_gain
            if may_leave(sources, x, i, e):
                f = NOWHERE
                while f < offsets[i + 1]:
                    gains = not calm or cost_of(c, f) < cost_of(c, e) - least_gain
                    if f != e and gains and may_enter(sources, x, i, f):
                        cost = move_cost(c, entries, rows, e, f)
                        if cost < least:
                            best, least = f, cost
                    f = max(f + 1, offsets[i])
            if best != e and moved < most:
                move(form, state, e, best)
                moved += 1
            else:
                e = max(e + 1, offsets[i])
    return moved


@compiled(nogil=True)
def serve(form: Any, state: Any, order: Any, least_gain: float, effort: int) -> Any:
    """Make the best moves that serve the rows of `order`, one row after another, while they gain and fewer than
    `effort` moves were looked at. Returns the numbers of moves made and looked at.
    """
    made = spent = 0
    for r in order:
        while spent < effort:
            want = _wanted(state.rows, r)
            if want == 0.0:
                break
            e, f, cost, looked = _scan(form, state, r, want)
            spent += looked
            if cost >= -least_gain:
                break
            move(form, state, e, f)
            made += 1
    return made, spent


@compiled(nogil=True)
def chain(form: Any, state: Any, first: Any, least_gain: float, effort: int) -> Any:
    """Move a unit to each edge of `first` in turn, if that gains with the best move that follows from it, or alone.

    The unit comes from where its source has it at the largest reduced cost. Returns the same numbers as `serve`.
    """
    entries = (form.starts, form.row, form.weight)
    rows = state.rows
    made = spent = 0
    for f in first:
        if spent >= effort:
            break
        e = _worst_place(form, state, f)
        if e == f:
            continue
        spent += 1
        cost = move_cost(form.c, entries, rows, e, f)
        move(form, state, e, f)
        if cost < -least_gain:
            made += 1
            continue
        r, want = _next_goal(form, rows, e, f)
        if want != 0.0:
            e2, f2, cost2, looked = _scan(form, state, r, want)
            spent += looked
            if cost + cost2 < -least_gain:
                move(form, state, e2, f2)
                made += 1
                continue
        move(form, state, f, e)
    return made, spent


@compiled(cache=False)
def _worst_place(form: Any, state: Any, f: Any) -> Any:
    """Where the source of edge f has a unit at the largest reduced cost; f itself where no unit can come to it."""
    entries = (form.starts, form.row, form.weight)
    x, sources, rows = state
    i = form.source[f]
    if x[f] >= sources[i, CAP]:
        return f
    place, worst = np.int64(f), -np.inf
    if sources[i, TOTAL] < sources[i, MOST]:
        place, worst = np.int64(NOWHERE), 0.0
    for other in range(form.offsets[i], form.offsets[i + 1]):
        if x[other] > 0 and other != f:
            q = reduced_cost(form.c, entries, rows, other)
            if q > worst:
                place, worst = np.int64(other), q
    return place


@compiled(cache=False)
def _wanted(rows: Any, r: Any) -> Any:
    """1.0 where row r should have more activity, -1.0 less: to be within its sides, then to use up what has a price."""
    activity = rows[r, ACTIVITY]
    if activity > rows[r, UPPER] or (rows[r, PRICE] < 0.0 and activity > rows[r, LOWER]):
        return -1.0
    if activity < rows[r, LOWER] or (rows[r, PRICE] > 0.0 and activity < rows[r, UPPER]):
        return 1.0
    return 0.0


@compiled(cache=False)
def _scan(form: Any, state: Any, r: Any, want: Any) -> Any:
    """The cheapest move that gives row r more activity (want 1.0) or less (-1.0): from, to, its cost, inf where there
    is none, and how many moves were looked at.
    """
    entries = (form.starts, form.row, form.weight)
    offsets, c, source, row_edge = form.offsets, form.c, form.source, form.row_edge
    x, sources, rows = state
    best_e, best_f, least, looked = NOWHERE, NOWHERE, np.inf, 0
    for k in range(form.row_starts[r], form.row_starts[r + 1]):
        edge = row_edge[k]
        i = source[edge]
        enters = weight_in(entries, edge, r) * want > 0.0
        looked += 1
        if (x[edge] >= sources[i, CAP]) if enters else (x[edge] == 0):
            continue
        first, last = offsets[i], offsets[i + 1]
        if enters and sources[i, TOTAL] > 0 and x[sources[i, HELD]] == sources[i, TOTAL]:
            first, last = sources[i, HELD], sources[i, HELD] + 1  # all that could move to the edge
        other = NOWHERE
        while other < last:
            if other != edge:
                e, f = (other, edge) if enters else (edge, other)
                if may_leave(sources, x, i, e) and may_enter(sources, x, i, f):
                    looked += 1
                    cost = move_cost(c, entries, rows, e, f)
                    if cost < least:
                        best_e, best_f, least = e, f, cost
            other = max(other + 1, first)
    return best_e, best_f, least, looked


@compiled(cache=False)
def _next_goal(form: Any, rows: Any, e: Any, f: Any) -> Any:
    """What a move from e to f leaves to be done: a row that pays, else one in which it left something with a price."""
    row, want, most = 0, 0.0, 0.0
    for end in (e, f):
        if end >= 0:
            for k in range(form.starts[end], form.starts[end + 1]):
                r = form.row[k]
                cost = row_cost(rows, r, rows[r, ACTIVITY])
                if cost > most:
                    row, most = r, cost
                    want = -1.0 if rows[r, ACTIVITY] > rows[r, UPPER] else 1.0
    if most > 0.0 or e < 0:
        return row, want

    for k in range(form.starts[e], form.starts[e + 1]):
        r = form.row[k]
        worth = form.weight[k] * rows[r, PRICE]
        if worth > most:
            row, most = r, worth
            want = 1.0 if rows[r, PRICE] > 0.0 else -1.0
    return row, want
