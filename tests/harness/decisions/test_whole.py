"""`dualbench solve --whole` on a user's tables: whole x by key, refused before solving, and derived again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness import solve_problem
from harness.cli import invoke
from instances import InputError
from instances.tables import Problem
from tests.support.campaigns import edges, solve_command, write_problem


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert solve_command(write_problem(folder / "tables"), folder / "out", "--whole") == 0
    return folder / "out"


def test_whole_decisions_keep_every_hard_limit_of_the_tables(out: Path) -> None:
    decisions = pd.read_parquet(out / "decisions.parquet")
    assert (decisions["x"] == 1.0).all()
    chosen = decisions.merge(edges(), on=["user_id", "item_id"], validate="one_to_one")
    assert chosen.groupby("user_id")["x"].sum().max() <= 2
    assert chosen.groupby("campaign_id")["cost"].sum().max() <= 20.0
    assert chosen["cost"].sum() <= 70.0

    summary = json.loads((out / "summary.json").read_text())
    whole = summary["whole"]
    assert (whole["integral"], whole["kept"]) == (True, True)
    assert whole["gap"] == pytest.approx(abs(summary["bound"] - summary["objective"]) / abs(summary["bound"]), rel=1e-6)
    assert whole["bound_gap"] < 1e-6 < whole["gap"] < 0.05
    assert whole["decided"] + sum(whole["undecided"].values()) == edges()["user_id"].nunique()
    assert "They are whole" in (out / "summary.md").read_text()


def test_verify_derives_that_the_decisions_are_whole(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["verify", str(out)]) == 0
    assert "7 agrees" in capsys.readouterr().out


def test_verify_finds_a_fraction_that_is_called_whole(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = out / "decisions.parquet"
    before = file.read_bytes()
    try:
        decisions = pd.read_parquet(file)
        decisions.loc[0, "x"] = 0.75
        decisions.to_parquet(file, index=False)
        assert invoke(["verify", str(out)]) == 1
    finally:
        file.write_bytes(before)
    assert "whole integral: recorded True, derived False" in capsys.readouterr().out


def tables(**sources: float) -> Problem:
    return Problem.from_tables(
        edges=pd.DataFrame({"user": ["ann", "bob"] * 2, "item": [1, 1, 2, 2], "score": [3.0, 2.0, 2.0, 1.0]}),
        source="user",
        destination="item",
        sources=sources,
        limits=[{"name": "stock", "by": ["item"], "at_most": 1.0}],
        maximise="score",
    )


def test_a_source_that_no_whole_x_serves_is_named_before_solving() -> None:
    with pytest.raises(InputError, match=r"source 'ann' takes exactly 1\.5"):
        solve_problem(tables(equals=1.5), "scipy-highs-ds", whole=True)


def test_a_limit_of_an_edge_that_is_not_whole_rounds_down() -> None:
    solution = solve_problem(tables(at_most=2.0, each_at_most=1.5), "scipy-highs-ds", whole=True)
    assert solution.x.sum() == 2  # one unit of each item
    assert np.array_equal(solution.x, np.rint(solution.x))
    assert solution.whole is not None
    assert solution.whole.kept


def test_without_whole_nothing_is_said_of_it() -> None:
    solution = solve_problem(tables(at_most=1.0), "scipy-highs-ds")
    assert solution.summary["whole"] is None


def test_effort_is_recorded_and_goes_with_whole_decisions_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = write_problem(tmp_path / "tables")
    assert solve_command(problem, tmp_path / "out", "--whole", "--effort", "500") == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["solver"]["settings"]["effort"] == 500.0
    assert summary["whole"]["kept"]
    assert invoke(["verify", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert solve_command(problem, tmp_path / "other", "--effort", "500") == 2
    assert "ask for whole, or leave effort out" in capsys.readouterr().err


def test_whole_decisions_that_leave_a_limit_are_found(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another user's item: whole as before, and beyond what one of them may take."""
    file = out / "decisions.parquet"
    before = file.read_bytes()
    try:
        decisions = pd.read_parquet(file)
        decisions["x"] = 2.0
        decisions.to_parquet(file, index=False)
        assert invoke(["verify", str(out)]) == 1
    finally:
        file.write_bytes(before)
    assert "whole kept: recorded True, derived False" in " ".join(capsys.readouterr().out.split())
