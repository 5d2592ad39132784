"""Wrong statements and wrong data: one line with the file, the column or key, and an example row."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instances import Problem
from instances.errors import ProblemError
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
table = "items.parquet"
at_most = "budget"
at_least = "floor"
"""
TABLES: dict[str, dict[str, list[Any]]] = {
    "edges": {"user": ["a", "a", "b"], "item": [7, 9, 7], "score": [1.0, 2.0, 3.0], "cost": [1.0, 1.0, 2.0]},
    "users": {"user": ["a", "b"], "cap": [1.0, 2.0]},
    "items": {"item": [7, 9], "budget": [4.0, 5.0], "floor": [0.0, 1.0]},
}


def problem(folder: Path, statement: str = STATEMENT, **columns: list[Any]) -> Problem:
    """columns: those of tables that are other than usual, such as edges_cost."""
    return problem_over(folder, statement, TABLES, columns)


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as caught:
        make()
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_the_usual_tables_make_an_lp(tmp_path: Path) -> None:
    assert problem(tmp_path).build().lp.edges == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('maximise = "score"', "", "neither maximise nor minimise"),
        ('maximise = "score"', 'maximise = "score"\nminimise = "cost"', "both maximise and minimise"),
        ('maximise = "score"', 'maximise = ""', "maximise is '': give a column of the edges"),
        ("[edges]", "[edges", "is no TOML"),
        ("[edges]", "[edge]", "no key 'edge', did you mean edges?"),
        ("destination", "destinaton", "[edges] has no key 'destinaton', did you mean destination?"),
        ('source = "user"\n', "", "[edges] lacks source"),
        ('source = "user"\n', 'source = "user"\nduplicates = "sums"\n', "duplicates is 'sums': give one of error, sum"),
        ('at_most = "cap"', "at_most = true", "[sources] at_most is true: give a number"),
        ('at_most = "cap"', "at_most = nan", "[sources] at_most is nan: give a number"),
        ('at_most = "cap"', "at_most = -1", "[sources] at_most is -1: it must be at least 0"),
        ('at_most = "cap"', "", "[sources] limits nothing"),
        ('at_most = "cap"', "at_most = inf", "every amount is inf"),
        ('at_most = "cap"', 'at_most = "cap"\nequals = 1', "[sources] has both at_most and equals"),
        ('table = "users.parquet"\n', "", "at_most is the column 'cap' of no table"),
        ("[[limits]]", "[limits]", "has no [[limits]]"),
        ('name = "item"\n', "", "[[limits]] 1 lacks name"),
        ('by = "item"\n', "", "has a table and no by"),
        ('by = "item"\n', 'by = "item"\nkey = ["a", "b"]\n', "key has 2 columns, by 1"),
        ('at_least = "floor"', 'equals = "floor"', "has equals beside another limit"),
        ('at_most = "budget"\nat_least = "floor"', "at_most = 1\nat_least = 2", "at_least 2 above at_most 1"),
        ('at_least = "floor"', "penalty = -0.1", "penalty is -0.1: it must be at least 0"),
    ],
)
def test_a_wrong_statement_is_refused_before_any_table_is_read(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in STATEMENT

    line = refused(lambda: problem(tmp_path, STATEMENT.replace(old, new)))

    assert line.startswith(str(tmp_path / "problem.toml"))
    assert words in line


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"edges_score": [1.0, None, 3.0]},
            "edges.parquet: column score is no finite number, in the row user = 'a', item",
        ),
        (
            {"edges_cost": [1.0, 1.0, float("inf")]},
            "column cost is no finite number, in the row user = 'b', item = 7",
        ),
        ({"edges_score": ["1", "2", "3"]}, "column score is VARCHAR (the objective): give a column of numbers"),
        ({"edges_user": ["a", "a", None]}, "edges.parquet: the key user is null, in the row user = null, item = 7"),
        ({"edges_item": [7, 9, 8]}, "the key item has no row in items.parquet, in the row item = 8, user = 'b'"),
        ({"edges_item": [7.0, 9.0, 7.0]}, "column item is DOUBLE"),
        ({"edges_item": ["7", "9", "7"]}, "has text keys in item, items.parquet whole number keys in item"),
        ({"edges_item": [7, 7, 7]}, "an edge stands more than once, in the row user = 'a', item = 7, 2 such rows"),
        ({"edges_user": ["a", "a", "c"]}, "the source has no row in users.parquet, in the row user = 'c'"),
        (
            {"users_cap": [1.0, -1.0]},
            "users.parquet: column cap ([sources] at_most) is negative, in the row user = 'b'",
        ),
        ({"users_cap": [1.0, float("inf")]}, "users.parquet: a source is limited by nothing, in the row user = 'b'"),
        (
            {"users_user": ["a", "a"]},
            "users.parquet: the key stands more than once, in the row user = 'a', 2 such rows",
        ),
        (
            {"items_budget": [4.0, None]},
            "items.parquet: column budget (limit item at_most) is no number, in the row item",
        ),
        ({"items_item": [7, None]}, "items.parquet: the key is null, or not of the type of the edges' keys"),
        ({"items_floor": [0.0, 6.0]}, "limit item has at_least 6 above at_most 5 for the key '9'"),
        ({name: [] for name in ("edges_user", "edges_item", "edges_score", "edges_cost")}, "has no row"),
    ],
)
def test_wrong_data_are_shown(tmp_path: Path, columns: dict[str, list[Any]], words: str) -> None:
    made = problem(tmp_path, **columns)

    assert words in refused(made.build)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("edges.parquet", "none*.parquet", "none*.parquet matches no file"),
        ("edges.parquet", "problem.toml", "is none of .parquet"),
        ('use = "cost"', 'use = "costs"', "edges.parquet has no column 'costs' (limit item use): did you mean cost?"),
        (
            'source = "user"',
            'source = "User"',
            "edges.parquet has no column 'User' ([edges] source): did you mean user?",
        ),
        ('at_most = "budget"', 'at_most = "bid"', "items.parquet has no column 'bid' (limit item at_most)"),
        ("edges.parquet", "broken.parquet", "broken.parquet"),
    ],
)
def test_files_and_columns_that_are_not_there_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else PAR1")

    assert words in refused(problem(tmp_path, STATEMENT.replace(old, new)).build)


