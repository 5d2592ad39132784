"""A round of improvements: rows that pay are served, then chains are tried, best first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solvers.whole.constants import ABOVE, ACTIVITY, BELOW, CHARGE_ABOVE, CHARGE_BELOW, LOWER, UPPER
from solvers.whole.form import Float64, Form, Int64, State

#: Chains that a round begins: its moves are spent before on the rows that these look at.
_MOST_CHAINS = 10_000


def sweep_all(form: Form, state: State, least_gain: float) -> int:
    """Move each unit to where it costs least, once; how many moved."""
    from solvers.whole.search_jit import sweep

    return int(sweep(form, state, least_gain, not _paying(state).size))


def improve(form: Form, state: State, least_gain: float, budget: int) -> tuple[int, int]:
    """One round in which at most about `budget` moves are looked at; the numbers of moves made and looked at."""
    from solvers.whole.first_jit import scores
    from solvers.whole.moves_jit import count_loads
    from solvers.whole.search_jit import chain, serve

    # Before rows are served: after it the searches across hard rows of GAP (d10100, d20100) ended farther away.
    score = np.empty(form.c.size)
    scores(form, state, score)
    served, spent = serve(form, state, _paying(state), least_gain, budget)

    chained, more = chain(form, state, _best(score, -least_gain), least_gain, budget - spent)
    count_loads(form, state)
    return served + chained, spent + more


def excess(state: State) -> tuple[Float64, Float64]:
    """By how much each row is below its lower side and above its upper one, float64[R] >= 0."""
    rows = state.rows
    return (
        np.maximum(rows[:, LOWER] - rows[:, ACTIVITY], 0.0),
        np.maximum(rows[:, ACTIVITY] - rows[:, UPPER], 0.0),
    )


def outside_hard(state: State) -> Int64:
    """The rows outside a side that charges for it, those that pay most first."""
    below, above = excess(state)
    charged = (below > 0) & (state.rows[:, CHARGE_BELOW] > 0) | (above > 0) & (state.rows[:, CHARGE_ABOVE] > 0)
    return _largest_first(paid_by_rows(state), charged)


def keeps(state: State) -> bool:
    """Whether no row is outside a side that charges for it."""
    return not outside_hard(state).size


def paid_by_rows(state: State) -> Float64:
    """What each row pays for the units outside its sides, float64[R]."""
    below, above = excess(state)
    paid: Float64 = np.where(below > 0, below * state.rows[:, BELOW], 0.0)
    paid += np.where(above > 0, above * state.rows[:, ABOVE], 0.0)
    return paid


def _best(score: Float64, limit: float) -> Int64:
    """The edges with a score below `limit`, the lowest first; of very many the lowest."""
    below = np.flatnonzero(score < limit)
    values = score[below]
    if below.size > _MOST_CHAINS:
        few = values <= np.partition(values, _MOST_CHAINS)[_MOST_CHAINS]
        below, values = below[few], values[few]
    return below[np.argsort(values, kind="stable")]


def _paying(state: State) -> Int64:
    """The rows that pay, those that pay most first."""
    paid = paid_by_rows(state)
    return _largest_first(paid, paid > 0)


def _largest_first(value: Float64, chosen: npt.NDArray[np.bool_]) -> Int64:
    """The rows chosen by bool[R], those with the largest of value[R] first."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-value[rows], kind="stable")]
