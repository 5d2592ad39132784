"""The amounts of sources that stand in a table, checked as instances.tables checks them where it holds the table."""

from __future__ import annotations

import math
from typing import Any

from instances.spark.frames import SparkTable, column_of, open_frame
from instances.tables.amounts import amount_columns
from instances.tables.kinds import key_pair, number
from instances.tables.statement import SourceLimits, Statement

KEY = "source_key"
PRESENT = "present"
_WHERE = "[sources]"


def source_amounts(spark: Any, connection: Any, edges: SparkTable, stated: Statement) -> tuple[SparkTable, Any]:
    """The table of [sources], and of it a DataFrame of KEY, PRESENT (true) and the amounts by their names.

    Raises ProblemError for a key that is null or stands more than once, and for amounts that are none.
    """
    limits = stated.sources
    assert limits.table is not None
    table = open_frame(spark, connection, limits.table, "source_limits_table")
    key_pair(connection, edges.opened, stated.edges.source, table.opened, limits.key, _WHERE)
    columns = amount_columns(limits)
    for name, column in columns.items():
        number(table.opened, column, f"{_WHERE} {name}")  # refuses what is no column of numbers
    _check_keys(connection, table, limits)
    _check_amounts(connection, table, limits)

    from pyspark.sql import functions as F

    amounts = [column_of(column).cast("double").alias(name) for name, column in columns.items()]
    return table, table.rows.select(column_of(limits.key).alias(KEY), F.lit(True).alias(PRESENT), *amounts)


def check_served(connection: Any, table: SparkTable, limits: SourceLimits, numbered: Any) -> None:
    """ProblemError where a source must take something and has no edge; numbered: has the KEY of those that have."""
    columns = amount_columns(limits)
    if "equals" not in columns:
        return
    due = table.rows.where(column_of(columns["equals"]) > 0)
    idle = due.join(numbered, column_of(limits.key) == numbered[KEY], "left_anti")
    if not idle.isEmpty():
        sentence, remedy = "a source has no edge for what it must take", "give it edges, or leave it out"
        raise table.refusal(connection, idle, (limits.key, *columns.values()), sentence, remedy)


def _check_keys(connection: Any, table: SparkTable, limits: SourceLimits) -> None:
    """Every row of the table has a key, of its own."""
    from pyspark.sql import functions as F

    key = column_of(limits.key)
    null = table.rows.where(key.isNull())
    if not null.isEmpty():
        sentence = "the key is null, or not of the type of the edges' keys"
        raise table.refusal(connection, null, (limits.key,), sentence, "give each row its key")
    repeated = table.rows.groupBy(key.alias(KEY)).agg(F.count("*").alias("rows")).where("rows > 1")
    if not repeated.isEmpty():
        twice = table.rows.join(repeated, key == repeated[KEY], "left_semi")
        raise table.refusal(connection, twice, (limits.key,), "the key stands more than once", "give each key one row")


def _check_amounts(connection: Any, table: SparkTable, limits: SourceLimits) -> None:
    """Every amount is a number from 0, and one of each row is finite."""
    from pyspark.sql import functions as F

    columns = amount_columns(limits)
    for name, column in columns.items():
        value = column_of(column)
        shown = (limits.key, column)
        said = f"column {column} ({_WHERE} {name})"
        missing = table.rows.where(value.isNull() | F.isnan(value.cast("double")))
        if not missing.isEmpty():
            remedy = "give one, inf for no limit"
            raise table.refusal(connection, missing, shown, f"{said} is no number", remedy)
        negative = table.rows.where(value < 0)
        if not negative.isEmpty():
            raise table.refusal(connection, negative, shown, f"{said} is negative", "it must be at least 0")

    numbers = [value for value in limits.amounts.values() if isinstance(value, float)]
    if not all(math.isinf(value) for value in numbers):
        return
    unlimited = table.rows
    for column in columns.values():
        unlimited = unlimited.where(column_of(column).cast("double") == float("inf"))
    if not unlimited.isEmpty():
        sentence, remedy = "a source is limited by nothing", "give one of its limits a finite number"
        raise table.refusal(connection, unlimited, (limits.key, *columns.values()), sentence, remedy)
