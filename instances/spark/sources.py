"""The sources, numbered in the order of their keys, and what each may do. I sources.

Both stay with Spark: the driver learns how many there are, and which kinds of sets.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instances.per_source import Limits, PerSource, params_of, polytope_of
from instances.polytopes import Kind, Polytope, polytope_kinds
from instances.spark.amounts import KEY, PRESENT, check_served, source_amounts
from instances.spark.frames import SparkTable, column_of
from instances.tables.amounts import amount_columns
from instances.tables.kinds import key_pair
from instances.tables.source_limits import kinds_of, sets_of
from instances.tables.statement import SourceLimits, Statement

#: Columns of `Sources.rows`.
NUMBER, AT_MOST, UPPER = "source", "at_most", "upper"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """All sources of the edges."""

    count: int
    """I."""
    rows: Any
    """DataFrame of KEY and NUMBER, and AT_MOST and UPPER where the sources differ; inf where there is no limit."""
    polytope: Polytope
    """Of all sources, or where they differ of the first alone."""
    parameters: int | None
    """Parameters of the kinds that are present where the sources differ, None where they are alike."""
    equality: bool
    """Whether the sum of a source is exact."""


def number_sources(spark: Any, connection: Any, edges: SparkTable, stated: Statement, folder: Path) -> Sources:
    """The sources in the order of their keys; folder: for the table of them, which Spark reads again."""
    key_pair(connection, edges.opened, stated.edges.source, where="[edges] source")  # refuses what is no key
    key = column_of(stated.edges.source)
    distinct = edges.rows.select(key.alias(KEY)).where(key.isNotNull()).distinct()
    numbered, count = _in_order(spark, distinct, folder)
    columns = amount_columns(stated.sources)
    if columns:
        return _with_amounts(spark, connection, edges, stated, numbered, count)
    sets = sets_of(stated.sources.amounts, 1)
    polytope = polytope_of(kinds_of(sets), sets)
    exact = stated.sources.equals is not None
    return Sources(count=count, rows=numbered, polytope=polytope, parameters=None, equality=exact)


def _in_order(spark: Any, keys: Any, folder: Path) -> tuple[Any, int]:
    """The keys with their numbers, and how many they are.

    Spark writes them sorted, file after file; a number is the place in a file behind all files before it. Written, the
    order is fixed: sorted anew for each use, it would depend on what Spark draws to divide the keys.
    """
    from pyarrow import parquet
    from pyspark.sql import functions as F

    keys.sort(KEY).write.parquet(f"file:{folder}")
    files = sorted(folder.glob("part-*.parquet"))
    counts = [parquet.read_metadata(file).num_rows for file in files]
    starts = dict(zip((file.name for file in files), itertools.accumulate(counts, initial=0), strict=False))
    first = spark.createDataFrame(list(starts.items()), "file string, first bigint")
    read = spark.read.parquet(f"file:{folder}")
    placed = read.select(KEY, F.col("_metadata.file_name").alias("file"), F.col("_metadata.row_index").alias("place"))
    numbered = placed.join(F.broadcast(first), "file").select(KEY, (F.col("first") + F.col("place")).alias(NUMBER))
    return numbered, sum(counts)


def _with_amounts(
    spark: Any, connection: Any, edges: SparkTable, stated: Statement, numbered: Any, count: int
) -> Sources:
    limits = stated.sources
    table, amounts = source_amounts(spark, connection, edges, stated)
    rows = _of_each(numbered.join(amounts, KEY, "left"), limits)
    absent = rows.where(f"{PRESENT} IS NULL").select(KEY)
    if not absent.isEmpty():
        wrong = edges.rows.join(absent, column_of(stated.edges.source) == absent[KEY], "left_semi")
        sentence = f"the source has no row in {table.opened.label}"
        remedy = "add one, or leave its edges out"
        raise edges.refusal(connection, wrong, (stated.edges.source,), sentence, remedy)
    check_served(connection, table, limits, numbered)

    exact = limits.equals is not None
    kinds = _kinds(rows.drop(PRESENT), exact=exact)
    first = kinds[0].sets
    of_first = kinds_of(first)
    if len(kinds) == 1 and kinds[0].alike:
        rows = rows.drop(PRESENT, AT_MOST, UPPER)
        return Sources(count=count, rows=rows, polytope=polytope_of(of_first, first), parameters=None, equality=exact)
    present = [Kind(int(kinds_of(kind.sets)[0])) for kind in kinds]
    parameters = max(polytope_kinds()[kind].parameters for kind in present)
    polytope = PerSource(kind=of_first, params=params_of(of_first, first, parameters))
    return Sources(count=count, rows=rows.drop(PRESENT), polytope=polytope, parameters=parameters, equality=exact)


def _of_each(joined: Any, limits: SourceLimits) -> Any:
    """AT_MOST and UPPER of each source, of columns and of numbers."""
    from pyspark.sql import functions as F

    given = {
        name: F.col(name) if isinstance(value, str) else F.lit(float(value)) for name, value in limits.amounts.items()
    }
    sums = given.get("at_most", given.get("equals", F.lit(math.inf)))
    each = given.get("each_at_most", F.lit(math.inf))
    return joined.select(KEY, NUMBER, PRESENT, sums.alias(AT_MOST), each.alias(UPPER))


@dataclass(frozen=True, kw_only=True, eq=False)
class _KindPresent:
    """Sources whose sums are limited or not, and whose edges are, all alike in that."""

    sets: Limits
    """Of one of them."""
    alike: bool
    """Whether all have the same limits."""


def _kinds(rows: Any, *, exact: bool) -> list[_KindPresent]:
    from pyspark.sql import functions as F

    finite = [(F.col(name) < math.inf).alias(f"finite_{name}") for name in (AT_MOST, UPPER)]
    ranges = [one(name).alias(f"{one.__name__}_{name}") for name in (AT_MOST, UPPER) for one in (F.min, F.max)]
    found = []
    for kind in rows.groupBy(*finite).agg(*ranges).collect():
        least = {name: kind[f"min_{name}"] for name in (AT_MOST, UPPER)}
        equality = np.array([exact])
        sets = Limits(at_most=np.array([least[AT_MOST]]), upper=np.array([least[UPPER]]), equality=equality)
        found.append(_KindPresent(sets=sets, alike=all(kind[f"max_{name}"] == least[name] for name in least)))
    return found
