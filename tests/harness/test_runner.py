"""Runs: every case is a row at once, in a real child process that may be killed, and resuming repeats nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import certify, records
from harness.cli import invoke
from harness.folder import missing_cases, open_folder
from harness.runner import run_suite
from harness.suite import Suite, SuiteError
from harness.suite_file import parse_suite
from instances import generate, parse_spec
from tests.support.records import Silent

SUITE = """
instances = ["unit:sources=300,destinations=10,degree=4,seed=1", "dualip:sources=300,destinations=10,degree=4,seed=1"]
solvers = ["ortools-pdlp", "scipy-highs-ds"]
tolerances = [1e-2, 1e-4]
threads = 1
time_limit = 20
"""
#: HiGHS needs far longer than the tests that interrupt it.
LONG = "unit:sources=100000,destinations=1000,degree=10,seed=1"


def suite(text: str = SUITE) -> Suite:
    return parse_suite("mine", text.encode())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "finished"
    run_suite(suite(), open_folder(suite(), path, resume=False), Silent())
    return path


def test_every_case_is_a_solved_row_with_times_shape_and_environment(finished: Path) -> None:
    found = records.read(finished)
    assert [row["case"] for row in found.cases] == [case.id for case in suite().cases()]
    assert {row["status"] for row in found.cases} == {"solved"}
    for row in found.cases:
        assert row["environment"] == found.environments[0]["id"]
        assert row["seconds"]["run"] > 0
        assert row["seconds"]["generate"] > 0
        assert row["peak_memory"]["host"] > 0
        assert row["cells"] == 3000
        assert row["certificate"]["certified_gap"] <= row["settings"]["tolerance"]
        assert row["seconds"]["warm_up"] > 0
        assert row["seconds"]["isolation"] > 0
        assert row["disturbance"]["cores"] == 1


def test_the_bound_can_be_derived_again_from_the_spec_and_the_stored_dual(finished: Path) -> None:
    for row in records.read(finished).cases:
        dual = np.load(finished / row["dual_file"], allow_pickle=False)
        again = certify(generate(parse_spec(row["spec"])), None, dual)
        assert again.dual_bound == row["certificate"]["dual_bound"]


def test_resuming_runs_only_what_is_missing(finished: Path, tmp_path: Path) -> None:
    lines = (finished / "records.jsonl").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "records.jsonl").write_bytes(b"".join(lines[:-2]) + lines[-2][:40])
    folder = open_folder(suite(), cut, resume=True)
    missing = [case.id for case in missing_cases(suite(), folder)]
    assert missing == [case.id for case in suite().cases()][-2:]
    assert "not a whole JSON object" in folder.warnings[0]
    assert [record.case for record in run_suite(suite(), folder, Silent())] == missing
    assert missing_cases(suite(), open_folder(suite(), cut, resume=True)) == []


def test_a_disturbed_case_is_run_again_and_its_new_row_counts(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    rows = [json.loads(line) for line in (copy / "records.jsonl").read_text().splitlines()]
    cases = [row for row in rows if row["kind"] == "case"]
    for row in cases:
        row["disturbed"] = "other processes took 40% of the cores" if row is cases[1] else ""
    (copy / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert missing_cases(suite(), open_folder(suite(), copy, resume=True)) == []
    folder = open_folder(suite(), copy, resume=True, rerun_disturbed=True)
    assert [record.case for record in run_suite(suite(), folder, Silent())] == [cases[1]["case"]]
    found = records.read(copy).cases
    assert [row["case"] for row in found] == [row["case"] for row in cases]
    old, new = cases[1]["dual_file"], found[1]["dual_file"]
    assert old != new
    assert (copy / old).exists()  # nothing is deleted
    assert (copy / new).exists()
    lines = (copy / "records.jsonl").read_text().splitlines()
    assert sum(json.loads(line).get("case") == cases[1]["case"] for line in lines) == 2
    assert invoke(["verify", str(copy)]) == 0


def question(row: dict[str, Any]) -> tuple[str, ...]:
    """What a case asks, whichever repeat; HiGHS, which is exact, is asked once for all tolerances."""
    asked = "" if row["solver"] == "scipy-highs-ds" else str(row["settings"]["tolerance"])
    return row["instance"], row["solver"], asked


def test_in_process_gives_the_same_answers_and_warms_a_solver_up_once(finished: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "mine.toml", tmp_path / "out"
    file.write_text(SUITE.replace("1e-2, 1e-4", "1e-2") + "repeats = 2")
    command = [sys.executable, "-m", "harness", "run", str(file), "--in-process", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    isolated = {question(row): row["certificate"]["dual_bound"] for row in records.read(finished).cases}
    rows = records.read(out).cases
    assert len(rows) == 8
    for row in rows:
        assert row["status"] == "solved"
        assert row["seconds"]["isolation"] is None
        assert row["certificate"]["dual_bound"] == pytest.approx(isolated[question(row)], rel=1e-9)
    warmed = [(row["solver"], row["repeat"]) for row in rows if row["seconds"]["warm_up"] is not None]
    assert warmed == [("ortools-pdlp", 0), ("scipy-highs-ds", 0)]


def test_folders_that_hold_something_else_are_refused_untouched(finished: Path, tmp_path: Path) -> None:
    before = (finished / "records.jsonl").read_bytes()
    with pytest.raises(SuiteError, match="add --resume"):
        open_folder(suite(), finished, resume=False)
    with pytest.raises(SuiteError, match="records of another suite"):
        open_folder(suite(SUITE + "repeats = 2"), finished, resume=True)
    assert (finished / "records.jsonl").read_bytes() == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SuiteError, match="not an empty folder"):
        open_folder(suite(), tmp_path, resume=True)


def test_what_cannot_fit_and_what_is_excluded_become_skipped_rows_with_the_reason(tmp_path: Path) -> None:
    text = SUITE.replace('"unit:sources=300,destinations=10,degree=4,seed=1"', '"ladder-100m"')
    text += '[[exclude]]\ninstance = "dualip:sources=300,destinations=10,degree=4,seed=1"\n'
    text += 'solver = "scipy-highs-ds"\nreason = "known to take an hour"\n'
    chosen = suite(text).override(tolerances=(1e-2,))
    done = run_suite(chosen, open_folder(chosen, tmp_path / "out", resume=False), Silent())
    assert [(r.solver, r.status) for r in done] == [
        ("ortools-pdlp", "skipped"),
        ("scipy-highs-ds", "skipped"),
        ("ortools-pdlp", "solved"),
        ("scipy-highs-ds", "skipped"),
    ]
    assert "GiB of memory" in done[0].reason
    assert done[3].reason == "known to take an hour"


def test_interrupting_the_command_keeps_what_is_recorded(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.toml", tmp_path / "out"
    file.write_text(SUITE.replace('"dualip:sources=300,destinations=10,degree=4,seed=1"', f'"{LONG}"'))
    command = [sys.executable, "-m", "harness", "run", str(file), "--solver", "scipy-highs-ds", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    timer = threading.Timer(120, process.kill)
    timer.start()
    assert process.stdout is not None
    assert "solved" in process.stdout.readline()
    time.sleep(1.0)  # the next case is running: it takes minutes
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    timer.cancel()
    assert process.returncode == 130
    assert errors.strip() == "dualbench: interrupted; what was finished is recorded, --resume goes on"
    assert [row["status"] for row in records.read(out).cases] == ["solved"]


def test_a_solver_that_reached_its_limit_is_not_asked_for_less_and_the_row_says_so(tmp_path: Path) -> None:
    text = SUITE.replace('"scipy-highs-ds"', '"scipy-highs-ipm"').replace("20", "1e-3")
    done = run_suite(suite(text), open_folder(suite(text), tmp_path / "out", resume=False), Silent())
    pdlp = [r for r in done if r.solver == "ortools-pdlp" and r.instance.startswith("unit")]
    assert [r.status for r in pdlp] == ["time_limit", "time_limit"]
    assert pdlp[0].seconds.run is not None
    assert (pdlp[1].seconds.run, pdlp[1].reason) == (None, "not run: it reached its limit at tolerance 0.01")
    lines = (tmp_path / "out" / "records.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "out" / "records.jsonl").write_bytes(b"".join(lines[:-5]))
    again = run_suite(suite(text), open_folder(suite(text), tmp_path / "out", resume=True), Silent())
    assert again[0].reason == pdlp[1].reason


def test_solvers_whose_libraries_exclude_each_other_run_in_one_suite(tmp_path: Path) -> None:
    text = SUITE.replace('"scipy-highs-ds"', '"highs-pdlp"')
    done = run_suite(suite(text), open_folder(suite(text), tmp_path / "out", resume=False), Silent())
    assert {(r.solver, r.status) for r in done} == {("ortools-pdlp", "solved"), ("highs-pdlp", "solved")}
