"""Small tables of a problem, with columns that are other than usual."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from instances import Problem

Tables = Mapping[str, Mapping[str, list[Any]]]


def problem_over(folder: Path, statement: str, tables: Tables, changed: Mapping[str, list[Any]]) -> Problem:
    """The statement over Parquet files of `tables`; changed: columns by table and name, such as edges_cost."""
    for table, usual in tables.items():
        columns = {name: _column(changed.get(f"{table}_{name}", values), values) for name, values in usual.items()}
        parquet.write_table(pa.table(columns), folder / f"{table}.parquet")
    (folder / "problem.toml").write_text(statement)
    return Problem.read(folder / "problem.toml")


def _column(values: list[Any], usual: list[Any]) -> pa.Array:
    """Without a row it keeps the type that it usually has."""
    return pa.array(values) if values else pa.array(usual)[:0]
