"""Shards of a small problem without Spark: the LP that DuckDB makes, stored with its keys as a job of Spark does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyarrow import parquet

from instances import Problem, write_parquet
from instances.kept_keys import KEYS, KEYS_OF_EDGES, write_keys
from instances.row_groups import RowGroups


def write_shards_apart(problem: Path, out: Path, columns: Sequence[str] = ()) -> None:
    stated = Problem.read(problem).build()
    write_parquet(stated.lp, out, f"problem:path={problem}")
    (out / KEYS).mkdir()
    names = [*stated.problem.key_columns, *columns]
    keys = stated.edge_columns(names)
    with parquet.ParquetWriter(out / KEYS_OF_EDGES, keys.schema) as writer:
        start = 0
        for edges in RowGroups(out).edges.tolist():
            writer.write_table(keys.slice(start, edges))
            start += edges
    write_keys(out, stated.problem, names, stated.built.families, stated.notes)
