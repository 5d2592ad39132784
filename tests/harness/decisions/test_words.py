"""summary.md says what kind of decisions these are: proved, without a bound, or not feasible."""

from __future__ import annotations

import re

import numpy as np
import pytest

from harness import Solution, certify, solve_problem
from harness.decisions.words import in_words
from solvers import Settings, Status
from tests.support.campaigns import write_problem


@pytest.fixture(scope="module")
def solution(tmp_path_factory: pytest.TempPathFactory) -> Solution:
    return solve_problem(write_problem(tmp_path_factory.mktemp("tables")), "scipy-highs-ds")


def other(solution: Solution, x: float, *, priced: bool) -> str:
    """The words for decisions that give every edge x, with the prices of the solution or without."""
    point = np.full_like(solution.x, x)
    dual = solution.dual if priced else None
    made = Solution(
        stated=solution.stated,
        choice=solution.choice,
        columns=solution.columns,
        settings=Settings(),
        status=Status.TIME_LIMIT,
        reason="time_limit",
        certificate=certify(solution.stated.lp, point, dual),
        x=point,
        dual=dual,
        iterations=None,
        seconds={},
    )
    return in_words(made.summary)


def test_a_proved_gap_is_said_with_the_limits_that_bind(solution: Solution) -> None:
    words = in_words(solution.summary)
    assert "They keep every hard limit, and at most" in words
    assert "| total |  |" in words
    assert "are outside their limits, by" in words  # of the creators, at a price


def test_without_prices_nothing_is_said_of_the_best(solution: Solution) -> None:
    words = other(solution, 0.0, priced=False)
    assert "# problem.toml: time limit" in words
    assert "nothing proves a bound" in words
    assert "They keep every hard limit; how far they are from the best is not known: dual is missing." in words
    assert "No limit has a price." in words


def test_a_bound_stays_one_to_the_eye(solution: Solution) -> None:
    pattern = r"\*\*([\d,.]+)\*\*; no decisions that keep all limits reach more than ([\d,.]+),"
    found = re.search(pattern, in_words(solution.summary))
    assert found is not None
    objective, bound = (float(number.replace(",", "")) for number in found.groups())
    assert objective <= bound
