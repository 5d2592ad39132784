"""blockpdhg from an earlier answer: sooner where that is near, never led astray, and near it where that is wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness import solve
from harness.result import Result
from instances import MatchingLP, Simplex, generate, parse_spec
from instances.staying import stayed
from solvers import OptionError, Settings, Start, Status
from solvers.blockpdhg import BlockPDHG

DAY = "unit:sources=2000,destinations=20,degree=8,seed=3,drift=0.01,day={day}"


@pytest.fixture(scope="module")
def today() -> MatchingLP:
    return generate(parse_spec(DAY.format(day=1)))


@pytest.fixture(scope="module")
def cold(today: MatchingLP) -> Result:
    return solved(today)


@pytest.fixture(scope="module")
def yesterday(today: MatchingLP) -> Start:
    """Yesterday's answer on the edges that are still there."""
    specs = [parse_spec(DAY.format(day=day)) for day in (0, 1)]
    before = generate(specs[0])
    answer = solved(before).answer
    assert answer is not None
    assert answer.x is not None
    both = stayed((specs[0], before), (specs[1], today))
    x = np.zeros(today.edges)
    x[both.after] = answer.x[both.before]
    return Start(x=x, dual=answer.dual)


def solved(lp: MatchingLP, start: Start | None = None, **settings: Any) -> Result:
    result = solve(lp, "blockpdhg", start=start, quiet=True, **{"tolerance": 1e-4, **settings})
    assert result.status is Status.SOLVED, result.reason
    return result


def iterations(result: Result) -> int:
    assert result.answer is not None
    assert result.answer.iterations is not None
    return result.answer.iterations


def test_after_a_day_of_small_changes_a_third_of_the_iterations_is_enough(
    today: MatchingLP, cold: Result, yesterday: Start
) -> None:
    assert iterations(solved(today, yesterday)) <= iterations(cold) / 3
    assert iterations(solved(today, Start(dual=yesterday.dual))) <= iterations(cold) / 2


def test_a_dual_that_is_worse_than_none_is_left_aside_after_one_pass(today: MatchingLP, cold: Result) -> None:
    astray = solved(today, Start(x=np.full(today.edges, 7.0), dual=np.full(today.row_count, 1e5)))
    assert astray.status is Status.SOLVED
    assert iterations(astray) <= iterations(cold) + 1


def test_numbers_outside_all_limits_are_brought_in(today: MatchingLP, yesterday: Start) -> None:
    rng = np.random.default_rng(0)
    assert yesterday.dual is not None
    wild = Start(x=rng.uniform(-5, 5, today.edges), dual=yesterday.dual - 0.01 * rng.random(today.row_count))
    assert solved(today, wild).certificate is not None


def test_the_more_it_counts_the_nearer_the_answer_stays_and_the_more_that_costs(
    today: MatchingLP, yesterday: Start
) -> None:
    results = [solved(today, yesterday, stay=rho) for rho in (0.01, 0.1, 1.0)]
    churns = [result.started.churn for result in results]  # type: ignore[union-attr]  # all were started
    gaps = [result.certificate.certified_gap for result in results]  # type: ignore[union-attr]  # and judged
    assert churns == sorted(churns, reverse=True)
    assert churns[-1] < 0.5 * churns[0]
    assert gaps == sorted(gaps)
    for result in results:
        assert result.started is not None
        assert 0 <= result.started.stay_gap <= 1e-4  # type: ignore[operator]  # the referee has judged it


def test_sources_that_are_alike_stay_each_near_its_own() -> None:
    """Four times two users with one item each and another; the second item pays more, and what was decided differs."""
    sources = 8
    lp = MatchingLP(
        offsets=2 * np.arange(sources + 1),
        destination=np.tile(np.array([0, 1], dtype=np.int32), sources),
        a=np.ones(2 * sources, dtype=np.float32),
        c=np.tile(np.array([-1.0, -1.5], dtype=np.float32), sources),
        b=np.array([6.0, 6.0]),
        polytope=Simplex(),
    )
    first = np.arange(sources) < sources / 2
    p = np.column_stack((first, ~first)).astype(float).ravel()
    x = solved(lp, Start(x=p, dual=np.zeros(2)), stay=2.0, tolerance=1e-6).x
    assert x is not None
    # Within 1'x <= 1 a user moves (1.5 - 1) / (2 rho) from the first item to the second, or stays where it has all.
    expected = np.where(first[:, None], [0.875, 0.125], [0.0, 1.0])
    np.testing.assert_allclose(x.reshape(-1, 2), expected, atol=1e-3)


def test_staying_without_newton_is_refused(today: MatchingLP) -> None:
    with pytest.raises(OptionError, match="stay needs Newton's method"):
        BlockPDHG().prepare(today, Settings(stay=1.0, options={"finish": "none"}))
