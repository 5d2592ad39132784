"""A solve that begins from an earlier output: found by key whatever has come and gone, or refused in a line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import solve_problem
from harness.cli import invoke
from harness.decisions.yesterday import find_again
from instances import InputError
from instances.tables import Problem
from tests.support.campaigns import edges, solve_command, write_problem


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Monday's output, beside its tables."""
    place = tmp_path_factory.mktemp("days")
    assert solve_command(write_problem(place / "monday"), place / "out") == 0
    return place / "out"


def tuesday_tables() -> pd.DataFrame:
    """Users u0 to u9 have gone, ten new ones are there, and so is a new campaign in the place of c3."""
    table = edges()
    user = table["user_id"].str[1:].astype(int)
    table["user_id"] = [f"u{k + 100}" if k < 10 else f"u{k}" for k in user]
    table["campaign_id"] = table["campaign_id"].replace("c3", "c9")
    table["score"] *= 1.01
    return table


@pytest.fixture(scope="module")
def tuesday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_problem(tmp_path_factory.mktemp("tables") / "tuesday", table=tuesday_tables())


def test_decisions_and_prices_are_found_by_key_though_users_and_rows_came_and_went(monday: Path, tuesday: Path) -> None:
    stated = Problem.read(tuesday).build()
    found = find_again(monday, stated)
    decisions = pd.read_parquet(monday / "decisions.parquet")
    gone = decisions["user_id"].isin([f"u{k}" for k in range(10)])
    keys = stated.edge_columns(["user_id", "item_id"]).to_pandas()
    assert found.start.x is not None
    old = ~keys["user_id"].isin([f"u{k + 100}" for k in range(10)])
    expected = keys.merge(decisions, how="left", on=["user_id", "item_id"])["x"].fillna(0.0)
    np.testing.assert_array_equal(found.start.x[old], expected[old])

    assert found.figures["decisions"] == np.count_nonzero(~gone)
    assert found.figures["decisions_vanished"] == np.count_nonzero(gone)
    assert found.figures["sources_new"] == np.count_nonzero(~found.decided) >= 10
    assert (found.figures["prices"], found.figures["prices_vanished"], found.figures["prices_new"]) == (7, 1, 1)

    prices = pd.read_parquet(monday / "prices.parquet").set_index(["family", "key"])["price"]
    assert found.start.dual is not None
    campaigns = stated.lp.split(found.start.dual)["campaign"]
    of_monday = [prices["campaign", name] for name in ("c0", "c1", "c2")]
    assert sorted(campaigns) == pytest.approx(sorted([*of_monday, 0.0]))


def test_a_source_without_a_decision_begins_at_its_best_response(monday: Path, tuesday: Path) -> None:
    stated = Problem.read(tuesday).build()
    lp = stated.lp
    found = find_again(monday, stated)
    assert found.start.x is not None
    assert found.start.dual is not None
    q = np.asarray(lp.c, dtype=float).copy()
    for family in lp.rows:
        q += family.coefficient * lp.split(found.start.dual)[family.name][0 if family.row is None else family.row]
    for source in np.flatnonzero(~found.decided):
        of_source = slice(lp.offsets[source], lp.offsets[source + 1])
        cheapest = np.sort(q[of_source])[:2]  # each at most 1, two together
        assert q[of_source] @ found.start.x[of_source] == pytest.approx(np.minimum(cheapest, 0.0).sum())


