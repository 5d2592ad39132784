"""A table as Spark sees it: a DataFrame, and a view of DuckDB without rows that has its types."""

from __future__ import annotations

import contextlib
import os
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from instances.errors import ProblemError
from instances.tables.faults import in_words, such_rows
from instances.tables.opened import (
    FILE,
    OpenTable,
    as_arrow,
    before_wildcards,
    format_of,
    is_partitioned,
    matched_files,
    opened_view,
)
from instances.tables.session import quoted, rows_of
from instances.tables.statement import Files, Frame, Table

#: Column with the place of each row in its file; it costs nothing where it is not asked for.
PLACE = "dualbench: place"
FILE_NUMBER = "file_number"
#: Characters that a path has and Hadoop takes for a glob.
_GLOB = "\\*?[]{}"
_LONGEST = 300  # characters of a message of Spark that are shown


@dataclass(frozen=True, kw_only=True, eq=False)
class SparkTable:
    """A table of the problem."""

    opened: OpenTable
    """Its view in the session, for types and messages."""
    rows: Any
    """DataFrame with the columns of the table, and FILE and PLACE where it is read from files."""
    files: dict[str, str]
    """How messages call a file, by its path as Spark knows it; in the order of the paths."""

    def refusal(self, connection: Any, wrong: Any, columns: Sequence[str], sentence: str, remedy: str) -> ProblemError:
        """ProblemError that says `sentence` of the rows `wrong` of the table, with one of them, in the words of
        instances.tables.faults.
        """
        distinct = list(dict.fromkeys(columns))
        shown = [column_of(column) for column in distinct]
        place = [column_of(FILE)] if self.files else []
        first = wrong.select(*place, *shown).orderBy(*place, *(column.cast("string") for column in shown)).limit(1)
        example = first.toArrow()
        connection.register("example_row", example)
        cells = ", ".join(f"{quoted(column)}::VARCHAR" for column in distinct)
        (row,) = rows_of(connection, f"SELECT {cells} FROM example_row")
        said = in_words(self.opened, dict(zip(distinct, row, strict=True)))
        file = self.file_of(example[FILE][0].as_py()) if self.files else self.opened.label
        return ProblemError(f"{file}: {sentence}, in the row {said}{such_rows(wrong.count())}: {remedy}")

    def with_file_numbers(self, spark: Any) -> Any:
        """The rows with a column FILE_NUMBER: the place of the row's file in the order of the paths."""
        from pyspark.sql import functions as F

        order = {path: number for number, path in enumerate(self.files)}
        told = [row[FILE] for row in self.rows.select(column_of(FILE)).distinct().collect()]
        numbers = [(path, order.get(_plain(path), len(order) + place)) for place, path in enumerate(sorted(told))]
        files = spark.createDataFrame(numbers, f"`{FILE}` string, {FILE_NUMBER} bigint")
        return self.rows.join(F.broadcast(files), FILE)

    def file_of(self, path: str) -> str:
        """A file that Spark names, in the words of its owner."""
        return self.files.get(_plain(path), path)


def open_frame(spark: Any, connection: Any, table: Table, name: str) -> SparkTable:
    """The table with a view `name` of its types; ProblemError where it is none that Spark reads."""
    with spark_errors(f"Spark cannot read {table.label}"):
        rows, files = _read(spark, table) if isinstance(table, Files) else (_frame(spark, table), {})
        connection.register(name, rows.drop(FILE, PLACE).limit(0).toArrow())
    opened = replace(opened_view(connection, table.label, name), has_file=bool(files))
    return SparkTable(opened=opened, rows=rows, files=files)


@contextlib.contextmanager
def spark_errors(sentence: str) -> Iterator[None]:
    """ProblemError, in one line that begins so, for whatever Spark refuses."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        raise ProblemError(f"{sentence}: {_one_line(error)}") from error


def _read(spark: Any, table: Files) -> tuple[Any, dict[str, str]]:
    """The rows of Parquet files, and the names of the files."""
    reader = spark.read.option("mergeSchema", True)
    if all("://" in pattern for pattern in table.patterns):  # of a store that Spark alone reads
        return _with_places(reader.parquet(*table.patterns)), {"": table.label}

    found = matched_files(table)
    form = format_of(table.label, found)
    if form != "Parquet":
        raise ProblemError(f"{table.label} is {form}: Spark reads this table as Parquet, convert it first")
    if is_partitioned(table, found):
        base = table.folder / before_wildcards(table.patterns[0])
        reader = reader.option("basePath", _uri(base if base.is_dir() else base.parent))
    rows = _with_places(reader.parquet(*(_uri(path, escape=_GLOB) for path in found)))
    return rows, {_uri(path): str(path) for path in found}


def _with_places(rows: Any) -> Any:
    from pyspark.sql import functions as F

    return rows.withColumns({FILE: F.col("_metadata.file_path"), PLACE: F.col("_metadata.row_index")})


def _frame(spark: Any, table: Frame) -> Any:
    from pyspark.sql import DataFrame

    return table.data if isinstance(table.data, DataFrame) else spark.createDataFrame(as_arrow(table))


def _uri(path: Path, escape: str = "") -> str:
    """The path as Spark takes it where another file system is the usual one."""
    text = os.path.abspath(path)  # noqa: PTH100 - resolve would follow links, and Spark tells paths that it was given
    return "file:" + "".join(f"\\{letter}" if letter in escape else letter for letter in text)


def _plain(path: str) -> str:
    """As `_uri` writes it: Spark tells paths in the form of a URI, with or without an empty host."""
    scheme, _, rest = path.partition(":")
    return f"{scheme}:{'/' + urllib.parse.unquote(rest).lstrip('/')}" if scheme == "file" else path


def column_of(name: str) -> Any:
    """The column, whatever characters its name has."""
    from pyspark.sql import functions as F

    return F.col("`" + name.replace("`", "``") + "`")


def _one_line(error: Exception) -> str:
    lines = str(error).strip().split("\n\tat ")[0].splitlines()
    text = " ".join(
        (lines[-1] if "Traceback" in str(error) else " ".join(lines)).split()
    )  # of a worker, its last words
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
