"""The keys of the limits' rows, numbered on the driver as without Spark, and their numbers beside each edge.

The driver gets the keys of rows alone, of which every rank of a solve holds a price as well; never edges or sources.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from instances.spark.frames import SparkTable, column_of
from instances.tables.families import number_families
from instances.tables.numbering import Numbering
from instances.tables.opened import OpenTable
from instances.tables.statement import Limit


def number_keys(connection: Any, edges: SparkTable, limits: Sequence[Limit]) -> tuple[Numbering | None, ...]:
    """As instances.tables.families.number_families."""
    names = (f"distinct_keys_{n}" for n in itertools.count())

    def edges_of(limit: Limit) -> OpenTable:
        known = all(column in edges.opened.columns for column in limit.by)
        if limit.table is not None or not known:  # the types alone matter, or the refusal of a column that is missing
            return edges.opened
        return _distinct_keys(connection, edges, limit, next(names))

    return number_families(connection, edges_of, limits)


def _distinct_keys(connection: Any, edges: SparkTable, limit: Limit, name: str) -> OpenTable:
    """The edges' keys of a limit without a table, each once, as the table `name` of the session."""
    from pyspark.sql import functions as F

    lists = [column for column in limit.by if edges.opened.columns[column].endswith("[]")]
    if lists:
        entries = edges.rows.select(F.explode(column_of(lists[0])).alias(lists[0])).distinct()
        found = entries.select(F.array(column_of(lists[0])).alias(lists[0])).toArrow()
    else:
        found = edges.rows.select(*map(column_of, limit.by)).distinct().toArrow()
    connection.register(name, found)
    return replace(edges.opened, name=name)


def with_row_numbers(spark: Any, rows: Any, numbering: Numbering, keys: Sequence[str], number: str) -> Any:
    """`rows` with a column `number`: the place of the key in the columns `keys`, null where there is no such key."""
    table = _joinable(numbering, number)
    numbered = spark.createDataFrame(table)
    same = [rows[key] == numbered[f"{number}_k{n}"] for n, key in enumerate(keys)]
    return rows.join(numbered, same, "left").drop(*table.column_names[1:])


def _joinable(numbering: Numbering, number: str) -> Any:
    """Arrow table of the numbers and the keys, of types that Spark has."""
    import numpy as np
    import pyarrow as pa

    parts = [numbering.keys] if len(numbering.columns) == 1 else numbering.keys.flatten()
    columns = {f"{number}_k{n}": part.cast(_signed(part.type)) for n, part in enumerate(parts)}
    return pa.table({number: np.arange(numbering.count, dtype=np.int32), **columns})


def _signed(kind: Any) -> Any:
    import pyarrow as pa

    wider = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64(), pa.uint64(): pa.decimal128(20)}
    return wider.get(kind, kind)
