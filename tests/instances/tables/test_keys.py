"""Keys are data: every type and every text comes back as it was, and changes nothing but the names."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from instances import InputError, Problem, RaggedRows
from instances.tables import Stated

ODD_TEXTS = ["'; DROP TABLE edges; --", 'say "hi", they', "🦆,\n\t\\", "x" * 10_000, "", " ", "NULL", "t.k0"]


def stated(edges: Any, **given_: Any) -> Stated:
    limits = given_.pop("limits", [{"name": "item", "by": "item", "at_most": 2.0}])
    return Problem.from_tables(
        edges=edges, source="user", sources={"at_most": 1}, limits=limits, maximise="score", **given_
    ).build()


@pytest.mark.parametrize(
    "keys",
    [
        pa.array([3, 1, 2], pa.int8()),
        pa.array([2**63 - 1, -(2**63), 0]),
        pa.array([2**64 - 1, 0, 1], pa.uint64()),
        pa.array([Decimal("1.50"), Decimal("0.25"), Decimal("-3.00")]),
        pa.array([date(2024, 2, 29), date(1969, 1, 1), date(2000, 1, 1)]),
        pa.array([datetime(2024, 2, 29, 1, 2, 3, 4), datetime(1969, 1, 1), datetime(2000, 1, 1)], pa.timestamp("us")),
        pa.array(["b", "a", "c"], pa.large_string()),
        pa.array(["b", "a", "c"], pa.string_view()),
        pa.array(["b", "a", "c"]).dictionary_encode(),
        pa.array([b"b", b"a", b"\xff"]),
        pa.array([True, False]),
    ],
    ids=lambda keys: str(keys.type),
)
def test_every_type_of_key_comes_back_sorted(keys: pa.Array) -> None:
    n = len(keys)
    table = pa.table({"user": keys, "item": keys, "score": np.arange(n, dtype=np.float32)})

    made = stated(table, destination="item")

    expected = sorted(range(n), key=lambda i: keys[i].as_py())
    assert made.source_keys.to_pylist() == [keys[i].as_py() for i in expected]
    assert made.edge_columns(["item"])["item"].to_pylist() == [keys[i].as_py() for i in expected]
    np.testing.assert_array_equal(made.lp.c, [-i for i in expected])
    assert made.lp.c.dtype == np.float32


def test_uuids_come_back_as_their_text() -> None:
    keys = [UUID(int=2**127), UUID(int=1)]
    made = stated(pa.table({"user": pa.array(keys, pa.uuid()), "item": [1, 2], "score": [1.0, 2.0]}))

    assert made.source_keys.to_pylist() == [str(keys[1]), str(keys[0])]


def test_odd_texts_are_data_and_odd_columns_are_names() -> None:
    column = '"; DROP TABLE edges; --'
    table = pa.table({column: ODD_TEXTS, "score": np.ones(len(ODD_TEXTS))})

    made = Problem.from_tables(
        edges=table,
        source=column,
        sources={"at_most": 1},
        limits=[{"name": "same", "by": column, "table": table, "at_most": "score"}],
        maximise="score",
    ).build()

    assert made.source_keys.to_pylist() == sorted(ODD_TEXTS, key=str.encode)
    assert made.row_keys("same").to_pylist() == made.source_keys.to_pylist()


def test_whole_numbers_in_text_files_are_numbers_where_all_are_written_so(tmp_path: Path) -> None:
    path = tmp_path / "edges.csv"
    path.write_text("user,item,score\n10,007,1\n9,7,2\n")

    made = stated(str(path))

    assert made.source_keys.to_pylist() == [9, 10]
    assert made.row_keys("item").to_pylist() == ["007", "7"]


def test_several_columns_are_one_key() -> None:
    edges = pa.table({"user": [1, 1, 2], "day": ["b", "a", "a"], "item": [5, 5, 6], "score": [1.0, 2.0, 3.0]})
    caps = pa.table({"d": ["a", "a", "b"], "i": [6, 5, 5], "cap": [1.0, 2.0, 3.0]})
    limit = {"name": "slot", "by": ["day", "item"], "key": ["d", "i"], "table": caps, "at_most": "cap"}

    made = stated(edges, limits=[limit])

    assert made.row_keys("slot").to_pylist() == [{"day": d, "item": i} for d, i in (("a", 5), ("a", 6), ("b", 5))]
    assert made.lp.b.tolist() == [2, 1, 3]
    assert made.edge_columns(["user", "day", "item"]).to_pylist() == [
        {"user": 1, "day": "a", "item": 5},
        {"user": 1, "day": "b", "item": 5},
        {"user": 2, "day": "a", "item": 6},
    ]


def test_a_list_of_keys_puts_an_edge_in_several_rows() -> None:
    edges = pa.table(
        {
            "user": [2, 1, 1],
            "item": [5, 6, 5],
            "tags": [["x"], ["y", "x"], None],
            "score": [1.0, 2.0, 3.0],
            "cost": [1.0, 2.0, 4.0],
        }
    )
    tags = pa.table({"tags": ["y", "x"], "cap": [1.0, 2.0]})
    limits = [{"name": "tag", "by": "tags", "use": "cost", "table": tags, "at_most": "cap"}]

    made = stated(edges, destination="item", limits=limits)

    (tag,) = made.lp.rows
    assert isinstance(tag, RaggedRows)
    assert made.edge_columns(["item", "tags"]).to_pydict() == {"item": [5, 6, 5], "tags": [None, ["y", "x"], ["x"]]}
    assert (tag.entry_offsets.tolist(), tag.row.tolist()) == ([0, 0, 2, 3], [0, 1, 0])
    assert tag.coefficient.tolist() == [2, 2, 1]
    assert made.row_keys("tag").to_pylist() == ["x", "y"]


def test_a_tag_without_a_budget_is_shown() -> None:
    edges = pa.table({"user": [1], "item": [1], "tags": [["x", "z"]], "score": [1.0]})
    tags = pa.table({"tags": ["x"], "cap": [1.0]})
    limits = [{"name": "tag", "by": "tags", "table": tags, "at_most": "cap"}]

    with pytest.raises(InputError, match=r"the key tags has no row in .* tags = \[x, z\], user = 1, item = 1"):
        stated(edges, destination="item", limits=limits)


@pytest.mark.parametrize("files", ["edges", "edges/item=*/*.parquet", "edges/**/*.parquet"])
def test_folders_are_columns_and_arrow_files_are_tables(tmp_path: Path, files: str) -> None:
    for item in (7, 8):
        folder = tmp_path / "edges" / f"item={item}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"user": [1, 2], "score": [1.0, 2.0]}), folder / "part.parquet")
    feather.write_feather(pa.table({"item": [8, 7], "cap": [1.0, 2.0]}), tmp_path / "caps.feather")
    limits = [{"name": "item", "by": "item", "table": str(tmp_path / "caps.feather"), "at_most": "cap"}]

    made = stated(str(tmp_path / files), limits=limits)

    assert made.edge_columns(["user", "item"]).to_pydict() == {"user": [1, 1, 2, 2], "item": [7, 8, 7, 8]}
    assert made.lp.b.tolist() == [2, 1]


EDGES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(-9, 9)),
    min_size=1,
    max_size=12,
    unique_by=lambda e: e[:2],
)
NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=12, max_size=12, unique=True)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDGES, NAMES, st.randoms(use_true_random=False), st.sampled_from(["max", "first", "error"]))
def test_tables_to_lp_to_tables_loses_nothing(edges: Any, names: list[str], random: Any, rule: str) -> None:
    """Under any names, any order, and any repetition of whole rows."""
    users, items = names[:6], names[6:]
    rows = [(users[u], items[i], float(score)) for u, i, score in edges]
    given_rows = rows if rule == "error" else [*rows, *random.choices(rows, k=3)]
    random.shuffle(given_rows)
    table = pa.table(dict(zip(("user", "item", "score"), map(list, zip(*given_rows, strict=True)), strict=True)))

    made = stated(table, destination="item", duplicates=rule)

    back = made.edge_columns(["user", "item", "score"]).to_pylist()
    assert [tuple(row.values()) for row in back] == sorted(rows, key=lambda row: (row[0].encode(), row[1].encode()))
    assert (-made.lp.c).tolist() == [row["score"] for row in back]
