"""Runs that are cut short on purpose: a row of limits for iterative solvers, points for a curve."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.anytime import EndedByThemselves, limits_below
from harness.cli import invoke
from harness.folder import Folder, missing_cases
from harness.suite import Suite
from harness.suite_file import parse_suite
from reports import anytime
from reports.load import load

SPEC = "independent:sources=20000,destinations=200,degree=8,seed=1"
SUITE = f"""
instances = ["{SPEC}"]
solvers = ["ortools-pdlp", "scipy-highs-ds"]
tolerances = [1e-2, 1e-6]
threads = 1
time_limit = 0.3
repeats = 2
"""


def suite(text: str = SUITE, *, short: bool = True) -> Suite:
    return parse_suite("mine", text.encode()).override(anytime=short)


def row(limit: float, status: str, solver: str = "ortools-pdlp", *, short: bool = True) -> dict[str, Any]:
    case = next(case for case in suite().cases() if case.settings.time_limit == limit and case.anytime == short)
    fields = {"instance": SPEC, "solver": solver, "status": status, "seconds": {"run": limit}}
    return {"case": case.id, "anytime": short, "settings": {"time_limit": limit}, "repeat": 0, **fields}


def test_limits_go_up_in_steps_that_a_log_axis_shows_evenly() -> None:
    assert limits_below(0.3) == [0.01, 0.02, 0.05, 0.1, 0.2]
    assert limits_below(0.01) == []
    assert all(2 <= later / earlier <= 2.5001 for earlier, later in pairwise(limits_below(1000.0)))


def test_an_iterative_solver_is_cut_short_at_each_limit_and_an_exact_one_never() -> None:
    cases = list(suite().cases())
    short = [(case.solver, case.settings.time_limit, case.repeat) for case in cases if case.anytime]
    assert short == [("ortools-pdlp", limit, 0) for limit in limits_below(0.3)]
    whole = [(case.solver, case.settings.tolerance, case.repeat) for case in cases if not case.anytime]
    assert whole == [(solver, 1e-6, repeat) for repeat in (0, 1) for solver in suite().solvers]
    assert len({case.id for case in cases}) == len(cases)


def test_without_the_flag_a_suite_is_what_it_was() -> None:
    assert not any(case.anytime for case in suite(short=False).cases())
    assert not parse_suite("mine", SUITE.encode()).anytime


def test_a_short_run_never_stands_for_a_case_with_that_limit() -> None:
    ordinary = suite(short=False).override(time_limit=0.2, tolerances=(1e-6,))
    folder = Folder(path=Path(), rows=(row(0.2, "time_limit"),))
    assert len(missing_cases(ordinary, folder)) == len(list(ordinary.cases()))


def test_a_solver_that_ended_by_itself_is_not_cut_short_at_longer_limits() -> None:
    ended = EndedByThemselves([row(0.05, "solved")])
    left = [case.settings.time_limit for case in suite().cases() if case.anytime and not ended.needless(case)]
    assert left == []
    whole = [case for case in suite().cases() if not case.anytime]
    assert not any(map(ended.needless, whole))
    assert not any(map(EndedByThemselves([row(0.05, "time_limit")]).needless, suite().cases()))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("anytime")
    file = folder / "mine.toml"
    file.write_text(SUITE)
    assert invoke(["run", str(file), "--anytime", "--in-process", "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_every_point_is_judged_and_marked_and_can_be_verified(finished: Path) -> None:
    rows = records.read(finished).cases
    short = [row for row in rows if row["anytime"]]
    assert {row["settings"]["time_limit"] for row in short} <= set(limits_below(0.3))
    assert any(row["certificate"] and row["certificate"]["certified_gap"] is not None for row in short)
    assert {row["anytime"] for row in rows} == {True, False}
    assert invoke(["verify", str(finished)]) == 0


def test_the_page_has_the_curve_and_the_best_gap_only_falls(finished: Path) -> None:
    page = (finished / "report" / "report.html").read_text()
    assert "Certified gap over time" in page
    loaded = load([finished])
    found = anytime.points(loaded.anytime, loaded.cases)
    assert set(found["competitor"]) == {"ortools-pdlp"}
    assert found["best"].is_monotonic_decreasing
    assert (found["best"] <= found["accuracy"]).all()
