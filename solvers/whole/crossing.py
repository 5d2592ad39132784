"""Searching across the hard sides: a weight a unit outside in place of a charge, changed from round to round.

M. Yagiura, T. Ibaraki and F. Glover, An ejection chain approach for the generalized assignment problem, INFORMS Journal
on Computing 16, 2004, adapt weights in this way.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solvers.whole.constants import (
    ABOVE,
    BELOW,
    CHARGE_ABOVE,
    CHARGE_BELOW,
    PRICE,
)
from solvers.whole.form import Form, State, take
from solvers.whole.rounds import excess, improve, sweep_all

#: What the weight of a hard side is multiplied by after a round that ends outside it, before the first point within all
#: hard rows and after it, and after a round that ends within them. On d10100 to e20200 of GAP 1.1 and 0.9 ended nearest
#: to the best known.
_HEAVIER_AT_FIRST, _HEAVIER, _LIGHTER = 1.3, 1.1, 0.9
#: The first weight of a side, in its price, and the least one in the mean |c|.
_FIRST_WEIGHT, _LEAST_WEIGHT = 1.0, 1e-3
#: Moves that a round may look at, for each edge, before that point and after it: rounds that end early end worse.
_EFFORT_AT_FIRST, _EFFORT = 4, 64
#: What a round counts for at least, in moves: its calls cost as much.
_LEAST_OF_A_ROUND = 2000


def cross(form: Form, state: State, least_gain: float, budget: int, *, stop: bool) -> None:
    """Search until about `budget` moves were looked at, or with `stop` until all hard rows are kept.

    Ends at the best point within all hard rows, at the last point where none was found.
    """
    given = state.rows.copy()
    hard = given[:, [CHARGE_BELOW, CHARGE_ABOVE]] > 0
    best: npt.NDArray[np.int64] | None = None
    least = np.inf
    _without_charges(state, hard, _LEAST_WEIGHT * float(np.abs(form.c).mean()))
    while budget > 0:
        outside = (np.column_stack(excess(state)) > 0) & hard
        kept = not outside.any()
        if kept and (cost := _cost(form, state)) < least:
            best, least = state.x.copy(), cost
        if kept and stop:
            break
        heavier, effort = (_HEAVIER_AT_FIRST, _EFFORT_AT_FIRST) if best is None else (_HEAVIER, _EFFORT)
        factor = np.full(hard.shape, _LIGHTER) if kept else np.where(outside, heavier, 1.0)
        state.rows[:, [BELOW, ABOVE]] *= np.where(hard, factor, 1.0)

        sweep_all(form, state, least_gain)
        _, spent = improve(form, state, least_gain, effort * form.c.size)
        budget -= max(spent + form.c.size, _LEAST_OF_A_ROUND)

    state.rows[:] = given
    take(form, state, state.x.copy() if best is None else best)


def _without_charges(state: State, hard: npt.NDArray[np.bool_], least: float) -> None:
    """Hard sides cost their price a unit, no more for being outside at all."""
    weight = np.maximum(_FIRST_WEIGHT * np.abs(state.rows[:, PRICE]), least)
    state.rows[:, [BELOW, ABOVE]] = np.where(hard, weight[:, np.newaxis], state.rows[:, [BELOW, ABOVE]])
    state.rows[:, [CHARGE_BELOW, CHARGE_ABOVE]] = 0.0


def _cost(form: Form, state: State) -> float:
    """c'x and what the rows pay, of a point within the hard ones."""
    below, above = excess(state)
    with np.errstate(invalid="ignore"):
        paid = np.where(below > 0, below * state.rows[:, BELOW], 0.0)
        paid += np.where(above > 0, above * state.rows[:, ABOVE], 0.0)
    return float(form.c @ state.x + paid.sum())
