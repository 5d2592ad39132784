"""Keys are data: every type and every text comes back as it was, and changes nothing but the names."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
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


TIMES = [datetime(2024, 2, 29, 1, 2, 3), datetime(1969, 1, 1), datetime(2000, 1, 1)]
TEXTS = ["b", "a", "c"]
#: Keys that come back in their own Arrow type, and text and bytes, which come back in its form with 64-bit offsets.
OWN_TYPE = [
    pa.array([3, 1, 2], pa.int8()),
    pa.array([2**63 - 1, -(2**63), 0]),
    pa.array([2**64 - 1, 0, 1], pa.uint64()),
    pa.array([Decimal("1.50"), Decimal("0.25"), Decimal("-3.00")]),
    pa.array([Decimal("1.50"), Decimal("0.25"), Decimal("-3.00")], pa.decimal32(4, 2)),
    pa.array([date(2024, 2, 29), date(1969, 1, 1), date(2000, 1, 1)]),
    pa.array([date(2024, 2, 29), date(1969, 1, 1), date(2000, 1, 1)], pa.date64()),
    *(pa.array(TIMES, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
    *(pa.array(TIMES, pa.timestamp(unit, "Asia/Tokyo")) for unit in ("s", "ns")),
    *(pa.array([3000, 1000, 2000], kind) for kind in (pa.time32("s"), pa.time64("us"), pa.time64("ns"))),
    pa.array([UUID(int=2**127), UUID(int=1), UUID(int=2**64)], pa.uuid()),
    pa.array([b"bb", b"a\xff", b"\x00c"], pa.binary(2)),
    pa.array([True, False]),
]
ANY_AMOUNT = [
    pa.array(TEXTS),
    pa.array(TEXTS, pa.large_string()),
    pa.array(TEXTS, pa.string_view()),
    pa.array(TEXTS).dictionary_encode(),
    pa.array([b"b", b"a", b"\xff"]),
]


@pytest.mark.parametrize("keys", [*OWN_TYPE, *ANY_AMOUNT], ids=lambda keys: str(keys.type))
def test_every_type_of_key_comes_back_sorted(keys: pa.Array) -> None:
    n = len(keys)
    table = pa.table({"user": keys, "item": keys, "also": keys, "score": np.arange(n, dtype=np.float32)})

    made = stated(table, destination="item")

    in_64_bits = pa.large_binary() if pa.types.is_binary(keys.type) else pa.large_string()
    kind = keys.type if any(keys is one for one in OWN_TYPE) else in_64_bits
    expected = sorted(range(n), key=lambda i: keys[i].as_py())
    back = made.edge_columns(["user", "item", "also"])
    for column in (made.source_keys, made.row_keys("item"), *back.columns):
        assert column.to_pylist() == [keys[i].as_py() for i in expected]
        assert column.type == kind
    assert made.edge_columns(["also"], np.zeros(0, np.int64)).schema.types == [kind]
    np.testing.assert_array_equal(made.lp.c, [-i for i in expected])
    assert made.lp.c.dtype == np.float32


def test_keys_of_edges_have_the_type_of_the_edges_and_those_of_rows_of_their_table() -> None:
    edges = pa.table({"user": [1, 2], "item": pa.array([7, 8], pa.int16()), "score": [1.0, 2.0]})
    items = pa.table({"item": [10**9, 8, 7], "cap": [1.0, 2.0, 3.0]})

    made = stated(edges, limits=[{"name": "item", "by": "item", "table": items, "at_most": "cap"}])

    assert made.edge_columns(["item"])["item"].type == pa.int16()
    assert made.row_keys("item").equals(pa.array([7, 8, 10**9]))


def test_text_without_a_zone_is_universal_time_on_every_machine(tmp_path: Path) -> None:
    path = tmp_path / "slots.csv"
    path.write_text("slot,cap\n2024-02-29 12:00:00,3\n")
    slot = pa.array([datetime(2024, 2, 29, 12)], pa.timestamp("us", "UTC"))
    edges = pa.table({"user": [1], "slot": slot, "score": [1.0]})
    limits = [{"name": "slot", "by": "slot", "table": str(path), "at_most": "cap"}]

    assert stated(edges, limits=limits).lp.b.tolist() == [3]


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


PLACES = st.tuples(st.integers(0, 5), st.integers(0, 5))
EDGES = st.dictionaries(PLACES, st.integers(-9, 9), min_size=1, max_size=12)
DAY = date(2024, 2, 29)
#: Six different keys of each type, by a number of them.
KEYS: dict[str, st.SearchStrategy[pa.Array]] = {
    "text": st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=6, max_size=6, unique=True),
    "int16": st.permutations(range(-3, 3)).map(lambda keys: pa.array(keys, pa.int16())),
    "uint64": st.permutations(range(2**64 - 6, 2**64)).map(lambda keys: pa.array(keys, pa.uint64())),
    "decimal": st.permutations(range(-3, 3)).map(lambda keys: pa.array([Decimal(key) / 4 for key in keys])),
    "date": st.permutations(range(6)).map(lambda keys: pa.array([DAY + timedelta(key) for key in keys])),
    "UUID": st.lists(st.uuids(), min_size=6, max_size=6, unique=True).map(lambda keys: pa.array(keys, pa.uuid())),
    "bytes": st.lists(st.binary(min_size=2, max_size=2), min_size=6, max_size=6, unique=True).map(
        lambda keys: pa.array(keys, pa.large_binary())
    ),
}


@st.composite
def kinds_of_keys(draw: st.DrawFn) -> pa.Array:
    keys = draw(KEYS[draw(st.sampled_from(sorted(KEYS)))])
    return pa.array(keys, pa.large_string()) if isinstance(keys, list) else keys


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    EDGES,
    kinds_of_keys(),
    kinds_of_keys(),
    st.sampled_from(["max", "first", "error"]),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_tables_to_lp_to_tables_loses_nothing(
    edges: dict[tuple[int, int], int], users: pa.Array, items: pa.Array, rule: str, files: int, random: Any
) -> None:
    """Under any names and types of keys, any order of rows in any number of files, and any repetition of whole rows."""
    once = [(u, i, float(score)) for (u, i), score in edges.items()]
    rows = once if rule == "error" else [*once, *random.choices(once, k=3)]
    random.shuffle(rows)
    in_order = sorted(once, key=lambda row: (sort_key(users[row[0]]), sort_key(items[row[1]])))
    budgets = pa.table({"item": items, "most": np.arange(6.0)}).take(random.sample(range(6), 6))
    limits = [{"name": "item", "by": "item", "table": budgets, "at_most": "most"}]

    with tempfile.TemporaryDirectory() as folder:
        for number in range(files):
            pq.write_table(table_of(rows[number::files], users, items), f"{folder}/{number}.parquet")
        made = stated(folder, destination="item", duplicates=rule, limits=limits)
        back = made.edge_columns(["user", "item", "score"])

    assert back.equals(table_of(in_order, users, items))
    assert made.lp.c.tolist() == [-score for _, _, score in in_order]
    keys = made.row_keys("item")
    assert keys.equals(items.take(pa.array(sorted(range(6), key=lambda i: sort_key(items[i])))))
    assert made.lp.b.tolist() == [float(items.to_pylist().index(key)) for key in keys.to_pylist()]


def table_of(rows: list[tuple[int, int, float]], users: pa.Array, items: pa.Array) -> pa.Table:
    user, item, score = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    places = [pa.array(column, pa.int64()) for column in (user, item)]
    return pa.table(
        {"user": users.take(places[0]), "item": items.take(places[1]), "score": pa.array(score, pa.float64())}
    )


def sort_key(key: pa.Scalar) -> Any:
    """Text by its UTF-8, all else by value."""
    value = key.as_py()
    return value.encode() if isinstance(value, str) else value
