"""kill -9 of the harness at random moments: nothing recorded is lost, and --resume ends with every case once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.records import RECORDS_FILE, read
from harness.suite_file import load_suite

Command = Callable[..., subprocess.Popen[str]]
SUITE = """
instances = ["unit:sources=100,destinations=10,degree=3,seed=1", "dualip:sources=100,destinations=10,degree=3,seed=2"]
solvers = ["blockpdhg", "scipy-highs-ds"]
tolerances = [1e-2, 1e-4]
threads = 1
repeats = 2
time_limit = 20
"""
CASES = 12
DAYS = """
instances = ["unit:sources=100,destinations=10,degree=3,seed=1"]
solvers = ["blockpdhg"]
tolerances = [1e-4]
threads = 1
time_limit = 20
days = 2
drifts = [0.05]
"""
SOLVES_OF_DAYS = 7  # a cold one, then cold, warm and from prices on two days
LIMIT = 300.0  # seconds until a run that nobody kills has surely ended


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(SUITE)
    return file


def recorded(out: Path) -> bytes:
    file = out / RECORDS_FILE
    return file.read_bytes() if file.exists() else b""


def wait_for(process: subprocess.Popen[str], out: Path, rows: int, seconds: float) -> None:
    """Until so many rows more are recorded, and then some seconds; or until the process has ended."""
    rows += recorded(out).count(b"\n")
    deadline = time.monotonic() + LIMIT
    while recorded(out).count(b"\n") < rows and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(seconds)


def check_complete(suite: Path, out: Path) -> None:
    found = read(out)
    cases = [row["case"] for row in found.cases]
    assert sorted(cases) == sorted(case.id for case in load_suite(str(suite)).cases())
    assert len(cases) == CASES
    assert {row["status"] for row in found.cases} == {"solved"}, [row["reason"] for row in found.cases]
    for row in found.cases:
        assert np.load(out / row["dual_file"]).shape == (row["destinations"],)
    assert not list(out.rglob("*.partial")) + list(out.rglob(".lock"))
    assert (out / "report" / "report.html").read_text().endswith("</html>\n")


def test_a_run_killed_at_random_moments_goes_on_where_it_was(
    command: Command, suite: Path, tmp_path: Path, times: Callable[[int, int], int]
) -> None:
    """Half of the moments are spread over a whole run, half lie just after a row was written."""
    moments, kills, folders, torn = np.random.default_rng(7), 0, 0, 0
    wanted = times(3, 50)
    while kills < wanted:
        out = tmp_path / f"out-{folders}"
        folders += 1
        done = False
        while not done:
            before = recorded(out)
            known = len(read(out).cases) if before else 0
            process = command("run", str(suite), "--out", str(out), "--resume")
            if kills < wanted:
                late = moments.random() < 0.5
                rows = int(moments.integers(3, 8)) if late else 0
                wait_for(process, out, rows, moments.uniform(0, 0.05) if late else moments.uniform(0, 8))
                process.kill()
            shown, errors = process.communicate(timeout=LIMIT)
            after = recorded(out)
            assert after.startswith(before), "something that was recorded is lost"
            done = process.returncode == 0
            assert done or process.returncode == -9, errors
            kills += not done
            torn += bool(after) and not after.endswith(b"\n")
            assert not done or f"{known} cases are recorded in {out}, {CASES - known} are to be run" in shown
        check_complete(suite, out)
    print(f"{kills} kills over {folders} runs, {torn} rows torn")  # noqa: T201 - shown by pytest -s


def test_a_killed_series_of_days_goes_on_from_the_answers_that_it_kept(
    command: Command, tmp_path: Path, times: Callable[[int, int], int]
) -> None:
    """Killed just after a row was written, in the midst of the next solve, which begins from the day before."""
    suite = tmp_path / "days.toml"
    suite.write_text(DAYS)

    def ends(out: Path) -> subprocess.Popen[str]:
        return command("run", str(suite), "--out", str(out), "--resume")

    straight = ends(tmp_path / "straight")
    _, errors = straight.communicate(timeout=LIMIT)
    assert straight.returncode == 0, errors
    expected = of_days(tmp_path / "straight")
    assert len(expected) == SOLVES_OF_DAYS

    moments = np.random.default_rng(8)
    for number in range(times(1, 20)):
        out = tmp_path / f"killed-{number}"
        killed = ends(out)
        wait_for(killed, out, int(moments.integers(4, SOLVES_OF_DAYS)), moments.uniform(0, 0.2))
        killed.kill()
        killed.communicate(timeout=LIMIT)
        assert 0 < len(of_days(out)) < SOLVES_OF_DAYS
        again = ends(out)
        _, errors = again.communicate(timeout=LIMIT)
        assert again.returncode == 0, errors
        assert of_days(out) == expected
        assert not (out / "answers").exists()


def of_days(out: Path) -> list[tuple[object, ...]]:
    """Of each solve of a series what does not depend on time."""
    names = ("case", "status", "iterations", "x_hash", "churn")
    return [(*(row[name] for name in names), row["start"] and row["start"]["hash"]) for row in read(out).recurring]
