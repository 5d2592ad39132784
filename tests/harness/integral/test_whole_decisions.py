"""Whole decisions keep every limit, are judged as they are, and say who got nothing and why."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

import instances
from harness import certify, solve, whole_decisions
from harness.integral.judge import judged_whole
from harness.integral.unmeetable import UnmeetableError
from instances import (
    Box,
    BoxCut,
    InputError,
    MatchingLP,
    PerSource,
    Rows,
    Simplex,
    generate,
    objective,
    parse_spec,
)
from solvers.whole import candidates
from tests.support.optimum import optimum
from tests.support.whole import least_whole, whole_lp

GAP = Path(instances.__file__).parent / "data" / "gap"


def best_known(file: str) -> float:
    with (GAP / "lp-optimum.csv").open() as table:
        return next(float(row["integer_best_known"]) for row in csv.DictReader(table) if row["instance"] == file)


@pytest.fixture(params=["every edge", "candidates first"])
def searched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small LPs are searched as a whole; let them be searched like large ones as well."""
    if request.param == "candidates first":
        monkeypatch.setattr(candidates, "_ALL", 0)


@pytest.mark.usefixtures("searched")
def test_whole_decisions_against_all_whole_points() -> None:
    for seed in range(80):
        lp = whole_lp(seed)
        best = least_whole(lp)
        try:
            decided = whole_decisions(lp, np.zeros(lp.edges), np.zeros(lp.row_count))
        except UnmeetableError:
            assert best == math.inf, seed
            continue
        assert decided.figures.kept == (best < math.inf), seed  # on LPs of this size the search finds what exists
        assert decided.figures.integral
        if decided.figures.kept:
            reached = objective(lp, decided.x)
            assert best <= reached < math.inf, seed
            assert decided.certificate.feasible_objective == pytest.approx(reached, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_the_gap_is_that_of_the_whole_point_against_a_bound_of_the_lp(seed: int) -> None:
    lp = whole_lp(seed)
    if least_whole(lp) == math.inf:
        return
    rng = np.random.default_rng(seed)
    decided = whole_decisions(lp, np.zeros(lp.edges), rng.normal(size=lp.row_count))
    if decided.figures.gap is None:
        assert not decided.figures.kept
        return
    bound = decided.certificate.dual_bound
    assert bound is not None
    assert bound <= optimum(lp) + 1e-9
    assert decided.figures.gap == pytest.approx((objective(lp, decided.x) - bound) / max(1, abs(bound)), abs=1e-9)


@pytest.mark.parametrize(
    ("polytope", "expected"),
    [
        (Simplex(z=2.0), [[0, 2, 0], [0, 0, 2]]),
        (Simplex(z=1.9), [[0, 1, 0], [0, 0, 1]]),
        (Simplex(z=3.0, equality=True), [[0, 3, 0], [0, 1, 2]]),
        (Box(1.0), [[1, 1, 0], [0, 1, 1]]),
        (Box(1.999), [[1, 1, 0], [0, 1, 1]]),
        (BoxCut(upper=1.0, at_most=2.0), [[1, 1, 0], [0, 1, 1]]),
        (BoxCut(upper=2.5, at_most=3.0), [[1, 2, 0], [0, 1, 2]]),
        (BoxCut(upper=1.0, at_most=3.0, equality=True), [[1, 1, 1], [1, 1, 1]]),
    ],
    ids=str,
)
def test_each_polytope_is_kept_and_used(polytope: instances.Polytope, expected: list[list[int]]) -> None:
    """Two sources; the third item has two units, which the second source needs most."""
    lp = MatchingLP(
        offsets=[0, 3, 6],
        c=[-1.0, -3.0, 1.0, 1.0, -1.0, -5.0],
        polytope=polytope,
        rows=[Rows("item", row=[0, 1, 2] * 2, upper=[np.inf, np.inf, 2.0])],
    )
    decided = whole_decisions(lp, np.zeros(6), None)
    assert decided.x.reshape(2, 3).tolist() == expected
    assert decided.figures.kept


def test_who_got_nothing_is_counted_by_reason() -> None:
    lp = MatchingLP(
        offsets=[0, 0, 1, 2, 3, 4],
        c=[-1.0, 2.0, -3.0, -4.0],
        polytope=BoxCut(upper=np.array([1.0, 0.5, 1.0, 1.0, 1.0]), at_most=1.0),
        rows=[Rows("item", row=[0, 0, 0, 0], upper=[1.0])],
    )
    decided = whole_decisions(lp, np.zeros(4), None)
    assert decided.x.tolist() == [0, 0, 0, 1]
    assert decided.figures.undecided == {"no_edges": 1, "limit_below_one": 1, "no_gain": 1, "rows_full": 1}
    assert decided.figures.decided == 1


def test_ten_cents_ten_times_are_a_budget_of_one() -> None:
    lp = MatchingLP(
        offsets=np.arange(12), c=-np.ones(11), rows=[Rows("money", coefficient=0.1, upper=1.0, row=[0] * 11)]
    )
    decided = whole_decisions(lp, np.zeros(11), None)
    assert decided.x.sum() == 10
    assert decided.figures.kept


def test_the_judge_believes_no_x_that_is_not_whole_or_leaves_a_row() -> None:
    lp = MatchingLP(offsets=[0, 1, 2], c=[-1.0, -1.0], destination=[0, 0], a=[1.0, 1.0], b=[1.0])
    halves, both = np.full(2, 0.5), np.ones(2)
    for x, integral, kept in ((halves, False, True), (both, True, False)):
        figures = judged_whole(lp, x, certify(lp, x, np.ones(1)), None)
        assert (figures.integral, figures.kept, figures.gap) == (integral, kept, None)
        assert figures.reason


@pytest.mark.parametrize("file", ["a05100", "b10100", "d05100", "e05200"])
def test_small_assignment_problems_end_near_their_best_known_value(file: str) -> None:
    lp = generate(parse_spec(f"gap:file={file}"))
    result = solve(lp, "scipy-highs-ds")
    assert result.answer is not None
    decided = whole_decisions(lp, result.answer.x, result.answer.dual, effort=100)
    assert decided.figures.kept
    assert decided.figures.gap is not None
    assert objective(lp, decided.x) <= 1.01 * best_known(file)


def test_more_effort_crosses_hard_rows_and_does_no_harm() -> None:
    lp = generate(parse_spec("gap:file=e20100"))
    answer = solve(lp, "scipy-highs-ds").answer
    assert answer is not None
    little, much = (whole_decisions(lp, answer.x, answer.dual, effort=effort) for effort in (2, 1000))
    assert much.figures.kept
    assert objective(lp, much.x) < objective(lp, little.x)


@pytest.mark.usefixtures("searched")
def test_the_same_answer_gives_the_same_decisions() -> None:
    lp = generate(parse_spec("slots:sources=500,destinations=20,degree=6,seed=3"))
    answer = solve(lp, "scipy-highs-ds").answer
    assert answer is not None
    first, again = (whole_decisions(lp, answer.x, answer.dual, threads=threads) for threads in (1, 2))
    assert np.array_equal(first.x, again.x)
    assert first.figures == again.figures
    assert first.figures.gap is not None
    assert first.figures.gap < 0.01


def test_sources_may_need_edges_that_are_no_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The LP uses the first edge of each '=' source by halves; whole decisions need the third."""
    monkeypatch.setattr(candidates, "_ALL", 0)
    monkeypatch.setattr(candidates, "_OF_A_UNIT", 1)
    lp = MatchingLP(
        offsets=[0, 3, 6, 8],
        c=[-3.0, 1.0, 2.0, -3.0, 1.0, 3.0, -1.0, -1.0],
        polytope=PerSource(kind=np.array([1, 1, 0], np.uint8), radius=np.ones(3)),
        rows=[Rows("item", row=[0, 1, 2, 0, 1, 2, 3, 4], upper=[1.9, 0.9, 2.0, 0.5, 1.0])],
    )
    decided = whole_decisions(lp, np.array([1.0, 0, 0, 0.9, 0.1, 0, 0.5, 0]), np.array([4.0, 0, 0, 0, 0]))
    assert decided.x.tolist() == [0, 0, 1, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("change", [{"x": None}, {"effort": -1.0}])
def test_arguments_without_a_sense_are_refused(change: dict[str, object]) -> None:
    lp = MatchingLP(offsets=[0, 1], c=[-1.0], destination=[0], a=[1.0], b=[1.0])
    with pytest.raises(InputError):
        whole_decisions(lp, **{"x": np.zeros(1), **change})  # type: ignore[arg-type]


def test_integral_sources_of_the_lp_keep_their_edges() -> None:
    lp = generate(parse_spec("unit:sources=300,destinations=10,degree=4,seed=5"))
    answer = solve(lp, "scipy-highs-ds").answer
    assert answer is not None
    assert answer.x is not None
    decided = whole_decisions(lp, answer.x, answer.dual)
    assert decided.figures.gap is not None
    assert decided.figures.gap <= 1e-9  # the rows are whole, so is a vertex


def test_a_source_may_have_more_units_than_can_be_moved_one_by_one() -> None:
    lp = MatchingLP(
        offsets=[0, 2, 4],
        c=[-2.0, -1.0, -3.0, -1.0],
        polytope=Simplex(z=4e9, equality=True),
        rows=[Rows("place", row=[0, 1, 0, 1], upper=[5e9, 3e9])],
    )
    decided = whole_decisions(lp, np.array([1e9, 3e9, 4e9, 0.0]), np.array([1.0, 0.0]))
    assert decided.figures.kept
    assert decided.figures.gap == pytest.approx(0.0, abs=1e-9)
    assert decided.x.tolist() == [1e9, 3e9, 4e9, 0.0]


def test_numbers_that_are_none_do_no_harm() -> None:
    lp = MatchingLP(offsets=[0, 2], c=[-1.0, -2.0], destination=[0, 0], a=[1.0, 1.0], b=[1.0])
    decided = whole_decisions(lp, np.full(2, np.nan), np.array([np.inf]))
    assert decided.figures.kept
    assert decided.x.tolist() == [0.0, 1.0]
