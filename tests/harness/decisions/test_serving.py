"""Sources that were not in the solve, decided by its prices: by key, and on arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness import decide, solve, solve_problem
from harness.cli import invoke
from instances import Box, BoxCut, InputError, MatchingLP, PerSource, Rows, Simplex, generate, parse_spec
from instances.polytopes import Polytope
from instances.tables import Problem
from tests.support.campaigns import edges, solve_command, write_problem
from tests.support.wide import least_cost, transposed, wide_lp


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    assert solve_command(write_problem(folder / "tables"), folder / "out") == 0
    return folder / "out"


def new_users() -> pd.DataFrame:
    """Twenty users of another day, who may have items of a campaign and a creator that were not in the solve."""
    table = edges(users=20, seed=9)
    table["user_id"] = "new " + table["user_id"]
    table.loc[table["item_id"] == 11, ["campaign_id", "creator_id"]] = ["c9", 7]
    return table


def expected(table: pd.DataFrame, out: Path) -> dict[str, list[int]]:
    """The two items with the highest score less prices of each user, of those above 0; unknown keys cost nothing."""
    prices = pd.read_parquet(out / "prices.parquet").set_index(["family", "key"])["price"]
    campaign = table["campaign_id"].map(prices.loc["campaign"]).fillna(0.0)
    total = prices.loc["total"].iloc[0]
    creator = table["creator_id"].astype(str).map(prices.loc["creator"]).fillna(0.0)
    left = table.assign(left=table["score"] - table["cost"] * (campaign + total) - creator)
    best = left[left["left"] > 0].sort_values("left", ascending=False).groupby("user_id").head(2)
    return best.groupby("user_id")["item_id"].apply(sorted).to_dict()


def test_new_users_get_their_best_items_at_the_prices(out: Path, tmp_path: Path) -> None:
    table = new_users()
    table.to_parquet(tmp_path / "new.parquet")
    command = ["decide", str(out), "--edges", str(tmp_path / "new.parquet"), "--out", str(tmp_path / "served.parquet")]
    assert invoke(command) == 0
    served = pd.read_parquet(tmp_path / "served.parquet")
    assert (served["x"] == 1.0).all()
    assert served.groupby("user_id")["item_id"].apply(sorted).to_dict() == expected(table, out)


def test_keys_without_a_price_are_counted_and_said(out: Path) -> None:
    table = new_users()
    served = decide(out, table, columns=["clicks"])
    assert (served.keys_unknown, served.edges_unknown) == (2, (table["item_id"] == 11).sum())
    assert "2 of 10 keys of limits have no price" in served.in_words
    assert served.decisions.column_names == ["user_id", "item_id", "clicks", "x"]

    known = decide(out, table[table["item_id"] != 11])
    assert known.keys_unknown == 0
    assert "no price" not in known.in_words


def test_limits_that_new_sources_pass_beside_the_old_ones_are_said(out: Path) -> None:
    table = new_users()
    served = decide(out, table[table["item_id"] != 11], columns=["cost"])
    prices = pd.read_parquet(out / "prices.parquet").set_index(["family", "key"])
    new = served.decisions.to_pandas().merge(table, on=["user_id", "item_id"])
    added = (new["x"] * new["cost_x"]).groupby(new["campaign_id"]).sum()
    campaigns = prices.loc["campaign"]
    beyond = (campaigns["load"].add(added, fill_value=0.0) - campaigns["upper"]).clip(lower=0.0)
    total, campaign = {one.family: one for one in served.passed}["total"], served.passed[0]
    assert (campaign.family, campaign.rows, campaign.of) == ("campaign", (beyond > 1e-9).sum(), 4)
    assert campaign.share == pytest.approx(beyond.sum() / campaigns["upper"].sum(), abs=1e-9)
    assert (total.rows, total.of) == (1, 1)
    assert f"{campaign.rows} of 4 of 'campaign' by {campaign.share:.2%}" in served.in_words


def test_new_sources_that_fit_pass_nothing(out: Path) -> None:
    served = decide(out, new_users().assign(cost=-1.0))
    assert served.x.sum() > 0
    assert served.passed == ()
    assert "passed" not in served.in_words


def test_limits_of_sources_come_from_a_table_of_the_new_ones() -> None:
    table = pd.DataFrame({"user": ["ann", "bob"] * 2, "item": [1, 1, 2, 2], "score": [3.0, 2.0, 2.0, 1.0]})
    problem = Problem.from_tables(
        edges=table,
        source="user",
        destination="item",
        sources={"at_most": "most", "each_at_most": 1, "table": pd.DataFrame({"user": ["ann", "bob"], "most": [1, 1]})},
        limits=[{"name": "stock", "by": ["item"], "at_most": 1.0}],
        maximise="score",
    )
    solution = solve_problem(problem, "scipy-highs-ds")
    of_cid = table.assign(user="cid", score=9.0)[:3].drop_duplicates("item")
    served = decide(solution, of_cid, sources=pd.DataFrame({"user": ["cid"], "most": [2]}))
    assert served.x.tolist() == [1, 1]
    with pytest.raises(InputError, match="no row in"):
        decide(solution, of_cid)


@pytest.mark.parametrize("seed", range(40))
def test_what_each_source_takes_costs_least_at_the_prices(seed: int) -> None:
    lp = wide_lp(seed)
    y = np.random.default_rng(seed).normal(size=lp.row_count)
    x = decide(y, lp)
    q = lp.c + transposed(lp, y)
    assert q @ x == pytest.approx(least_cost(lp, q), abs=1e-12)
    limits, total = lp.per_source.limits(), np.bincount(lp.source_of_edge(), x, lp.sources)
    assert (x <= limits.upper[lp.source_of_edge()]).all()
    assert (total <= limits.at_most * (1 + 1e-15)).all()


@pytest.mark.parametrize(
    ("polytope", "expected"),
    [
        (Simplex(z=1.5), [0.0, 1.5, 0.0, 0.0]),
        (Simplex(z=1.5, equality=True), [0.0, 1.5, 0.0, 0.0]),
        (Box(0.5), [0.0, 0.5, 0.5, 0.0]),
        (BoxCut(upper=1.0, at_most=1.5), [0.0, 1.0, 0.5, 0.0]),
        (BoxCut(upper=1.0, at_most=2.5, equality=True), [0.5, 1.0, 1.0, 0.0]),
        (PerSource(kind=np.array([2], np.uint8), radius=np.array([0.25])), [0.0, 0.25, 0.25, 0.0]),
    ],
    ids=str,
)
def test_ties_go_to_the_first_edge_and_nothing_is_taken_at_zero(polytope: Polytope, expected: list[float]) -> None:
    lp = MatchingLP(
        offsets=[0, 4], c=[-1.0, -3.0, -3.0, 2.0], polytope=polytope, rows=[Rows("item", row=[0, 1, 1, 1], upper=9.0)]
    )
    assert decide(np.array([1.0, 2.0]), lp).tolist() == expected


def test_prices_of_a_sample_serve_the_same_sources_near_their_optimum() -> None:
    lp = generate(parse_spec("unit:sources=400,destinations=8,degree=4,seed=2"))
    result = solve(lp, "scipy-highs-ds")
    assert result.answer is not None
    assert result.certificate is not None
    assert result.certificate.objective is not None
    x = decide(result.answer.dual, lp)
    assert lp.c @ x == pytest.approx(result.certificate.objective, rel=0.1)


@pytest.mark.parametrize("prices", [np.zeros(3), np.full(2, np.nan), np.array(["a", "b"])])
def test_prices_that_do_not_fit_are_refused(prices: np.ndarray) -> None:
    lp = MatchingLP(offsets=[0, 2], c=[-1.0, -2.0], destination=[0, 1], a=[1.0, 1.0], b=[1.0, 1.0])
    with pytest.raises(InputError, match="expected 2 finite numbers"):
        decide(prices, lp)
