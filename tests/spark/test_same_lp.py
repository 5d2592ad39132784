"""What Spark writes is the LP that DuckDB reads, to the bit, whatever the keys, the files and their order."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from instances import Problem, content_hash, read_parquet
from instances.content import edge_arrays_of, limits_of
from instances.kept_keys import read_keys
from instances.readers.parquet import read_header
from instances.spark.job import write_shards
from tests.support.campaigns import write_problem

WIDE = """
minimise = "price"
[edges]
files = "edges/**/*.parquet"
source = "user"
destination = "item"
duplicates = "{rule}"
[sources]
at_most = "cap"
each_at_most = "each"
table = "users.parquet"
key = "id"
[[limits]]
name = "day and shop"
by = ["day", "shop"]
use = "cost"
table = "days.parquet"
at_most = "budget"
[[limits]]
name = "kind"
by = "kind"
at_least = 1
penalty = 3
[[limits]]
name = "tags"
by = "tags"
use = 0.1
at_most = 9
[[limits]]
name = "shop"
by = "shop"
use = "price"
at_most = 40
"""
DAYS = [dt.date(2026, 1, 1 + day) for day in range(5)]


def wide_tables(folder: Path, *, repeated: bool = False) -> None:
    """Edges of seven files in no order, with keys and numbers of many types; sources of two kinds."""
    rng = np.random.default_rng(5)
    rows = 900
    pairs = rng.permutation(150 * 20)[:rows]
    thousandths = [decimal.Decimal(int(c)).scaleb(-3) for c in rng.integers(0, 10**9, rows)]
    edges = pa.table(
        {
            "user": pa.array([decimal.Decimal(int(pair // 20) - 70) for pair in pairs], pa.decimal128(12)),
            "item": pa.array([f"ä{pair % 20}" if pair % 3 else f"𝔘{pair % 20}" for pair in pairs]).dictionary_encode(),
            "day": pa.array([DAYS[pair % 5] for pair in pairs]),
            "shop": pa.array([f"'; DROP {pair % 4}" for pair in pairs], pa.large_string()),
            "kind": pa.array([bool(pair % 2) for pair in pairs]),
            "tags": pa.array([[int(tag) for tag in rng.permutation(6)[: pair % 3]] for pair in pairs]),
            "price": pa.array(rng.normal(size=rows).astype(np.float32)),
            "cost": pa.array(thousandths, pa.decimal128(18, 3)),
            "note": pa.array([f"n{pair}" for pair in pairs]),
        }
    )
    if repeated:
        edges = pa.concat_tables([edges, edges.slice(0, 300)]).drop_columns(["tags"])
        edges = edges.set_column(edges.schema.get_field_index("cost"), "cost", pa.array(rng.random(1200)))
    for part in range(7):
        file = folder / "edges" / f"half={part % 2}" / f"part {part} [x].parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(edges.take(np.arange(part, edges.num_rows, 7)[::-1]), file)
    ids = np.arange(-80, 90)
    users = {"id": ids, "cap": 1.0 + (ids % 3), "each": np.where(ids % 2, np.inf, 0.5)}
    parquet.write_table(pa.table(users), folder / "users.parquet")
    days = [(day, f"'; DROP {shop}") for day in DAYS for shop in range(5)]
    table = {"day": [day for day, _ in days], "shop": [shop for _, shop in days], "budget": np.arange(25.0)}
    parquet.write_table(pa.table(table), folder / "days.parquet")


def wide_problem(folder: Path, *, rule: str = "error") -> Path:
    wide_tables(folder, repeated=rule != "error")
    statement = WIDE.format(rule=rule)
    if rule != "error":
        before, _, after = statement.partition('[[limits]]\nname = "tags"')
        statement = before + after[after.index("[[limits]]") :]
    (folder / "problem.toml").write_text(statement)
    return folder / "problem.toml"


def require_same(problem: Path, out: Path, content: str) -> None:
    """What is written, whole and in parts, is the LP of the tables."""
    lp = Problem.read(problem).build().lp
    written = read_parquet(out)
    arrays = {**edge_arrays_of(lp), **limits_of(lp)}
    for name, array in {**edge_arrays_of(written), **limits_of(written)}.items():
        np.testing.assert_array_equal(array, arrays[name], strict=True, err_msg=name)
    assert content == content_hash(lp) == content_hash(written)
    assert read_header(out)["bytes"] == lp.nbytes
    assert [family.name for family in written.rows] == [family.name for family in lp.rows]


def test_a_campaign_of_strings(spark: Any, tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    written = write_shards(spark, Problem.read(problem), tmp_path / "out", columns=["clicks"])
    require_same(problem, tmp_path / "out", written.content)
    assert (written.edges, written.sources) == (360, 60)


def test_keys_and_numbers_of_many_types(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instances.spark.job.most_edges", lambda _: 100)  # several row groups
    problem = wide_problem(tmp_path)
    written = write_shards(spark, Problem.read(problem), tmp_path / "out", columns=["note"])
    require_same(problem, tmp_path / "out", written.content)
    stated = Problem.read(problem).build()
    assert written.notes == stated.notes != ()
    assert written.row_groups > 5

    kept = read_keys(tmp_path / "out")
    columns = pa.concat_tables(kept.edge_files().read(range(written.row_groups), checked=False))
    assert columns.equals(stated.edge_columns(kept.columns).cast(columns.schema))
    for limit in stated.problem.limits:
        assert kept.stated(stated.lp).row_keys(limit.name) == stated.row_keys(limit.name)


@pytest.mark.parametrize("rule", ["sum", "max", "first"])
def test_rules_of_duplicates(spark: Any, tmp_path: Path, rule: str) -> None:
    problem = wide_problem(tmp_path, rule=rule)
    written = write_shards(spark, Problem.read(problem), tmp_path / "out")
    require_same(problem, tmp_path / "out", written.content)
    assert written.edges == 900


def test_frames_in_place_of_files(spark: Any, tmp_path: Path) -> None:
    write_problem(tmp_path)
    stated: dict[str, Any] = {
        "source": "user_id",
        "destination": "item_id",
        "maximise": "score",
        "sources": {"at_most": 2, "each_at_most": 1},
        "limits": [{"name": "campaign", "by": "campaign_id", "at_most": 20, "use": "cost"}],
    }
    arrow = parquet.read_table(tmp_path / "edges")
    frame = spark.read.parquet(str(tmp_path / "edges")).where("score > 0")
    written = write_shards(spark, Problem.from_tables(edges=frame, **stated), tmp_path / "out")
    assert written.content == content_hash(Problem.from_tables(edges=arrow, **stated).build().lp)
    assert read_keys(tmp_path / "out").problem.path is None
