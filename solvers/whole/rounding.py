"""From an LP's answer to whole decisions: x of whole numbers that keeps the hard rows, wherever the search finds one.

I sources, E edges, R rows. Prices y come from the LP; q = c + A'y are the reduced costs.

1. What the LP has decided wholly stays, as far as the rows allow.
2. The other sources choose by q, those first that lose most where they do not get their best edge (the regret); then
   all that still gains by c, the largest gain first.
3. Hard rows that are left are mended by single moves, the cheapest first for each unit that a row is outside.
4. Each unit moves to where it costs least, and chains of two moves are tried in the order of what they may gain.
   Of a large LP all this looks at candidates alone (candidates.py); then its sources with units left take what still
   gains on any edge.
5. Where hard rows are still left, or more effort is allowed, the search crosses the hard sides: being outside costs a
   weight a unit, which grows on rows that stay outside and falls while all are kept (Yagiura, Ibaraki and Glover, An
   ejection chain approach for the generalized assignment problem, 2004). The best point within the rows is kept.

The effort is counted in moves, so the same answer gives the same decisions on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.upper_rows import upper_as_rows
from solvers.whole.candidates import candidates, gainful
from solvers.whole.constants import MOST, PRICE, TOTAL
from solvers.whole.crossing import cross
from solvers.whole.form import Float64, Form, State, form_of, state_of, take
from solvers.whole.mending import mend
from solvers.whole.rounds import improve, keeps, sweep_all

#: Moves that are looked at for each edge, by default, in so many rounds.
EFFORT = 0.2
_ROUNDS = 2
#: The same to mend what the first decisions leave, at most.
_EFFORT_OF_MENDING = 20
#: The same to find a point within the hard rows, where the first decisions are outside.
_EFFORT_OUTSIDE = 100.0
#: Moves that are looked at in a round however small the LP is.
_LEAST_EFFORT = 100_000
#: A gain below this share of the largest |c| is rounding.
_GAIN = 1e-9


def whole_point(lp: MatchingLP, x: Any, dual: Any, *, effort: float = EFFORT) -> Float64:
    """Whole x float64[E] near the LP's x[E], under its prices dual[R] in the sign of solvers.Answer.dual, or None.

    effort: moves that are looked at, for each edge. x lies in the polytopes, with their limits rounded to whole ones; a
    '=' source takes no more than its edges can. It leaves hard rows where no point within them was found.
    """
    if not lp.edges:
        return np.zeros(0)
    if lp.edge_upper is not None:
        one_a_source = upper_as_rows(lp, in_shares=False)
        return whole_point(one_a_source.lp, x, one_a_source.dual(dual), effort=effort)
    given = np.asarray(x, dtype=np.float64)
    nothing = state_of(lp, dual)
    edges = candidates(lp, given, nothing.rows[:, PRICE])
    least_gain = _GAIN * (float(np.abs(lp.c).max()) or 1.0)
    form = form_of(lp, edges)
    state = nothing._replace(x=np.zeros(edges.size, dtype=np.int64))

    _decide_first(form, state, given[edges])
    if edges.size == lp.edges:
        _fill_by_cost(form, state)
    mend(form, state, _EFFORT_OF_MENDING * edges.size)
    sweep_all(form, state, least_gain)
    for _ in range(_ROUNDS):
        if not improve(form, state, least_gain, int(min(effort, EFFORT) * lp.edges) // _ROUNDS + _LEAST_EFFORT)[0]:
            break

    whole = np.zeros(lp.edges)
    whole[edges] = state.x
    if edges.size < lp.edges:
        _serve_beyond(lp, state, whole)
    beyond = effort - EFFORT if keeps(state) else max(effort, _EFFORT_OUTSIDE)
    if beyond > 0:
        every = form_of(lp, np.arange(lp.edges))
        state = nothing._replace(x=np.zeros(lp.edges, dtype=np.int64))
        take(every, state, whole.astype(np.int64))
        cross(every, state, least_gain, int(beyond * lp.edges) + _LEAST_EFFORT, stop=effort <= EFFORT)
        whole[:] = state.x
    return whole


def _decide_first(form: Form, state: State, x: Float64) -> None:
    """Step 1, and 2 by the reduced costs."""
    from solvers.whole.first_jit import fill, keep_whole

    regret = np.empty(form.offsets.size - 1)
    keep_whole(form, state, x, regret)
    undecided = np.flatnonzero(regret >= 0)
    fill(form, state, undecided[np.argsort(-regret[undecided], kind="stable")], 0.0)


def _fill_by_cost(form: Form, state: State) -> None:
    """Let sources with units left take all that gains by c, the largest gain first."""
    from solvers.whole.first_jit import fill

    best = np.full(form.offsets.size - 1, np.inf)
    with_edges = form.offsets[1:] > form.offsets[:-1]
    best[with_edges] = np.minimum.reduceat(form.c, form.offsets[:-1][with_edges])
    undecided = np.flatnonzero(state.sources[:, TOTAL] < state.sources[:, MOST])
    fill(form, state, undecided[np.argsort(best[undecided], kind="stable")], np.inf)


def _serve_beyond(lp: MatchingLP, state: State, whole: Float64) -> None:
    """Let sources with units left take what gains on any of their edges; adds to whole[E]."""
    edges = gainful(lp, state)
    form = form_of(lp, edges)
    near = state._replace(x=whole[edges].astype(np.int64))
    _fill_by_cost(form, near)
    whole[edges] = near.x
