"""The folder of decisions: written whole or not at all, never over what is not ours, and derived again."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from harness.cli import invoke
from tests.support.campaigns import solve_command, write_problem
from tests.support.limits import file_limit


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with problem.toml, its tables and `out`."""
    folder = tmp_path_factory.mktemp("solved")
    assert solve_command(write_problem(folder / "tables"), folder / "out") == 0
    return folder


@pytest.fixture
def place(solved: Path, tmp_path: Path) -> Path:
    """A copy to damage, whose summary names its own tables."""
    place = tmp_path / "place"
    shutil.copytree(solved, place)
    summary = json.loads((place / "out" / "summary.json").read_text())
    summary["problem"] = str(place / "tables" / "problem.toml")
    (place / "out" / "summary.json").write_text(json.dumps(summary))
    return place


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_all_that_is_written_is_derived_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["verify", str(place / "out")]) == 0
    assert "6 agrees" in capsys.readouterr().out


def change_x(place: Path) -> None:
    file = place / "out" / "decisions.parquet"
    decisions = pd.read_parquet(file)
    decisions.loc[3, "x"] *= 0.5
    decisions.to_parquet(file, index=False)


def change_a_key(place: Path) -> None:
    file = place / "out" / "decisions.parquet"
    decisions = pd.read_parquet(file)
    decisions.loc[3, "user_id"] = "nobody"
    decisions.to_parquet(file, index=False)


def repeat_an_edge(place: Path) -> None:
    file = place / "out" / "decisions.parquet"
    decisions = pd.read_parquet(file)
    pd.concat([decisions, decisions.iloc[:1]]).to_parquet(file, index=False)


def change_a_price(place: Path) -> None:
    file = place / "out" / "prices.parquet"
    prices = pd.read_parquet(file)
    prices["price"] += 0.1
    prices.to_parquet(file, index=False)


def cut_the_prices(place: Path) -> None:
    file = place / "out" / "prices.parquet"
    file.write_bytes(file.read_bytes()[:100])


def change_a_table(place: Path) -> None:
    file = place / "tables" / "budgets.csv"
    file.write_text(file.read_text().replace("20.0", "21.0"))


def remove_a_table(place: Path) -> None:
    (place / "tables" / "budgets.csv").unlink()


def claim_more(place: Path) -> None:
    file = place / "out" / "summary.json"
    summary = json.loads(file.read_text())
    summary["objective"] += 1.0
    file.write_text(json.dumps(summary))


def lose_the_settings(place: Path) -> None:
    file = place / "out" / "summary.json"
    summary = json.loads(file.read_text())
    summary["solver"] = []
    file.write_text(json.dumps(summary))


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (change_x, "load of row"),
        (change_a_key, "1 rows whose keys no edge has"),
        (repeat_an_edge, "two rows of one edge"),
        (change_a_price, "dual_bound: recorded"),
        (cut_the_prices, "prices.parquet cannot be read"),
        (change_a_table, "make another LP than the one that was solved"),
        (remove_a_table, "budgets.csv matches no file"),
        (claim_more, "objective: recorded"),
        (lose_the_settings, "no status and tolerance are recorded"),
    ],
)
def test_what_was_changed_is_found(
    place: Path, damage: Callable[[Path], None], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(place)
    assert invoke(["verify", str(place / "out")]) == 1
    assert found in capsys.readouterr().out


def test_a_second_solve_takes_the_place_of_the_first(place: Path) -> None:
    before = content(place / "out")
    problem = place / "tables" / "problem.toml"
    problem.write_text(problem.read_text().replace("at_most = 70.0", "at_most = 60.0"))
    assert solve_command(problem, place / "out") == 0
    after = content(place / "out")
    assert after.keys() == before.keys()
    assert after["decisions.parquet"] != before["decisions.parquet"]
    assert invoke(["verify", str(place / "out")]) == 0


@pytest.mark.parametrize("kind", ["link", "file", "other folder", "folder with one file more"])
def test_a_place_that_is_not_ours_is_refused(place: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = place / "target"
    if kind == "link":
        out.symlink_to(place / "out")
    elif kind == "file":
        out.write_text("mine")
    elif kind == "other folder":
        out.mkdir()
        (out / "decisions.parquet").write_text("mine")
    else:
        shutil.copytree(place / "out", out)
        (out / "notes.txt").write_text("mine")
    before = content(out) if out.is_dir() else out.read_bytes()

    assert solve_command(place / "tables" / "problem.toml", out) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (content(out) if out.is_dir() else out.read_bytes()) == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--tolerance", "7"], "tolerance=7.0: expected a number between 0 and 1"),
        (["--device", "tpu"], "device='tpu': expected cpu or cuda"),
        (["--columns", "x"], "the column 'x' of edges has the name of a column of the decisions"),
        (["--memory-limit", "4 apples"], "expected a size such as 4GiB"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_read(
    place: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "tables" / "budgets.csv").unlink()
    assert solve_command(place / "tables" / "problem.toml", place / "new", *more) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_without_decisions_the_old_ones_stay_and_the_reason_is_said(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = place / "tables" / "problem.toml"
    text = problem.read_text()
    problem.write_text(text.replace("at_most = 2\neach_at_most = 1", "equals = 2\neach_at_most = 0.01"))
    before = content(place / "out")
    assert solve_command(problem, place / "out") == 1
    assert "no decisions, infeasible" in capsys.readouterr().err
    assert content(place / "out") == before


def test_a_place_that_takes_no_files_is_refused_before_anything_is_read(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "tables" / "budgets.csv").unlink()
    (place / "file").write_text("mine")
    for out in (Path("/proc/out"), place / "file" / "out"):
        assert solve_command(place / "tables" / "problem.toml", out) == 2
        assert f"{out} cannot be written" in capsys.readouterr().err


def test_a_solver_that_cannot_take_the_problem_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve_command(place / "tables" / "problem.toml", place / "new", solver="greedy") == 2
    assert "greedy does not take '>=' rows, soft rows, which the instance has" in capsys.readouterr().err
    assert not (place / "new").exists()


def test_what_the_time_allowed_is_written_and_strict_says_that_it_is_not_solved(place: Path) -> None:
    arguments = ("--tolerance", "1e-6", "--time-limit", "1e-3")
    problem = place / "tables" / "problem.toml"
    assert solve_command(problem, place / "out", *arguments, solver="ortools-pdlp") == 0
    assert json.loads((place / "out" / "summary.json").read_text())["status"] == "time_limit"
    assert invoke(["verify", str(place / "out")]) == 0
    assert solve_command(problem, place / "out", *arguments, "--strict", solver="ortools-pdlp") == 1


def test_a_full_disk_leaves_the_old_folder_whole(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(place / "out")
    with file_limit(1000):
        assert solve_command(place / "tables" / "problem.toml", place / "out", "--all") == 3
    assert "cannot be written" in capsys.readouterr().err
    assert content(place / "out") == before
    assert sorted(path.name for path in place.iterdir()) == ["out", "tables"]


def test_an_interrupted_command_leaves_the_old_folder_whole(place: Path) -> None:
    before = content(place / "out")
    command = [sys.executable, "-m", "harness", "solve", str(place / "tables" / "problem.toml")]
    arguments = [*command, "--solver", "scipy-highs-ds", "--out", str(place / "out")]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # reading has begun
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130, rest
    assert rest.splitlines()[-1].startswith("dualbench: interrupted; nothing was written")
    assert content(place / "out") == before
    assert sorted(path.name for path in place.iterdir()) == ["out", "tables"]
