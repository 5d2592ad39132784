"""The first whole decisions: what the LP has decided wholly, then the other sources in the order of their regret."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.whole.constants import ACTIVITY, CAP, EXACT, MOST, PRICE, TOTAL, UPPER
from solvers.whole.moves_jit import added_cost, put, reduced_cost

#: x this near to the next whole number is that number.
NEARLY = 0.02


@compiled(nogil=True)
def keep_whole(form: Any, state: Any, x: Any, regret: Any) -> None:
    """Take the whole part of x[E] wherever rows and sources allow it.

    regret[I]: of the other sources, by how much the second best edge is worse than the best, by reduced cost; -1 where
    a source uses all that it may. Of '<=' sources nothing, at 0, is an edge too.
    """
    entries = (form.starts, form.row, form.weight)
    offsets, c = form.offsets, form.c
    taken, sources, rows = state
    for i in range(regret.size):
        for e in range(offsets[i], offsets[i + 1]):
            if x[e] >= 1.0 - NEARLY:
                units = min(np.int64(x[e] + NEARLY), sources[i, CAP], sources[i, MOST] - sources[i, TOTAL])
                if units > 0 and added_cost(entries, rows, e, float(units)) <= 0.0:
                    put(form, state, e, units)

        regret[i] = -1.0
        if sources[i, TOTAL] < sources[i, MOST]:
            best = np.inf if sources[i, EXACT] else 0.0
            second = np.inf
            for e in range(offsets[i], offsets[i + 1]):
                if taken[e] < sources[i, CAP]:
                    q = reduced_cost(c, entries, rows, e)
                    second = min(second, max(q, best))
                    best = min(best, q)
            regret[i] = min(second - best, 1e300)


@compiled(nogil=True)
def fill(form: Any, state: Any, order: Any, most_reduced: float) -> None:
    """Let the sources of `order`, one after another, take their best edges by reduced cost and what rows pay.

    '<=' sources take edges that gain, with a reduced cost up to `most_reduced`; '=' sources all they must, whatever it
    costs. Of equal edges the first is taken.
    """
    entries = (form.starts, form.row, form.weight)
    offsets, c = form.offsets, form.c
    x, sources, rows = state
    for i in order:
        while sources[i, TOTAL] < sources[i, MOST]:
            best, least, paid = -1, np.inf if sources[i, EXACT] else most_reduced, 0.0
            for e in range(offsets[i], offsets[i + 1]):
                if x[e] < sources[i, CAP]:
                    added = added_cost(entries, rows, e, 1.0)
                    value = reduced_cost(c, entries, rows, e) + max(added, 0.0)
                    if value < least and (sources[i, EXACT] or c[e] + added < 0.0):
                        best, least, paid = e, value, added
            if best < 0:
                break

            # As many units as rows bear like the first one.
            units = min(sources[i, CAP] - x[best], sources[i, MOST] - sources[i, TOTAL])
            while units > 1:
                bearable = min(paid * units, paid) + 1e-9 * abs(paid) * units
                if added_cost(entries, rows, best, float(units)) <= bearable:
                    break
                units //= 2
            put(form, state, best, units)


@compiled(nogil=True)
def scores(form: Any, state: Any, score: Any) -> None:
    """score[E]: the least that a chain costs which begins by moving a unit to an edge, if the rest costs nothing.

    That is the reduced cost of the edge, less that of the worst place where its source has a unit, less what it uses up
    of what rows have left, at their prices. inf where the edge is full.
    """
    entries = (form.starts, form.row, form.weight)
    starts, row, weight = entries
    offsets, c = form.offsets, form.c
    x, sources, rows = state
    for i in range(sources.shape[0]):
        worst = -np.inf
        if sources[i, TOTAL] < sources[i, MOST]:
            worst = 0.0
        for e in range(offsets[i], offsets[i + 1]):
            score[e] = reduced_cost(c, entries, rows, e)
            if x[e] > 0:
                worst = max(worst, score[e])
        for e in range(offsets[i], offsets[i + 1]):
            score[e] -= worst
            for k in range(starts[e], starts[e + 1]):
                r = row[k]
                room = rows[r, UPPER] - rows[r, ACTIVITY]
                if rows[r, PRICE] > 0.0 and room > 0.0:
                    score[e] -= rows[r, PRICE] * max(0.0, min(room, weight[k]))
            if x[e] >= sources[i, CAP] or worst == -np.inf:
                score[e] = np.inf
