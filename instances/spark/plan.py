"""What is asked of the edges, as instances.tables.plan says it without Spark, and the rows that answer.

I sources, E edges, R rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instances.errors import ProblemError
from instances.spark.amounts import KEY
from instances.spark.faults import unknown_key
from instances.spark.frames import FILE_NUMBER, PLACE, SparkTable, column_of, open_frame
from instances.spark.keys import number_keys, with_row_numbers
from instances.spark.layout import DESTINATION, POSITION, SOURCE
from instances.spark.sources import AT_MOST, UPPER, Sources, number_sources
from instances.tables.build import unused_note
from instances.tables.edges import columns_of, no_number
from instances.tables.kinds import key_pair
from instances.tables.numbering import Numbering
from instances.tables.plan import EMPTY, Plan, known_numbering, number_columns
from instances.tables.statement import Statement

#: A file has fewer rows, so that file and row make one number.
_ROWS_OF_A_FILE = 1 << 40


@dataclass(frozen=True, kw_only=True, eq=False)
class SparkPlan:
    """The tables of a problem, ready for the job."""

    edges: SparkTable
    plan: Plan
    """Its source, and a destination that is no key of a limit, have no numbers on the driver: their keys are None."""
    sources: Sources
    rows: int
    """Rows of the edges."""
    least: dict[str, float]
    """The least number of each column of numbers."""
    keys: tuple[str, ...]
    """Columns that stand beside each edge: those that name it, and what else was asked for."""
    first: bool
    """Whether the place of each row in the files decides between duplicates."""

    def sorted_rows(self, spark: Any, partitions: int) -> Any:
        """DataFrame with a row for each row of the edges, in partitions of whole sources, in the order of the LP."""
        plan = self.plan
        rows = self._selected(spark)
        rows = rows.join(self.sources.rows, KEY)
        for one in self._numbered:
            keys = [_key(one, n) for n in range(len(one.columns))]
            rows = with_row_numbers(spark, rows, one, keys, one.name).drop(*keys)
        order = [column_of(one.name) for one in plan.names_an_edge]
        return rows.drop(KEY).repartitionByRange(partitions, column_of(SOURCE)).sortWithinPartitions(*order)

    @property
    def limits_of_sources(self) -> tuple[str, ...]:
        return () if self.sources.parameters is None else (AT_MOST, UPPER)

    @property
    def _numbered(self) -> list[Numbering]:
        """Those whose keys are on the driver and not in lists."""
        return [one for one in self.plan.numberings if one.keys is not None]

    def _selected(self, spark: Any) -> Any:
        """The columns of the edges that matter, by names of our own."""
        from pyspark.sql import functions as F

        edges = self.edges.rows
        fields = [column_of(self.plan.source.columns[0]).alias(KEY)]
        for one in self._numbered:
            fields += [column_of(column).alias(_key(one, n)) for n, column in enumerate(one.columns)]
        fields += [column_of(one.columns[0]).alias(one.name) for one in self.plan.ragged]
        if self.plan.destination is not None and self.plan.destination.keys is None:
            fields.append(column_of(self.plan.destination.columns[0]).alias(DESTINATION))
        for column in self.plan.numbers:
            wide = (
                column_of(column) if self.edges.opened.columns[column] == "float" else column_of(column).cast("double")
            )
            fields.append(wide.alias(number_name(column)))
        fields += [column_of(column).alias(key_name(n)) for n, column in enumerate(self.keys)]
        if self.first:
            edges = self.edges.with_file_numbers(spark)
            place = F.col(FILE_NUMBER) * F.lit(_ROWS_OF_A_FILE) + column_of(PLACE)
            fields.append(place.alias(POSITION))
        return edges.select(*fields)


def planned(spark: Any, connection: Any, stated: Statement, columns: Sequence[str], folder: Path) -> SparkPlan:
    """Open the tables, check them, and number the keys; ProblemError as without Spark.

    columns: of the edges, to stand beside each. folder: for what Spark writes and reads again meanwhile.
    """
    if stated.edges.at_most is not None:
        raise ProblemError(
            "[edges] at_most, a limit of each edge, is for one machine: leave it out, or do without Spark"
        )
    edges = open_frame(spark, connection, stated.edges.table, "edges")
    for column in columns:
        edges.opened.require(column, "asked for as a column of the edges")
    numbers = number_columns(edges.opened, stated)
    key_pair(connection, edges.opened, stated.edges.source, where="[edges] source")
    families = number_keys(connection, edges, stated.limits)
    label = edges.opened.label
    source = Numbering(name=SOURCE, columns=(stated.edges.source,), edge=(), keys=None, label=label)
    destination = None
    if stated.edges.destination is not None:
        destination = known_numbering(families, stated.edges.destination)
        if destination is None:
            key_pair(connection, edges.opened, stated.edges.destination, where="[edges] destination")
            of_edges = (stated.edges.destination,)
            destination = Numbering(name=DESTINATION, columns=of_edges, edge=(), keys=None, label=label)
    plan = Plan(edges=edges.opened, source=source, destination=destination, families=families, numbers=numbers)
    rows, least = _checked(spark, connection, edges, plan)
    first = stated.edges.duplicates == "first"
    if first and not edges.files:
        raise ProblemError(f'{label} has no order of rows that duplicates = "first" needs: give files, or another rule')
    return SparkPlan(
        edges=edges,
        plan=plan,
        sources=number_sources(spark, connection, edges, stated, folder),
        rows=rows,
        least=least,
        keys=tuple(dict.fromkeys([*stated.key_columns, *columns])),
        first=first,
    )


def unused_keys(spark: Any, plan: SparkPlan) -> tuple[str, ...]:
    """The notes of instances.tables.build: keys that stand in the table of a limit alone."""
    notes = []
    for one in dict.fromkeys(family for family in plan.plan.families if family is not None and family.entries is None):
        if one.label == plan.edges.opened.label:
            continue  # the keys are those of the edges
        keys = [f"key {n}" for n in range(len(one.columns))]
        named = [column_of(column).alias(key) for column, key in zip(one.columns, keys, strict=True)]
        used = with_row_numbers(spark, plan.edges.rows.select(*named).distinct(), one, keys, one.name).count()
        if used < one.count:
            notes.append(unused_note(one, one.count - used))
    return tuple(notes)


def number_name(column: str) -> str:
    """How the sorted rows call a column of numbers."""
    return f"number {column}"


def key_name(place: int) -> str:
    """How they call the key in this place of `SparkPlan.keys`."""
    return f"key {place}"


def _key(numbering: Numbering, part: int) -> str:
    return f"{numbering.name} key {part}"


def _checked(spark: Any, connection: Any, edges: SparkTable, plan: Plan) -> tuple[int, dict[str, float]]:
    """How many rows there are, and the least of each column of numbers; ProblemError for one that is none."""
    from pyspark.sql import functions as F

    bad = {column: _no_number(column) for column in plan.numbers}
    asked = [F.count("*").alias("rows"), F.count(column_of(plan.source.columns[0])).alias("sources")]
    for n, (column, wrong) in enumerate(bad.items()):
        asked += [F.count_if(wrong).alias(f"bad_{n}"), F.min(column_of(column).cast("double")).alias(f"least_{n}")]
    (found,) = edges.rows.agg(*asked).collect()
    if not found["rows"]:
        raise ProblemError(f"{edges.opened.label} {EMPTY}")

    if found["sources"] < found["rows"]:
        raise unknown_key(spark, connection, edges, plan, plan.source)
    named = columns_of(plan.names_an_edge)
    for n, (column, wrong) in enumerate(bad.items()):
        if found[f"bad_{n}"]:
            raise edges.refusal(connection, edges.rows.where(wrong), [*named, column], *no_number(column))
    return found["rows"], {column: found[f"least_{n}"] for n, column in enumerate(bad)}


def _no_number(column: str) -> Any:
    from pyspark.sql import functions as F

    value = column_of(column).cast("double")
    return value.isNull() | F.isnan(value) | (F.abs(value) == float("inf"))
