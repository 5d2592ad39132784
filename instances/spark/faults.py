"""Refusals of edges, found by executors and put into words by the driver, as instances.tables.edges says them."""

from __future__ import annotations

from functools import reduce
from typing import Any

from instances.errors import ProblemError
from instances.spark.frames import SparkTable, column_of
from instances.spark.keys import with_row_numbers
from instances.spark.layout import REPEATED, UNKNOWN, WORDS
from instances.tables.duplicates import ONE_EACH, TWICE
from instances.tables.edges import absent_key, columns_of, null_key
from instances.tables.families import ENTRY
from instances.tables.numbering import Numbering
from instances.tables.plan import Plan

_NUMBER = "number of the key"


def refused(spark: Any, connection: Any, edges: SparkTable, plan: Plan, fault: str) -> ProblemError:
    """The refusal behind a fault of a piece."""
    if fault.startswith(WORDS):
        return ProblemError(fault.removeprefix(WORDS))
    if fault == REPEATED:
        return _repeated(connection, edges, plan)
    name = fault.removeprefix(UNKNOWN)
    unknown = next(one for one in (*plan.numberings, *plan.ragged) if one.name == name)
    return unknown_key(spark, connection, edges, plan, unknown)


def unknown_key(spark: Any, connection: Any, edges: SparkTable, plan: Plan, unknown: Numbering) -> ProblemError:
    """Of edges whose key is null, or has no row in the table of its limit."""
    from pyspark.sql import functions as F

    columns = columns_of([unknown, *plan.names_an_edge])
    rows, keys = edges.rows, list(unknown.columns)
    if unknown.entries is not None:
        rows, keys = rows.withColumn(ENTRY, F.explode(column_of(unknown.columns[0]))), [ENTRY]
    null = rows.where(reduce(lambda one, other: one | other, [column_of(key).isNull() for key in keys]))
    if not null.isEmpty():
        return edges.refusal(connection, null, columns, *null_key(unknown))
    absent = with_row_numbers(spark, rows, unknown, keys, _NUMBER).where(column_of(_NUMBER).isNull())
    return edges.refusal(connection, absent, columns, *absent_key(unknown))


def _repeated(connection: Any, edges: SparkTable, plan: Plan) -> ProblemError:
    from pyspark.sql import functions as F

    columns = list(dict.fromkeys(columns_of(plan.names_an_edge)))
    keys = [column_of(column).alias(f"key {n}") for n, column in enumerate(columns)]
    twice = edges.rows.groupBy(*keys).agg(F.count("*").alias("rows")).where("rows > 1")
    same = [column_of(column) == twice[f"key {n}"] for n, column in enumerate(columns)]
    return edges.refusal(connection, edges.rows.join(twice, same, "left_semi"), columns, TWICE, ONE_EACH)