def test_a_source_that_must_take_something_needs_an_edge(tmp_path: Path) -> None:
    statement = STATEMENT.replace('at_most = "cap"', 'equals = "cap"')
    made = problem(tmp_path, statement, users_user=["a", "b", "c"], users_cap=[1.0, 1.0, 1.0])

    assert "a source has no edge for what it must take, in the row user = 'c'" in refused(made.build)


def test_a_number_that_a_text_file_does_not_hold_is_shown_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("user,item,score,cost\na,7,1,1\nb,9,two,1\n")
    made = problem(tmp_path, STATEMENT.replace("edges.parquet", "edges.csv"))

    assert "edges.csv: column score is no finite number, in the row user = 'b', item = '9', score = 'two'" in refused(
        made.build
    )


def test_no_line_of_a_text_file_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("user,item,score,cost\n#a,7,1,1\nb,9,2,1\n")
    made = problem(tmp_path, STATEMENT.replace("edges.parquet", "edges.csv"), users_user=["#a", "b"])

    assert made.build().source_keys.to_pylist() == ["#a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "edges.csv has no header: give a first line with the names of the columns"),
        ("\nuser,item,score,cost\na,7,1,1\n", "edges.csv has no header"),
        ("user,item,score,score\na,7,1,1\n", "edges.csv has two columns 'score'"),
        ("user,item,score,cost\na,7,1,1\nb,9,2\n", "edges.csv: .* Line: 3 .* Columns: 4 Found: 3"),
        ("user,item,score,cost\na,7,1,1,5\n", "edges.csv: .* Line: 2 .* Columns: 4 Found: 5"),
        ('user,item,score,cost\na,7,1,"1\n', "edges.csv: .* Line: 2 .* unterminated quote"),
    ],
)
def test_a_damaged_line_of_a_text_file_is_shown(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "edges.csv").write_text(text)

    assert re.search(words, refused(problem(tmp_path, STATEMENT.replace("edges.parquet", "edges.csv")).build))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_says_what_parts_the_columns(tmp_path: Path, delimiter: str) -> None:
    cells = [["user", "item", "score", "of, which; cost"], ["a,;|", "7", "1", "2"], ["b", "9", "2", "3"]]
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in cells]
    (tmp_path / "edges.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    statement = STATEMENT.replace("edges.parquet", "edges.csv").replace('"cost"', '"of, which; cost"')
    made = problem(tmp_path, statement, users_user=["a,;|", "b"]).build()

    assert made.source_keys.to_pylist() == ["a,;|", "b"]
    assert made.lp.rows[0].coefficient.tolist() == [2, 3]


def test_an_address_is_refused(tmp_path: Path) -> None:
    made = problem(tmp_path, STATEMENT.replace("edges.parquet", "s3://bucket/edges.parquet"))

    assert "s3://bucket/edges.parquet is an address: copy its files here" in refused(made.build)


def test_what_is_no_table_is_refused() -> None:
    limits = [{"name": "all", "at_most": 1}]

    line = refused(Problem.from_tables(edges=17, source="u", sources={"at_most": 1}, limits=limits, maximise="s").build)

    assert "give a DataFrame of pandas or Polars, or an Arrow table" in line
