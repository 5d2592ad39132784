"""A user's tables: scored pairs of users and items, budgets of campaigns, floors of creators at a price."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.cli import invoke

STATEMENT = """
{sense} = "score"

[edges]
files = "edges/*.parquet"
source = "user_id"
destination = "item_id"

[sources]
at_most = 2
each_at_most = 1

[[limits]]
name = "campaign"
by = "campaign_id"
use = "cost"
table = "budgets.csv"
at_most = "budget"

[[limits]]
name = "total"
use = "cost"
at_most = {total}

[[limits]]
name = "creator"
by = "creator_id"
table = "creators.csv"
at_least = "floor"
penalty = {penalty}
"""
PRICE = 0.5
#: The same tables with the families of rows of the instances `volume`: in float32 both use the same compiled loops.
VOLUME = """
maximise = "score"

[edges]
files = "edges/*.parquet"
source = "user_id"
destination = "item_id"

[sources]
at_most = 1

[[limits]]
name = "campaign"
by = "campaign_id"
table = "budgets.csv"
at_most = "budget"

[[limits]]
name = "sends"
at_most = 60

[[limits]]
name = "cost"
use = "cost"
at_most = 70

[[limits]]
name = "clicks"
use = "clicks"
at_least = 10
"""


def edges(users: int = 60, items: int = 12, seed: int = 0) -> pd.DataFrame:
    """About half of all pairs, in no order."""
    rng = np.random.default_rng(seed)
    user, item = np.divmod(rng.permutation(users * items)[: users * items // 2], items)
    return pd.DataFrame(
        {
            "user_id": [f"u{k}" for k in user],
            "item_id": item,
            "campaign_id": [f"c{k % 4}" for k in item],
            "creator_id": item % 3,
            "score": rng.lognormal(0, 0.5, user.size),
            "cost": rng.lognormal(0, 0.5, user.size),
            "clicks": rng.random(user.size),
        }
    )


def write_problem(folder: Path, *, table: pd.DataFrame | None = None, **statement: Any) -> Path:
    """problem.toml and its tables in `folder`; statement: sense, total and penalty."""
    write_tables(folder, edges() if table is None else table)
    problem = folder / "problem.toml"
    values = {"sense": "maximise", "total": 70.0, "penalty": PRICE, **statement}
    problem.write_text(STATEMENT.format(**values))
    return problem


def write_volume(folder: Path, table: pd.DataFrame) -> Path:
    """problem.toml with the families of `volume`, and its tables in `folder`, numbers in float32."""
    write_tables(folder, table.astype({"score": "float32", "cost": "float32", "clicks": "float32"}))
    problem = folder / "problem.toml"
    problem.write_text(VOLUME)
    return problem


def write_tables(folder: Path, table: pd.DataFrame) -> None:
    """The edges in two parts, a budget of 20 for each campaign, and the floors of three creators."""
    (folder / "edges").mkdir(parents=True)
    half = len(table) // 2
    table.iloc[:half].to_parquet(folder / "edges" / "part-0.parquet", index=False)
    table.iloc[half:].to_parquet(folder / "edges" / "part-1.parquet", index=False)
    campaigns = sorted(table["campaign_id"].unique())
    pd.DataFrame({"campaign_id": campaigns, "budget": 20.0}).to_csv(folder / "budgets.csv", index=False)
    creators = pd.DataFrame({"creator_id": [0, 1, 2], "floor": [30.0, 30.0, 45.0]})
    creators.to_csv(folder / "creators.csv", index=False)


def solve_command(problem: Path, out: Path, *more: str, solver: str = "scipy-highs-ds") -> int:
    """The exit status of `dualbench solve` with an exact solver that compiles nothing."""
    arguments: Sequence[str] = ("solve", str(problem), "--solver", solver, "--quiet", "--out", str(out), *more)
    return invoke([*arguments])
