"""Searching across the hard sides: a weight a unit outside in place of a charge, changed from round to round.

M. Yagiura, T. Ibaraki and F. Glover, An ejection chain approach for the generalized assignment problem, INFORMS Journal
on Computing 16, 2004, adapt weights in this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.whole.constants import ABOVE, BELOW, CHARGE_ABOVE, CHARGE_BELOW, PRICE
from solvers.whole.form import Float64, Form, Int64, State, take
from solvers.whole.mending import mend
from solvers.whole.rounds import excess, improve, keeps, paid_by_rows, sweep_all

#: What the weight of a hard side is multiplied by after a round that ends outside it, before the first point within all
#: hard rows and after it, and after a round that ends within them. On d10100 to e20200 of GAP 1.1 and 0.9 ended nearest
#: to the best known.
_HEAVIER_AT_FIRST, _HEAVIER, _LIGHTER = 1.3, 1.1, 0.9
#: The first weight of a side, in its price, and the least one in the mean |c|.
_FIRST_WEIGHT, _LEAST_WEIGHT = 1.0, 1e-3
#: Moves that a round may look at, for each edge, before that point and after it: rounds that end early end worse.
_EFFORT_AT_FIRST, _EFFORT = 4, 64
#: Moves for each edge that mending the point of a round, and improving the best point in the end, may look at.
_EFFORT_OF_OFFERS = 4
#: What a round counts for at least, in moves: its calls cost as much.
_LEAST_OF_A_ROUND = 2000

_WEIGHTS = [BELOW, ABOVE]
_CHARGES = [CHARGE_BELOW, CHARGE_ABOVE]


@dataclass
class _Best:
    """The cheapest point within all hard rows so far."""

    x: Int64 | None = None
    cost: float = np.inf

    def note(self, form: Form, state: State) -> None:
        """Keep the point of `state`, which is within them, where it is cheaper."""
        cost = float(form.c @ state.x + paid_by_rows(state).sum())
        if cost < self.cost:
            self.x, self.cost = state.x.copy(), cost


def cross(form: Form, state: State, least_gain: float, budget: int, *, stop: bool) -> None:
    """Search until about `budget` moves were looked at, or with `stop` until all hard rows are kept.

    Ends at the best point within all hard rows, at the last point where none was found.
    """
    given = state.rows.copy()
    hard = given[:, _CHARGES] > 0
    best = _Best()
    _without_charges(state, hard, _LEAST_WEIGHT * (float(np.abs(form.c).mean()) or 1.0))
    while budget > 0:
        budget -= _offer(form, state, given[:, _CHARGES], best)
        if stop and best.x is not None:
            break
        outside = (np.column_stack(excess(state)) > 0) & hard
        kept = not outside.any()
        heavier, effort = (_HEAVIER_AT_FIRST, _EFFORT_AT_FIRST) if best.x is None else (_HEAVIER, _EFFORT)
        factor = np.full(hard.shape, _LIGHTER) if kept else np.where(outside, heavier, 1.0)
        state.rows[:, _WEIGHTS] *= np.where(hard, factor, 1.0)

        sweep_all(form, state, least_gain)
        _, spent = improve(form, state, least_gain, effort * form.c.size)
        budget -= max(spent + form.c.size, _LEAST_OF_A_ROUND)

    state.rows[:] = given
    take(form, state, state.x.copy() if best.x is None else best.x)
    if best.x is not None:
        sweep_all(form, state, least_gain)
        improve(form, state, least_gain, _EFFORT_OF_OFFERS * form.c.size)


def _offer(form: Form, state: State, charges: Float64, best: _Best) -> int:
    """Offer `best` the point that is mended from here, and leave the state as it is; how many moves were looked at."""
    x, rows = state.x.copy(), state.rows.copy()
    state.rows[:, _CHARGES] = charges
    spent = mend(form, state, _EFFORT_OF_OFFERS * form.c.size)
    if keeps(state):
        best.note(form, state)
    state.rows[:] = rows
    take(form, state, x)
    return spent


def _without_charges(state: State, hard: npt.NDArray[np.bool_], least: float) -> None:
    """Hard sides cost their price a unit, no more for being outside at all."""
    weight = np.maximum(_FIRST_WEIGHT * np.abs(state.rows[:, PRICE]), least)
    state.rows[:, _WEIGHTS] = np.where(hard, weight[:, np.newaxis], state.rows[:, _WEIGHTS])
    state.rows[:, _CHARGES] = 0.0
