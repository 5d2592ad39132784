"""A round of improvements: rows that pay are served, then chains are tried, best first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solvers.whole.constants import ABOVE, ACTIVITY, BELOW, CHARGE_ABOVE, CHARGE_BELOW, LOWER, UPPER
from solvers.whole.form import Float64, Form, State, activity_of, indexed

Int64 = npt.NDArray[np.int64]
#: Edges in the lists of rows, in edges that are used: a search looks at no others.
_LISTED = 3
#: LPs up to this many edges list them all.
_LIST_ALL = 200_000


def sweep_all(form: Form, state: State, least_gain: float) -> int:
    """Move each unit to where it costs least, once; how many moved."""
    from solvers.whole.search_jit import sweep

    return int(sweep(form, state, least_gain, not _paying(state).size))


def improve(form: Form, state: State, least_gain: float, budget: int) -> tuple[int, int]:
    """One round in which at most about `budget` moves are looked at; the numbers of moves made and looked at."""
    from solvers.whole.first_jit import scores
    from solvers.whole.search_jit import chain, serve

    score = np.empty(form.c.size)
    scores(form, state, score)
    listed = _listed(score, state.x > 0)
    searched = indexed(form, listed)
    served, spent = serve(searched, state, _paying(state), least_gain, budget)

    first = listed[score[listed] < -least_gain]
    first = first[np.argsort(score[first], kind="stable")]
    chained, more = chain(searched, state, first, least_gain, budget - spent)
    state.rows[:, ACTIVITY] = activity_of(form, state.x)  # sums of many changes drift
    return served + chained, spent + more


def excess(state: State) -> tuple[Float64, Float64]:
    """By how much each row is below its lower side and above its upper one, float64[R] >= 0."""
    rows = state.rows
    return (
        np.maximum(rows[:, LOWER] - rows[:, ACTIVITY], 0.0),
        np.maximum(rows[:, ACTIVITY] - rows[:, UPPER], 0.0),
    )


def keeps(state: State) -> bool:
    """Whether no row is outside a side that charges for it."""
    below, above = excess(state)
    return not ((below > 0) & (state.rows[:, CHARGE_BELOW] > 0) | (above > 0) & (state.rows[:, CHARGE_ABOVE] > 0)).any()


def _listed(score: Float64, used: npt.NDArray[np.bool_]) -> Int64:
    """The edges that a search may look at, in rising order."""
    count = _LISTED * int(used.sum())
    if score.size <= max(_LIST_ALL, count + 1):
        return np.arange(score.size)
    return np.flatnonzero((score <= np.partition(score, count)[count]) | used)


def _paying(state: State) -> Int64:
    """The rows that pay, those that pay most first."""
    below, above = excess(state)
    paid = np.where(below > 0, below * state.rows[:, BELOW], 0.0) + np.where(
        above > 0, above * state.rows[:, ABOVE], 0.0
    )
    order = np.argsort(-paid, kind="stable")
    return order[paid[order] > 0]
