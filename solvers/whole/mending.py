"""Bringing hard rows within their sides by single moves, the cheapest first for each unit that a row is outside."""

from __future__ import annotations

import numpy as np

from solvers.whole.form import Form, State
from solvers.whole.rounds import keeps, outside_hard


def mend(form: Form, state: State, budget: int) -> int:
    """Bring hard rows within their sides where single moves can; how many moves were looked at, about `budget` at most.

    One look at all moves of a row finds as many as the row needs, which is what makes rows over all edges cheap. No row
    gets further outside, so what is mended stays so.
    """
    from solvers.whole.mending_jit import make_moves, mending_moves
    from solvers.whole.moves_jit import count_loads

    sources = form.offsets.size - 1
    leaves, enters = np.empty((2, sources), dtype=np.int64)
    worth = np.empty(sources)
    spent = 0
    made = 1
    while made and spent < budget and not keeps(state):
        made = 0
        for r in outside_hard(state):
            found, looked = mending_moves(form, state, r, leaves, enters, worth)
            order = np.argsort(worth[:found], kind="stable")
            made += make_moves(form, state, r, order, leaves, enters)
            spent += looked
        count_loads(form, state)
    return spent
