"""Decisions and prices by the user's own keys: computed again with pandas, from nothing but the user's tables."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from harness import solve_problem
from harness.cli import invoke
from harness.decisions.choice import choose
from instances.mapped import is_mapped
from instances.tables import Problem
from tests.support.campaigns import PRICE, edges, solve_command, write_problem


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_problem(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def out(problem: Path) -> Path:
    folder = problem.parent / "out"
    assert solve_command(problem, folder) == 0
    return folder


@pytest.fixture(scope="module")
def chosen(out: Path) -> pd.DataFrame:
    """The decisions beside what the tables say of their edges."""
    decisions = pd.read_parquet(out / "decisions.parquet")
    assert list(decisions.columns) == ["user_id", "item_id", "x"]
    joined = decisions.merge(edges(), on=["user_id", "item_id"], validate="one_to_one")
    assert len(joined) == len(decisions)
    return joined


def test_decisions_keep_every_limit_of_the_tables(chosen: pd.DataFrame) -> None:
    rounding = 1 + 1e-9
    assert chosen["x"].between(0, 1, inclusive="right").all()
    assert (chosen.groupby("user_id")["x"].sum() <= 2 * rounding).all()
    used = chosen["x"] * chosen["cost"]
    assert (used.groupby(chosen["campaign_id"]).sum() <= 20.0 * rounding).all()
    assert used.sum() <= 70.0 * rounding


def test_the_objective_is_what_the_tables_say_less_what_missed_goals_cost(out: Path, chosen: pd.DataFrame) -> None:
    summary = json.loads((out / "summary.json").read_text())
    reached = chosen.groupby("creator_id")["x"].sum().reindex([0, 1, 2], fill_value=0.0)
    missed = np.maximum(np.array([30.0, 30.0, 45.0]) - reached, 0.0).sum()
    value = (chosen["x"] * chosen["score"]).sum() - PRICE * missed
    assert missed > 1
    assert summary["objective"] == pytest.approx(value, rel=1e-9)
    assert summary["objective"] <= summary["bound"] <= summary["objective"] * (1 + 1e-6)
    assert (summary["status"], summary["sense"]) == ("solved", "maximise")
    (creators,) = summary["missed"]
    assert (creators["family"], creators["units"]) == ("creator", pytest.approx(missed, rel=1e-9))


def test_loads_limits_slack_and_violation_are_those_of_the_decisions(out: Path, chosen: pd.DataFrame) -> None:
    prices = pd.read_parquet(out / "prices.parquet").set_index(["family", "key"])
    assert list(prices.columns) == ["price", "load", "lower", "upper", "slack", "violation"]
    used = (chosen["x"] * chosen["cost"]).groupby(chosen["campaign_id"]).sum()
    campaigns = prices.loc["campaign"]
    assert campaigns["load"].to_dict() == pytest.approx(used.to_dict())
    assert (campaigns["slack"] == (20.0 - campaigns["load"]).clip(lower=0)).all()
    assert campaigns["lower"].isna().all()
    assert prices.loc["total", "upper"].item() == 70.0

    creators = prices.loc["creator"]
    assert list(creators.index) == ["0", "1", "2"]  # of another type than the campaigns: as text
    assert creators["violation"].max() > 1
    assert (creators["price"][creators["violation"] > 1e-6] == -PRICE).all()


def test_an_lp_on_the_disk_has_the_same_decisions_and_prices(problem: Path, out: Path) -> None:
    solution = solve_problem(problem, "scipy-highs-ds", tolerance=1e-4, memory_limit=1)
    assert is_mapped(solution.stated.lp.c)
    assert solution.decisions.equals(pq.read_table(out / "decisions.parquet"))
    assert solution.prices.equals(pq.read_table(out / "prices.parquet"))


@pytest.mark.parametrize("sense", ["maximise", "minimise"])
def test_a_price_is_what_one_unit_more_of_the_limit_changes(tmp_path: Path, sense: str) -> None:
    table = edges()
    objectives = []
    for number, more in enumerate((0.0, 1e-3)):
        place = write_problem(tmp_path / str(number), table=table, sense=sense, total=70.0 + more)
        objectives.append(solve_problem(place, "scipy-highs-ds", tolerance=1e-6))
    prices = objectives[0].prices.to_pandas().set_index("family")
    change = (objectives[1].summary["objective"] - objectives[0].summary["objective"]) / 1e-3
    assert prices.loc["total", "price"] == pytest.approx(change, abs=1e-5)
    floors = prices.loc["creator", "price"]
    assert (floors <= 0).all() if sense == "maximise" else (floors >= 0).all()
    assert (floors != 0).any()


def test_columns_and_all_edges_are_written_where_asked_for(problem: Path, out: Path) -> None:
    wide = out.parent / "wide"
    assert solve_command(problem, wide, "--all", "--columns", "campaign_id", "--columns", "clicks") == 0
    decisions = pd.read_parquet(wide / "decisions.parquet")
    given = edges()[["user_id", "item_id", "campaign_id", "clicks"]].sort_values(["user_id", "item_id"])
    pd.testing.assert_frame_equal(decisions.drop(columns="x"), given.reset_index(drop=True))
    positive = decisions[decisions["x"] > 0].drop(columns=["campaign_id", "clicks"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(positive, pd.read_parquet(out / "decisions.parquet"))


@pytest.mark.parametrize(
    "made",
    [
        lambda k: k * 10**15,
        lambda k: uuid.UUID(int=k),
        lambda k: dt.date(2026, 1, 1) + dt.timedelta(days=int(k)),
        lambda k: decimal.Decimal(int(k)) / 8,
        lambda k: str(k).encode(),
    ],
    ids=["int64", "UUID", "date", "decimal", "bytes"],
)
def test_keys_keep_their_type_and_are_found_again(tmp_path: Path, made: Callable[[int], Any]) -> None:
    table = edges(users=20)
    table["user_id"] = [made(int(user[1:])) for user in table["user_id"]]
    problem = write_problem(tmp_path / "tables", table=table)
    out = tmp_path / "out"
    assert solve_command(problem, out) == 0
    given = pq.read_table(tmp_path / "tables" / "edges")["user_id"]
    found = pq.read_table(out / "decisions.parquet")["user_id"]
    assert set(found.to_pylist()) <= set(given.to_pylist())
    assert invoke(["verify", str(out)]) == 0


@pytest.mark.parametrize("form", [lambda table: table, pl.from_pandas], ids=["pandas", "polars"])
def test_a_notebook_gets_the_same_from_data_frames(out: Path, form: Any) -> None:
    problem = Problem.from_tables(
        maximise="score",
        edges=form(edges()),
        source="user_id",
        destination="item_id",
        sources={"at_most": 2, "each_at_most": 1},
        limits=[
            {
                "name": "campaign",
                "by": "campaign_id",
                "use": "cost",
                "table": form(pd.DataFrame({"campaign_id": [f"c{k}" for k in range(4)], "budget": 20.0})),
                "at_most": "budget",
            },
            {"name": "total", "use": "cost", "at_most": 70.0},
            {
                "name": "creator",
                "by": "creator_id",
                "table": form(pd.DataFrame({"creator_id": [0, 1, 2], "floor": [30.0, 30.0, 45.0]})),
                "at_least": "floor",
                "penalty": PRICE,
            },
        ],
    )
    solution = solve_problem(problem, "scipy-highs-ds", tolerance=1e-4)
    pd.testing.assert_frame_equal(solution.decisions.to_pandas(), pd.read_parquet(out / "decisions.parquet"))
    assert pl.from_arrow(solution.prices).shape == (8, 8)
    assert "# tables in memory: solved" in solution._repr_markdown_()


def test_auto_takes_ours_and_says_how_to_measure_the_others(problem: Path) -> None:
    choice = choose(Problem.read(problem).build().lp)
    assert choice.name == "blockpdhg"
    assert "dualbench run --problem" in choice.why
    assert choice.why.startswith("auto: it takes rows of every kind")


def test_keys_of_any_text_stay_data(tmp_path: Path) -> None:
    hostile = ["a'b", 'a"b', "a,b\nc", "\N{PARTY POPPER}|`<b>*", "x'; DROP TABLE edges; --", "k" * 10_000]
    table = edges()
    table["campaign_id"] = [hostile[k % 6] for k in table["item_id"]]
    problem = write_problem(tmp_path / "tables", table=table)
    out = tmp_path / "out"
    assert solve_command(problem, out) == 0
    prices = pd.read_parquet(out / "prices.parquet")
    assert set(prices[prices["family"] == "campaign"]["key"]) == set(hostile)
    words = (out / "summary.md").read_text()
    assert all(len(line) < 300 for line in words.splitlines())
    assert "<b>" not in words


def test_budgets_alone_and_keys_of_two_columns(tmp_path: Path) -> None:
    """The short form, minimised, without a destination: an edge is named by its source and both columns of its row."""
    rng = np.random.default_rng(3)
    pairs = [(user, depot, day) for user in range(9) for depot in ("a,b", 'c"d') for day in (1, 2)]
    table = pd.DataFrame(pairs, columns=["user", "depot", "day"])
    table["cost"] = rng.random(len(table))
    table.to_csv(tmp_path / "edges.csv", index=False)
    (tmp_path / "problem.toml").write_text(
        'minimise = "cost"\n'
        'edges = { files = "edges.csv", source = "user" }\n'
        "sources = { equals = 1 }\n"
        'limits = [{ name = "depot", by = ["depot", "day"], at_most = 2.5 }]\n'
    )
    out = tmp_path / "out"
    assert solve_command(tmp_path / "problem.toml", out) == 0
    decisions = pd.read_parquet(out / "decisions.parquet")
    assert list(decisions.columns) == ["user", "depot", "day", "x"]
    joined = decisions.merge(table, on=["user", "depot", "day"], validate="one_to_one")
    assert joined.groupby("user")["x"].sum().to_numpy() == pytest.approx(np.ones(9))
    prices = pd.read_parquet(out / "prices.parquet")
    assert prices["key"].tolist() == ['["a,b", 1]', '["a,b", 2]', '["c\\"d", 1]', '["c\\"d", 2]']
    assert (prices["price"] <= 0).all()
    summary = json.loads((out / "summary.json").read_text())
    assert summary["objective"] == pytest.approx((joined["x"] * joined["cost"]).sum())
    assert summary["bound"] <= summary["objective"]
    assert invoke(["verify", str(out)]) == 0
