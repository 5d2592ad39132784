"""Tables become the LP that their owner means, whatever holds them and in whatever order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instances import BoxCut, InputError, content_hash
from instances.tables import Problem, Stated

EDGES = pd.DataFrame(
    {
        "user_id": ["b", "a", "a", "b"],
        "item_id": [7, 7, 9, 9],
        "campaign": ["x", "x", "y", "y"],
        "score": [1.0, 2.0, 3.0, 4.0],
        "cost": [1.0, 0.5, 1.0, 1.0],
    }
)
BUDGETS = pd.DataFrame({"campaign": ["y", "x", "z"], "budget": [1.0, 2.0, 3.0]})
TOML = """
maximise = "score"
[edges]
files = "edges"
source = "user_id"
destination = "item_id"
[sources]
at_most = 2
each_at_most = 1
[[limits]]
name = "campaign"
by = "campaign"
use = "cost"
table = "budgets.csv"
at_most = "budget"
[[limits]]
name = "total"
use = "cost"
at_most = 50
[[limits]]
name = "item"
by = "item_id"
at_least = 1
penalty = 0.2
"""


def stated(edges: Any, budgets: Any) -> Stated:
    limits = [
        {"name": "campaign", "by": "campaign", "use": "cost", "table": budgets, "at_most": "budget"},
        {"name": "total", "use": "cost", "at_most": 50},
        {"name": "item", "by": "item_id", "at_least": 1, "penalty": 0.2},
    ]
    sources = {"at_most": 2, "each_at_most": 1}
    return Problem.from_tables(
        edges=edges, source="user_id", destination="item_id", sources=sources, limits=limits, maximise="score"
    ).build()


def test_edges_stand_by_source_and_destination_and_rows_by_key() -> None:
    made = stated(EDGES, BUDGETS)

    campaign, total, item = made.lp.rows
    np.testing.assert_array_equal(made.lp.offsets, [0, 2, 4])
    np.testing.assert_array_equal(made.lp.c, [-2, -3, -1, -4])
    np.testing.assert_array_equal(campaign.row, [0, 1, 0, 1])
    np.testing.assert_array_equal(campaign.coefficient, [0.5, 1, 1, 1])
    np.testing.assert_array_equal(campaign.upper, [2, 1, 3])
    assert total.row is None
    assert total.upper.tolist() == [50]
    assert (item.lower.tolist(), item.penalty_below.tolist()) == ([1, 1], [0.2, 0.2])
    assert made.lp.polytope == BoxCut(upper=1.0, at_most=2.0)


def test_keys_lead_back_from_sources_rows_and_edges() -> None:
    made = stated(EDGES, BUDGETS)

    assert made.maximise
    assert made.source_keys.to_pylist() == ["a", "b"]
    assert made.row_keys("campaign").to_pylist() == ["x", "y", "z"]
    assert made.row_keys("total") is None
    expected = {"user_id": ["a", "a", "b", "b"], "item_id": [7, 9, 7, 9], "campaign": ["x", "y", "x", "y"]}
    assert made.edge_columns(list(expected)).to_pydict() == expected
    assert made.edge_columns(["item_id"], np.array([3, 0])).to_pydict() == {"item_id": [9, 7]}
    assert made.notes == ("1 of 3 keys of campaign are used by no edge",)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.Table.from_pandas], ids=["pandas", "polars", "arrow"])
def test_every_frame_in_any_order_gives_the_same_lp(frame: Any) -> None:
    shuffled = stated(frame(EDGES.sample(frac=1, random_state=1)), frame(BUDGETS.sample(frac=1, random_state=2)))

    assert content_hash(shuffled.lp) == content_hash(stated(EDGES, BUDGETS).lp)


def test_problem_toml_reads_parts_of_spark_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "edges"
    folder.mkdir()
    for name in ("_SUCCESS", "._SUCCESS.crc", ".part-0.snappy.parquet.crc"):
        (folder / name).touch()
    pq.write_table(pa.Table.from_pandas(EDGES[2:]), folder / "part-0.snappy.parquet")
    pq.write_table(pa.Table.from_pandas(EDGES[:2]), folder / "part-1.snappy.parquet")
    BUDGETS.to_csv(tmp_path / "budgets.csv", index=False)
    (tmp_path / "problem.toml").write_text(TOML)

    made = Problem.read(tmp_path / "problem.toml").build()

    assert content_hash(made.lp) == content_hash(stated(EDGES, BUDGETS).lp)


def test_other_columns_come_from_the_tables_once_more_and_must_be_there() -> None:
    made = stated(EDGES, BUDGETS)

    assert made.edge_columns(["score", "user_id"]).to_pydict() == {
        "score": [2, 3, 1, 4],
        "user_id": ["a", "a", "b", "b"],
    }
    assert made.edge_columns(["score"], np.array([2])).to_pydict() == {"score": [1]}
    assert made.edge_columns(["score"], np.zeros(0, dtype=np.int64)).schema.types == [pa.float64()]
    with pytest.raises(InputError, match=r"no column 'scores' .* did you mean score?"):
        made.edge_columns(["scores"], np.zeros(0, dtype=np.int64))


def test_tables_that_change_after_the_lp_was_made_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    EDGES.to_parquet(path)
    made = stated(str(path), BUDGETS)
    EDGES.assign(score=[5.0, 2.0, 3.0, 4.0]).to_parquet(path)

    with pytest.raises(InputError, match="has changed since the LP was made of it"):
        made.edge_columns(["cost"])
