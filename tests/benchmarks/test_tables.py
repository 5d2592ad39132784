"""Seconds from tables to an LP, beside what DuckDB needs to read and sort the same columns; 1e7 edges in 8 files.

The process time says what the work costs where other processes share the machine.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from instances import MatchingLP, Problem
from instances.cpus import usable_threads

_EDGES = 10_000_000
_FILES = 8
_STATEMENT = """
maximise = "score"
[edges]
files = "edges"
source = "user_id"
destination = "item_id"
[sources]
at_most = 1
[[limits]]
name = "item"
by = "item_id"
use = "cost"
table = "items.parquet"
at_most = "budget"
"""


def write_tables(folder: Path, prefix: str) -> None:
    """Ten edges a user, in random order; keys are numbers, or text where there is a prefix."""
    (folder / "edges").mkdir()
    connection = duckdb.connect(config={"threads": usable_threads(), "temp_directory": str(folder / "spill")})
    kind = "VARCHAR" if prefix else "BIGINT"
    connection.execute(
        "CREATE TABLE edges AS SELECT * FROM (SELECT "
        f"('{prefix}' || hash(i // 10) % 100_000_000_000)::{kind} AS user_id, "
        f"('{prefix}' || hash((i * 7919) % 5000 + (i % 10) * 13) % 1_000_000_007)::{kind} AS item_id, "
        "max((hash(i + 1) % 1000 / 1000)::REAL) AS score, max((hash(i + 2) % 1000 / 1000)::REAL) AS cost "
        f"FROM range({_EDGES}) t(i) GROUP BY ALL) ORDER BY hash(user_id, item_id)"
    )
    for part in range(_FILES):
        here = f"SELECT user_id, item_id, score, cost FROM edges WHERE rowid % {_FILES} = {part}"
        connection.execute(f"COPY ({here}) TO '{folder}/edges/part-{part}.parquet'")
    connection.execute(f"COPY (SELECT DISTINCT item_id, 100.0 AS budget FROM edges) TO '{folder}/items.parquet'")
    (folder / "problem.toml").write_text(_STATEMENT)


def read_and_sort(folder: Path) -> int:
    connection = duckdb.connect(config={"threads": usable_threads(), "temp_directory": str(folder / "spill")})
    reader = connection.sql(f"FROM '{folder}/edges/*.parquet' ORDER BY user_id, item_id").to_arrow_reader(1 << 18)
    return sum(batch.num_rows for batch in reader)


@pytest.mark.parametrize("prefix", ["", "user-or-item-"], ids=["int64", "text"])
def test_tables_to_an_lp(benchmark: Any, tmp_path: Path, prefix: str) -> None:
    write_tables(tmp_path, prefix)
    alone, alone_cpu = time.perf_counter(), time.process_time()
    rows = read_and_sort(tmp_path)
    alone, alone_cpu = time.perf_counter() - alone, time.process_time() - alone_cpu

    cpu = time.process_time()
    lp: MatchingLP = benchmark.pedantic(
        lambda: Problem.read(tmp_path / "problem.toml").build().lp, rounds=3, iterations=1
    )
    cpu = (time.process_time() - cpu) / 3

    benchmark.extra_info.update(
        edges=lp.edges,
        edges_per_second=lp.edges / benchmark.stats.stats.min,
        process_seconds=cpu,
        duckdb_alone=alone,
        duckdb_alone_process_seconds=alone_cpu,
        times_duckdb=cpu / alone_cpu,
    )
    assert lp.edges == rows
