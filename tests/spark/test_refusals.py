"""Wrong tables are refused by Spark in the line that they are refused in without Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from instances import InputError, Problem
from instances.errors import ProblemError
from instances.spark.job import write_shards
from tests.support.tables import problem_over

STATEMENT = """
maximise = "score"
[edges]
files = "edges.parquet"
source = "user"
destination = "item"
[sources]
at_most = "cap"
table = "users.parquet"
[[limits]]
name = "item"
by = "item"
use = "cost"
table = "items.csv"
at_most = "budget"
[[limits]]
name = "tags"
by = "tags"
table = "tags.csv"
at_most = "most"
"""
TABLES: dict[str, dict[str, list[Any]]] = {
    "edges": {
        "user": ["a", "a", "b"],
        "item": [7, 9, 7],
        "score": [1.0, 2.0, 3.0],
        "cost": [1.0, 1.0, 2.0],
        "tags": [[1, 2], [], [2]],
    },
    "users": {"user": ["a", "b"], "cap": [1.0, 2.0]},
}


def problem(folder: Path, statement: str = STATEMENT, **columns: list[Any]) -> Problem:
    """columns: those of tables that are other than usual, such as edges_cost."""
    (folder / "items.csv").write_text("item,budget\n7,4\n9,5\n")
    (folder / "tags.csv").write_text("tags,most\n1,4\n2,5\n")
    return problem_over(folder, statement, TABLES, columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"edges_item": [7, 8, 7]}, "the key item has no row in items.csv, in the row item = 8, user = 'a'"),
        ({"edges_item": [7, None, 7]}, "the key item is null"),
        ({"edges_user": ["a", None, "b"]}, "the key user is null"),
        ({"edges_tags": [[1, 2], [3], [2]]}, "the key tags has no row in tags.csv"),
        ({"edges_item": [7, 7, 7]}, "an edge stands more than once, in the row user = 'a', item = 7, 2 such rows"),
        ({"edges_cost": [1.0, float("nan"), None]}, "column cost is no finite number, in the row user = 'a', item = 9"),
        ({"edges_score": ["1", "2", "3"]}, "column score is VARCHAR (the objective)"),
        ({"edges_user": ["a", "c", "b"]}, "the source has no row in users.parquet, in the row user = 'c'"),
        ({"users_user": ["a", "a"]}, "the key stands more than once"),
        ({"users_cap": [1.0, None]}, "column cap ([sources] at_most) is no number"),
        ({"users_cap": [1.0, -2.0]}, "column cap ([sources] at_most) is negative, in the row user = 'b', cap = -2.0"),
        ({"users_cap": [1.0, float("inf")]}, "a source is limited by nothing"),
    ],
)
def test_wrong_data(spark: Any, tmp_path: Path, columns: dict[str, list[Any]], words: str) -> None:
    stated = problem(tmp_path, **columns)
    with pytest.raises(ProblemError) as without:
        stated.build()
    with pytest.raises(ProblemError) as found:
        write_shards(spark, stated, tmp_path / "out")
    assert str(found.value) == str(without.value)
    assert words in str(found.value)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


def test_no_rows(spark: Any, tmp_path: Path) -> None:
    stated = problem(tmp_path)
    edges = parquet.read_table(tmp_path / "edges.parquet")
    parquet.write_table(edges.slice(0, 0), tmp_path / "edges.parquet")
    with pytest.raises(ProblemError, match=r"edges\.parquet has no row: there is nothing to decide"):
        write_shards(spark, stated, tmp_path / "out")


def test_what_spark_cannot_read(spark: Any, tmp_path: Path) -> None:
    stated = problem(tmp_path, STATEMENT.replace("edges.parquet", "items.csv"))
    with pytest.raises(ProblemError, match=r"items\.csv is CSV: Spark reads this table as Parquet"):
        write_shards(spark, stated, tmp_path / "out")
    stated = problem(tmp_path, STATEMENT.replace('destination = "item"', 'destination = "item"\nat_most = "cost"'))
    with pytest.raises(ProblemError, match=r"\[edges\] at_most, a limit of each edge, is for one machine"):
        write_shards(spark, stated, tmp_path / "out")
    stated = problem(tmp_path)
    (tmp_path / "edges.parquet").write_bytes(b"PAR1 but no Parquet")
    with pytest.raises(ProblemError, match=r"Spark cannot read edges\.parquet: ") as broken:
        write_shards(spark, stated, tmp_path / "out")
    assert "\n" not in str(broken.value)


def test_a_folder_of_something_else_stays(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(InputError, match="holds something else: give a new or empty folder"):
        write_shards(spark, problem(tmp_path), tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "kept"
