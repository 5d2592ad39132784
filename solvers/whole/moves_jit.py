"""Units of x on edges: what moving one costs, and moving it. Letters and columns: form.py.

A row pays for being outside a side: a charge, and a price a unit. Helpers take arrays, not records, and are inlined: a
record passed on costs more than what they do.
"""

from __future__ import annotations

from typing import Any

from solvers.engine.compiled import compiled
from solvers.whole.constants import (
    ABOVE,
    ACTIVITY,
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

_INLINED: dict[str, Any] = {"cache": False, "forceinline": True}


@compiled(**_INLINED)
def row_cost(rows: Any, r: Any, activity: Any) -> Any:
    """What row r pays at this activity."""
    over = activity - rows[r, UPPER]
    under = rows[r, LOWER] - activity
    if over > 0.0:
        return over * rows[r, ABOVE] + rows[r, CHARGE_ABOVE]
    if under > 0.0:
        return under * rows[r, BELOW] + rows[r, CHARGE_BELOW]
    return 0.0


@compiled(**_INLINED)
def added_cost(entries: Any, rows: Any, e: Any, units: Any) -> Any:
    """What the rows pay more where edge e takes `units` more."""
    starts, row, weight = entries
    change = 0.0
    for k in range(starts[e], starts[e + 1]):
        now = rows[row[k], ACTIVITY]
        change += row_cost(rows, row[k], now + weight[k] * units) - row_cost(rows, row[k], now)
    return change


@compiled(**_INLINED)
def weight_in(entries: Any, e: Any, r: Any) -> Any:
    """The coefficient of edge e in row r, 0 where it has none."""
    starts, row, weight = entries
    found = 0.0
    if e >= 0:
        for k in range(starts[e], starts[e + 1]):
            if row[k] == r:
                found = weight[k]
    return found


@compiled(**_INLINED)
def cost_of(c: Any, e: Any) -> Any:
    """c_e; 0 for NOWHERE."""
    return c[e] if e >= 0 else 0.0


@compiled(**_INLINED)
def reduced_cost(c: Any, entries: Any, rows: Any, e: Any) -> Any:
    """c_e + (A'y)_e; 0 for NOWHERE."""
    starts, row, weight = entries
    q = 0.0
    if e >= 0:
        q = c[e]
        for k in range(starts[e], starts[e + 1]):
            q += weight[k] * rows[row[k], PRICE]
    return q


@compiled(**_INLINED)
def move_cost(c: Any, entries: Any, rows: Any, e: Any, f: Any) -> Any:
    """What moving a unit from e to f costs, one of which may be NOWHERE."""
    starts, row, weight = entries
    cost = 0.0
    if e >= 0:
        cost -= c[e]
        for k in range(starts[e], starts[e + 1]):
            now = rows[row[k], ACTIVITY]
            moved = now - weight[k] + weight_in(entries, f, row[k])
            cost += row_cost(rows, row[k], moved) - row_cost(rows, row[k], now)
    if f >= 0:
        cost += c[f]
        for k in range(starts[f], starts[f + 1]):
            if weight_in(entries, e, row[k]) == 0.0:
                now = rows[row[k], ACTIVITY]
                cost += row_cost(rows, row[k], now + weight[k]) - row_cost(rows, row[k], now)
    return cost


@compiled(nogil=True)
def count_loads(form: Any, state: Any) -> None:
    """The activity of each row from x alone: sums of many changes drift."""
    x, _, rows = state
    rows[:, ACTIVITY] = 0.0
    for e in range(x.size):
        if x[e] != 0:
            for k in range(form.starts[e], form.starts[e + 1]):
                rows[form.row[k], ACTIVITY] += form.weight[k] * x[e]


@compiled(cache=False)
def put(form: Any, state: Any, e: Any, units: Any) -> None:
    """Let edge e take `units` more; nothing for NOWHERE."""
    if e < 0:
        return
    x, sources, rows = state
    i = form.source[e]
    x[e] += units
    sources[i, TOTAL] += units
    for k in range(form.starts[e], form.starts[e + 1]):
        rows[form.row[k], ACTIVITY] += form.weight[k] * units

    if units > 0:
        sources[i, HELD] = e
    elif x[e] == 0 and sources[i, HELD] == e:
        sources[i, HELD] = NOWHERE
        if sources[i, TOTAL] > 0:
            for other in range(form.offsets[i], form.offsets[i + 1]):
                if x[other] > 0:
                    sources[i, HELD] = other


@compiled(cache=False)
def move(form: Any, state: Any, e: Any, f: Any) -> None:
    """Move a unit from e to f, one of which may be NOWHERE."""
    put(form, state, e, -1)
    put(form, state, f, 1)


@compiled(**_INLINED)
def may_leave(sources: Any, x: Any, i: Any, e: Any) -> Any:
    """Whether a unit of source i at e may go elsewhere."""
    if e < 0:
        return sources[i, TOTAL] < sources[i, MOST]
    return x[e] > 0


@compiled(**_INLINED)
def may_enter(sources: Any, x: Any, i: Any, f: Any) -> Any:
    """Whether a unit of source i may go to f from elsewhere in the source."""
    if f < 0:
        return sources[i, EXACT] == 0
    return x[f] < sources[i, CAP]