def test_the_output_may_take_the_place_of_the_one_that_it_began_from(
    monday: Path, tuesday: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(monday, out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    arguments = ["--start", str(out), "--tolerance", "1e-3"]
    # A solver that takes no start is refused, and what was there stays.
    assert solve_command(tuesday, out, *arguments) == 2
    assert "scipy-highs-ds takes no start" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before

    assert solve_command(tuesday, out, *arguments, solver="ortools-pdlp") == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["start"]["folder"] == str(out)
    assert summary["start"]["prices_new"] == 1
    assert 0 <= summary["start"]["churn"] <= 1
    assert summary["start"]["stay_gap"] is None
    assert summary["seconds"]["start"] > 0
    words = (out / "summary.md").read_text()
    assert "sources without one" in words
    assert "(the churn)" in words
    assert invoke(["verify", str(out)]) == 0


def changed(folder: Path, file: str, *, twice: bool = False, **columns: Any) -> None:
    table = pd.read_parquet(folder / file).assign(**columns)
    pd.concat([table] * (1 + twice)).to_parquet(folder / file, index=False)


def without_sense(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps({**summary, "sense": None}))


def damaged(folder: Path, file: str) -> None:
    (folder / file).write_bytes((folder / file).read_bytes()[:100])


@pytest.mark.parametrize(
    ("harm", "note", "parts"),
    [
        (lambda folder: damaged(folder, "decisions.parquet"), "decisions.parquet cannot be read", ("dual",)),
        (lambda folder: (folder / "decisions.parquet").unlink(), "decisions.parquet cannot be read", ("dual",)),
        (lambda folder: damaged(folder, "prices.parquet"), "prices.parquet cannot be read", ("x",)),
        (
            lambda folder: changed(folder, "decisions.parquet", x=1e300),
            "decisions.parquet has an x beyond 1e+30",
            ("dual",),
        ),
        (
            lambda folder: changed(folder, "prices.parquet", price=pd.Timestamp("2026-11-26")),
            "prices.parquet has a price that is no number",
            ("x",),
        ),
        (
            lambda folder: changed(folder, "prices.parquet", twice=True),
            "prices.parquet has two rows of one limit",
            ("x",),
        ),
        (without_sense, "summary.json does not say whether", ("x",)),
    ],
)
def test_half_of_an_output_is_used_and_what_is_missing_is_noted(
    monday: Path, tuesday: Path, tmp_path: Path, harm: Any, note: str, parts: tuple[str, ...]
) -> None:
    half = tmp_path / "half"
    shutil.copytree(monday, half)
    harm(half)
    found = find_again(half, Problem.read(tuesday).build())
    assert found.start.parts == parts
    (said,) = found.figures["notes"]
    assert said.startswith(note)


def other_version(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps({**summary, "schema": 99}))


def both_damaged(folder: Path) -> None:
    damaged(folder, "decisions.parquet")
    damaged(folder, "prices.parquet")


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (lambda folder: (folder / "summary.json").unlink(), "holds no output of `dualbench solve`"),
        (other_version, "was written by another version"),
        (both_damaged, "is no start for this problem"),
    ],
)
def test_an_output_of_no_use_is_refused_in_one_line(
    monday: Path, tuesday: Path, tmp_path: Path, harm: Any, complaint: str
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(monday, bad)
    harm(bad)
    with pytest.raises(InputError, match=complaint) as error:
        find_again(bad, Problem.read(tuesday).build())
    assert "\n" not in str(error.value)


def test_families_of_another_type_are_no_limits_of_these_tables(monday: Path, tuesday: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(monday, odd)
    changed(odd, "prices.parquet", family=lambda table: [["campaign"]] * len(table))
    found = find_again(odd, Problem.read(tuesday).build())
    assert found.start.parts == ("x",)
    assert (found.figures["prices"], found.figures["prices_vanished"]) == (0, 8)


@pytest.mark.parametrize("start", [5, {"x": 1}, np.zeros(3)])
def test_what_is_no_earlier_output_is_refused_before_the_tables_are_read(tmp_path: Path, start: Any) -> None:
    problem = write_problem(tmp_path / "tables")
    shutil.rmtree(tmp_path / "tables" / "edges")
    with pytest.raises(InputError, match="give a Solution, or the folder that one was written into"):
        solve_problem(problem, start=start)


def test_an_output_of_another_problem_is_refused(monday: Path) -> None:
    table = edges()
    table["user_id"] = "v" + table["user_id"]
    table["campaign_id"] = "d" + table["campaign_id"]
    problem = Problem.from_tables(
        maximise="score",
        edges=table,
        source="user_id",
        destination="item_id",
        sources={"at_most": 2, "each_at_most": 1},
        limits=[{"name": "sponsor", "by": "campaign_id", "use": "cost", "at_most": 20.0}],
    )
    with pytest.raises(InputError, match="no key in it is one of these tables"):
        solve_problem(problem, start=monday)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--stay", "1"], "stay=1 asks for an earlier output"),
        (["--stay", "-1"], "stay=-1.0: expected a finite number >= 0"),
        (["--stay", "nan"], "stay=nan: expected a finite number >= 0"),
        (["--start", "nowhere"], "nowhere holds no output of `dualbench solve`"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_solved(
    tuesday: Path, tmp_path: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert solve_command(tuesday, tmp_path / "out", *arguments) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_notebook_begins_from_the_solution_of_the_day_before(tuesday: Path) -> None:
    first = solve_problem(tuesday, "ortools-pdlp", tolerance=1e-3)
    again = solve_problem(tuesday, "ortools-pdlp", tolerance=1e-3, start=first)
    assert again.start is not None
    assert again.start["decisions_vanished"] == again.start["prices_new"] == 0
    assert again.start["churn"] < 0.05
    assert first.iterations is not None
    assert again.iterations is not None
    assert again.iterations < first.iterations
