"""Mending whole decisions: hard rows come nearer, no row gets further outside, and sources keep what they must."""

from __future__ import annotations

import numpy as np
import pytest

from harness import solve, whole_decisions
from instances import MatchingLP, Rows, generate, parse_spec
from solvers.whole.constants import CAP, CHARGE_ABOVE, CHARGE_BELOW, EXACT, MOST, TOTAL
from solvers.whole.form import Form, State, form_of, state_of, take
from solvers.whole.mending import mend
from solvers.whole.rounds import excess
from tests.support.whole import whole_lp

BUDGET = 10_000


def begun(lp: MatchingLP, rng: np.random.Generator) -> tuple[Form, State]:
    """Units put at random wherever sources allow them, whatever the rows say."""
    form = form_of(lp, np.arange(lp.edges))
    state = state_of(lp, None)
    x = np.zeros(lp.edges, dtype=np.int64)
    for i in range(lp.sources):
        edges = np.arange(lp.offsets[i], lp.offsets[i + 1])
        most = state.sources[i, MOST]
        for _ in range(most if state.sources[i, EXACT] else rng.integers(0, most + 1)):
            x[rng.choice(edges[x[edges] < state.sources[i, CAP]])] += 1
    take(form, state, x)
    return form, state


def hard_excess(state: State) -> np.ndarray:
    """How far each side that charges is left, float64[R, 2]."""
    return np.column_stack(excess(state)) * (state.rows[:, [CHARGE_BELOW, CHARGE_ABOVE]] > 0)


def test_no_hard_row_gets_further_outside_and_sources_stay_within_their_limits() -> None:
    nearer = 0
    for seed in range(200):
        lp = whole_lp(seed)
        form, state = begun(lp, np.random.default_rng(seed))
        before = hard_excess(state)
        mend(form, state, BUDGET)
        assert (hard_excess(state) <= before + 1e-9).all(), seed
        total = np.bincount(form.source, state.x, lp.sources)
        assert np.array_equal(total, state.sources[:, TOTAL]), seed
        assert (total <= state.sources[:, MOST]).all(), seed
        assert (total == state.sources[:, MOST])[state.sources[:, EXACT] == 1].all(), seed
        assert (state.x <= state.sources[form.source, CAP]).all(), seed
        nearer += hard_excess(state).sum() < before.sum()
    assert nearer > 10


def test_the_cheapest_moves_for_each_unit_of_a_floor_are_made() -> None:
    """Ten users at their best items; others bring a session each, for 1, 2, ..., 10 of the value. Three are needed."""
    cost = np.column_stack((np.full(10, -20.0), np.arange(10) - 19.0)).ravel()
    lp = MatchingLP(offsets=np.arange(11) * 2, c=cost, rows=[Rows("sessions", coefficient=[0.0, 1.0] * 10, lower=2.5)])
    form, state = form_of(lp, np.arange(20)), state_of(lp, None)
    take(form, state, np.array([1, 0] * 10))
    mend(form, state, BUDGET)
    assert state.x.reshape(10, 2).tolist() == [[0, 1]] * 3 + [[1, 0]] * 7


@pytest.mark.parametrize("seed", [1, 2])
def test_floors_over_all_edges_are_met_at_little_cost(seed: int) -> None:
    lp = generate(parse_spec(f"volume:sources=1000,destinations=20,degree=8,seed={seed}"))
    answer = solve(lp, "scipy-highs-ds").answer
    assert answer is not None
    decided = whole_decisions(lp, answer.x, answer.dual)
    assert decided.figures.kept
    assert decided.figures.gap is not None
    assert decided.figures.gap < 0.02
