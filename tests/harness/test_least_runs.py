"""Five runs below 10 s, three below a minute, one above: what repeats = "auto" runs, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.cli import invoke
from harness.folder import Folder, missing_cases, open_folder
from harness.least_runs import RunsTaken, least_runs
from harness.run_options import Repeats
from harness.runner import run_suite
from harness.suite import Suite
from harness.suite_file import load_suite, parse_suite, suite_names
from tests.support.records import Silent

SUITE = """
instances = ["unit:sources=60,destinations=5,degree=3,seed=1"]
solvers = ["scipy-highs-ds"]
tolerances = [1e-4]
threads = 1
"""
AUTO = SUITE + 'repeats = "auto"\n'


def suite(text: str = AUTO) -> Suite:
    return parse_suite("mine", text.encode())


def row(seconds: float | None, repeat: int = 0, status: str = "solved") -> dict[str, Any]:
    case = next(iter(suite().cases()))
    return {"case": replace(case, repeat=repeat).id, "seconds": {"run": seconds}, "status": status}


def repeats_left(*rows: dict[str, Any]) -> list[int]:
    return [case.repeat for case in missing_cases(suite(), Folder(path=Path(), rows=rows))]


@pytest.mark.parametrize(("seconds", "runs"), [(0.01, 5), (9.99, 5), (10.0, 3), (59.9, 3), (60.0, 1), (3600.0, 1)])
def test_a_time_asks_for_so_many_runs(seconds: float, runs: int) -> None:
    assert least_runs(seconds) == runs
    assert repeats_left(row(seconds)) == list(range(1, runs))


def test_the_shortest_run_decides_so_that_a_long_one_cannot_end_the_repeats() -> None:
    assert repeats_left(row(9.0), row(11.0, 1)) == [2, 3, 4]
    assert repeats_left(row(11.0), row(9.0, 1)) == [2, 3, 4]


@pytest.mark.parametrize("status", ["time_limit", "memory_limit", "crashed", "error", "skipped"])
def test_what_has_no_time_of_its_own_is_run_once(status: str) -> None:
    assert repeats_left(row(0.5, status=status)) == []
    assert repeats_left(row(None, status=status)) == []


def test_a_claim_that_was_refuted_has_a_time_and_is_repeated() -> None:
    assert repeats_left(row(0.5, status="inaccurate")) == [1, 2, 3, 4]


def test_a_number_of_repeats_is_taken_as_it_is() -> None:
    fixed = suite(SUITE + "repeats = 7\n")
    assert [case.repeat for case in missing_cases(fixed, Folder(path=Path(), rows=(row(99.0),)))] == list(range(1, 7))


def test_cases_of_one_question_share_it_and_others_do_not() -> None:
    runs = RunsTaken([row(99.0)])
    tight = suite().override(tolerances=(1e-6,))
    assert not any(runs.needless(case.id) for case in tight.cases())


def test_a_run_takes_five_of_a_short_case_and_resuming_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "out"
    done = run_suite(suite(), open_folder(suite(), path, resume=False), Silent(), in_process=True)
    assert [record.repeat for record in done] == [0, 1, 2, 3, 4]
    assert missing_cases(suite(), open_folder(suite(), path, resume=True)) == []
    assert len(records.read(path).cases) == 5


def test_a_case_that_fails_leaves_its_repeats_out(tmp_path: Path) -> None:
    left_out: list[bool] = []

    class Watching(Silent):
        def leave_out(self) -> None:
            left_out.append(True)

    text = AUTO + '[[exclude]]\ninstance = "unit:sources=60,destinations=5,degree=3,seed=1"\n'
    chosen = suite(text + 'solver = "scipy-highs-ds"\nreason = "slow"\n')
    done = run_suite(chosen, open_folder(chosen, tmp_path / "out", resume=False), Watching(), in_process=True)
    assert ([record.status for record in done], len(left_out)) == (["skipped"], 4)


def test_the_command_line_knows_auto(capsys: pytest.CaptureFixture[str]) -> None:
    assert Repeats().convert("auto", None, None) == "auto"
    assert Repeats().convert("3", None, None) == 3
    assert suite(SUITE).override(repeats="auto").most_repeats == 5
    assert invoke(["run", "smoke", "--repeats", "often"]) == 2
    assert "'often' is not a valid integer" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted({*suite_names()} - {"smoke"}))
def test_the_suites_that_are_published_take_as_many_runs_as_their_times_ask_for(name: str) -> None:
    suite = load_suite(name)
    assert suite.repeats == "auto" or suite.days
