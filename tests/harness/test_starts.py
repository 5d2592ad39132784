"""Runs that begin from an earlier answer: passed on, timed, told, and never left aside in silence."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import read_start, solve, write_start
from harness.attempt import failure
from harness.case import Case
from harness.recording import case_record
from harness.solve import execute
from harness.starts import NoWarmStartError, start_hash
from harness.staying import churn
from harness.trust.probes import known_optimum
from instances import Kind, MatchingLP, generate, parse_spec
from solvers import (
    EXPLICIT_KINDS,
    Answer,
    Availability,
    OptionError,
    Settings,
    Solver,
    Start,
    StartError,
    Status,
    get_solver,
)

PROBE = known_optimum(Kind.SIMPLEX)
X = np.array([1.0, 0.0, 0.5, 0.0, 0.0, 0.0])
OPTIMUM = Start(x=X, dual=np.array(PROBE.dual))


class Echo(Solver):
    """Answers what it was started from."""

    id = title = citation = "echo"
    bytes_per_edge = 0.0
    polytopes = EXPLICIT_KINDS
    warm_starts = ("x", "dual")

    def available(self) -> Availability:
        return Availability(ok=True, version="1")

    def prepare(self, lp: MatchingLP, settings: Settings) -> Start:  # noqa: ARG002 - the contract
        return Start(x=np.zeros(lp.edges), dual=np.zeros(lp.row_count))

    def warm_start(self, state: Start, start: Start) -> Start:  # noqa: ARG002 - the contract
        time.sleep(0.05)
        return start

    def run(self, state: Start) -> Answer:
        return Answer(x=state.x, dual=state.dual, status=Status.SOLVED)


class FromDuals(Echo):
    id = "from-duals"
    warm_starts = ("dual",)


class Cold(Echo):
    id = "cold"
    warm_starts = ()


class Staying(Echo):
    id = "staying"
    stays = True


def test_a_solver_begins_from_what_it_is_given() -> None:
    cold = execute(PROBE.lp, Echo(), Settings(tolerance=1e-6))
    warm = execute(PROBE.lp, Echo(), Settings(tolerance=1e-6), start=OPTIMUM)
    assert (cold.status, warm.status) == (Status.INACCURATE, Status.SOLVED)
    assert cold.started is None
    assert warm.started is not None
    assert (warm.started.hash, warm.started.parts) == (start_hash(OPTIMUM), "x and dual")
    assert warm.started.churn == 0.0


@pytest.mark.parametrize("part", ["x", "dual"])
@pytest.mark.parametrize("number", [1e300, -1e300])
@pytest.mark.parametrize("solver", ["blockpdhg", "dualip", "dualip-restarted"])
@pytest.mark.filterwarnings("error")
def test_absurd_numbers_of_a_start_change_no_answer(solver: str, number: float, part: str) -> None:
    lp = generate(parse_spec("unit:sources=200,destinations=5,degree=3,seed=1"))
    size = {"x": lp.edges, "dual": lp.row_count}
    whole = {name: np.full(length, number if name == part else 0.0) for name, length in size.items()}
    given = Start(**{name: whole[name] for name in get_solver(solver).warm_starts})
    result = solve(lp, solver, tolerance=1e-2, time_limit=5.0, iteration_limit=500, start=given)
    if solver == "dualip":  # its steps are too short to come back from there
        assert result.status in (Status.SOLVED, Status.ITERATION_LIMIT, Status.TIME_LIMIT)
    else:
        assert (result.status, result.reason) == (Status.SOLVED, "")


def test_the_work_on_a_start_is_within_the_time_of_run() -> None:
    warm = execute(PROBE.lp, Echo(), Settings(), start=OPTIMUM)
    assert warm.seconds.run is not None
    assert warm.seconds.run >= 0.05


@pytest.mark.parametrize(
    ("solver", "settings", "start", "complaint"),
    [
        (Cold(), {}, OPTIMUM, "cold takes no start, x and dual was given"),
        (FromDuals(), {}, Start(x=X), "from-duals begins from dual alone, x was given"),
        (Echo(), {"stay": 1.0}, OPTIMUM, "echo cannot stay near a start"),
        (Staying(), {"stay": 1.0}, None, "stay=1 asks for a start with x"),
        (Staying(), {"stay": 1.0}, Start(dual=np.zeros(2)), "stay=1 asks for a start with x"),
    ],
)
def test_no_run_starts_cold_in_silence(
    solver: Solver, settings: dict[str, Any], start: Start | None, complaint: str
) -> None:
    with pytest.raises(NoWarmStartError, match=complaint) as error:
        execute(PROBE.lp, solver, Settings(**settings), start=start)
    assert failure(error.value)[0] is Status.SKIPPED  # as the row of a case


@pytest.mark.parametrize("stay", [-1.0, float("nan"), float("inf")])
def test_a_stay_that_is_no_number_from_0_is_refused(stay: float) -> None:
    with pytest.raises(OptionError, match=r"stay=.*: expected a finite number >= 0"):
        Settings(stay=stay)


def test_a_start_of_another_length_raises_before_anything_is_judged() -> None:
    with pytest.raises(StartError, match="x of the start has 1 entries, the LP has 6 edges"):
        execute(PROBE.lp, Echo(), Settings(), start=Start(x=np.zeros(1)))


def test_an_answer_is_the_start_of_the_next_solve_through_memory_and_through_a_file(tmp_path: Path) -> None:
    first = solve(PROBE.lp, "scipy-highs-ds")
    assert first.start is not None
    write_start(tmp_path / "start.npz", first.start)
    assert start_hash(read_start(tmp_path / "start.npz")) == start_hash(first.start)
    with pytest.raises(NoWarmStartError, match="scipy-highs-ds takes no start"):
        solve(PROBE.lp, "scipy-highs-ds", start=tmp_path / "start.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive"])
def test_a_file_that_holds_no_start_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "start.npz"
    file.write_bytes(content)
    with pytest.raises(StartError, match="is no start") as error:
        read_start(file)
    assert "\n" not in str(error.value)
    with pytest.raises(StartError, match="is no start"):
        read_start(tmp_path / "absent.npz")


def test_a_case_is_another_one_with_another_start_and_its_row_says_which(tmp_path: Path) -> None:
    write_start(tmp_path / "one.npz", OPTIMUM)
    write_start(tmp_path / "two.npz", Start(x=2 * X))
    spec = "unit:sources=2,destinations=1,degree=1,seed=1"
    cold = Case(suite="s", instance="i", spec=spec, solver="scipy-highs-ds", settings=Settings())
    one, two = (replace(cold, start=str(tmp_path / f"{name}.npz")) for name in ("one", "two"))
    near = replace(one, settings=Settings(stay=0.5))
    assert len({case.id for case in (cold, one, two, near)}) == 4
    assert Case.unpacked(json.loads(json.dumps(one.packed()))).id == one.id

    result = execute(PROBE.lp, Echo(), Settings(), start=one.warm)
    assert case_record(cold, execute(PROBE.lp, Echo(), Settings()), environment="").start is None
    row = case_record(one, result, environment="")
    assert row.start == {"hash": start_hash(OPTIMUM), "parts": "x and dual", "churn": 0.0, "stay_gap": None}


def test_churn_is_the_share_of_x_that_moved() -> None:
    assert churn(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.0
    assert churn(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0
    assert churn(np.array([2.0, 0.0]), np.array([1.0, 1.0])) == 0.5
    assert churn(np.zeros(2), np.ones(2)) is None


class Moves(Staying):
    """Answers the best x near the start (0, ..., 0): for rho = 8, x_00 = 6 / 8 and so on, within all limits."""

    def run(self, state: Start) -> Answer:  # noqa: ARG002 - its answer is known
        x = np.array([6.0, 1.0, 2.0, 0.0, 1.0, 0.0]) / 8
        return Answer(x=x, dual=np.zeros(2), status=Status.SOLVED)


def test_staying_is_judged_by_its_own_gap_and_the_gap_of_the_lp_is_what_it_cost() -> None:
    origin = Start(x=np.zeros(6))
    result = execute(PROBE.lp, Moves(), Settings(tolerance=1e-9, stay=8.0), start=origin)
    assert result.started is not None
    assert result.certificate is not None
    assert result.started.stay_gap == pytest.approx(0.0, abs=1e-12)
    assert result.status is Status.SOLVED
    # c'x = -(36 + 1 + 4 + 1) / 8 beside the bound at price 0, which is -6 - 2 - 1
    assert result.certificate.certified_gap == pytest.approx((9 - 42 / 8) / 9)
    assert result.started.churn == 0.5

    wrong = execute(PROBE.lp, Moves(), Settings(tolerance=1e-9, stay=7.0), start=origin)
    assert wrong.status is Status.INACCURATE
    assert "with stay=7, its certified gap is" in wrong.reason
