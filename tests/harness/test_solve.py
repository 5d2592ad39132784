"""One call for a notebook: settings are checked, failures are data, claims need the referee."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from harness import solve
from harness.attempt import UnavailableError
from harness.case import Case
from harness.recording import case_record
from harness.result import Result
from harness.solve import execute
from instances import InputError, MatchingLP, MatchingSpec, generate
from solvers import EXPLICIT_KINDS, Answer, Availability, Settings, Solver, Status, TracePoint

SPEC = "dualip:sources=200,destinations=10,degree=4,seed=1"


@pytest.fixture(scope="module")
def lp() -> MatchingLP:
    return generate(MatchingSpec.parse(SPEC))


class Fake(Solver):
    """A solver that answers what it is told to."""

    id = title = citation = "fake"
    bytes_per_edge = 0.0
    polytopes = EXPLICIT_KINDS

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def available(self) -> Availability:
        return Availability(ok=self._answer is not None, version="1", reason="not here", remedy="pip install fake")

    def prepare(self, lp: MatchingLP, settings: Settings) -> MatchingLP:  # noqa: ARG002 - the contract
        return lp

    def run(self, state: MatchingLP) -> Answer:
        if isinstance(self._answer, BaseException):
            raise self._answer
        x, dual = self._answer(state)
        return Answer(x=x, dual=dual, status=Status.SOLVED, raw_status="OPTIMAL")


def test_the_example_of_the_readme_returns_status_times_answer_and_certificate(lp: MatchingLP) -> None:
    result = solve(lp, "ortools-pdlp", tolerance=1e-4, time_limit=60.0, threads=2)
    assert result.status is Status.SOLVED
    assert result.seconds.run is not None
    assert result.answer is not None
    assert (result.answer.x.shape, result.answer.dual.shape) == ((lp.edges,), (lp.destinations,))
    assert result.certificate is not None
    assert 0 <= result.certificate.certified_gap <= 1e-4


def test_a_false_claim_of_optimality_is_inaccurate(lp: MatchingLP) -> None:
    result = execute(lp, Fake(lambda lp: (np.zeros(lp.edges), np.zeros(lp.destinations))), Settings(tolerance=1e-3))
    assert result.status is Status.INACCURATE
    assert "claimed 0.001, the certified gap is" in result.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda lp: (np.zeros(3), np.zeros(lp.destinations)), r"x is float64\[3\]: expected"),
        (lambda lp: (np.full(lp.edges, np.nan), np.zeros(lp.destinations)), "x has entries that are not finite"),
        (lambda lp: (None, np.zeros(lp.destinations)), "x is missing"),
        (lambda lp: (np.zeros(lp.edges), None), "dual is missing"),
    ],
)
def test_answers_that_cannot_be_judged_are_inaccurate_with_the_reason(lp: MatchingLP, answer: Any, reason: str) -> None:
    result = execute(lp, Fake(answer), Settings())
    assert result.status is Status.INACCURATE
    assert re.search(reason, result.reason)


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("two\nlines"), Status.ERROR), (MemoryError("no room"), Status.MEMORY_LIMIT)]
)
def test_what_a_solver_raises_becomes_one_line_of_a_result(
    lp: MatchingLP, error: BaseException, status: Status
) -> None:
    result = execute(lp, Fake(error), Settings())
    assert result.status is status
    assert result.reason == f"{type(error).__name__}: {' '.join(str(error).split())}"
    assert result.seconds.prepare is not None


def test_bad_input_raises(lp: MatchingLP) -> None:
    with pytest.raises(UnavailableError, match="fake: not here; pip install fake"):
        execute(lp, Fake(None), Settings())
    calls: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("nosuch", {}, "unknown solver 'nosuch': use one of"),
        ("ortools-pdlp", {"tol": 1.0}, "unknown setting 'tol': known settings are tolerance"),
        ("ortools-pdlp", {"options": {"a": 1}}, "unknown option 'a': known options and defaults are eps_factor"),
        ("ortools-pdlp", {"options": {"eps_factor": "x"}}, "option eps_factor='x': expected float"),
        ("scipy-highs-ds", {"device": "cuda"}, "does not run on cuda: use cpu"),
        ("ortools-pdlp", {"threads": 0}, "threads=0: expected a whole number >= 1"),
    )
    for solver, settings, message in calls:
        with pytest.raises(InputError, match=message):
            solve(lp, solver, **settings)


@pytest.mark.parametrize(("points", "kept"), [(0, 0), (1, 1), (2, 2), (400, 400), (401, 201), (10_000, 401)])
def test_a_long_trace_is_thinned_and_keeps_its_ends(points: int, kept: int) -> None:
    trace = [TracePoint(seconds=float(k), iteration=k, gap=1.0) for k in range(points)]
    answer = Answer(x=None, dual=None, status=Status.TIME_LIMIT, trace=trace)
    case = Case(suite="s", instance=SPEC, spec=SPEC, solver="scipy-highs-ds", settings=Settings())
    found = case_record(case, Result(status=Status.TIME_LIMIT, answer=answer), environment="e").trace
    assert (len(found["iteration"]) if found else 0) == kept
    if found:
        assert (found["iteration"][0], found["iteration"][-1]) == (0, points - 1)
