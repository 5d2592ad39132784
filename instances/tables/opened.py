"""A table as DuckDB sees it: a view of our name, its columns with their types, and its files for messages."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from instances.errors import ProblemError
from instances.tables.csv_header import header_of, refuse_damaged_line
from instances.tables.session import quoted
from instances.tables.statement import Files, Frame, Table
from instances.words import named, shown

_FORMATS = {
    "Parquet": (".parquet", ".pq"),
    "CSV": (".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz"),
    "Arrow": (".arrow", ".feather", ".ipc"),
}
#: Column of a view with the file of each row; it costs nothing where it is not asked for.
FILE = "dualbench: file"
_SCANS = {
    "Parquet": "SELECT * FROM read_parquet($files, union_by_name=true, hive_partitioning=$partitioned, filename=$file)",
    # DuckDB guesses nothing: no line is taken for a comment or skipped, whatever stands in it
    "CSV": "SELECT * FROM read_csv($files, header=true, all_varchar=true, union_by_name=true, skip=0, comment='', "
    "delim=$delimiter, quote='\"', escape='\"', hive_partitioning=$partitioned, filename=$file)",
}
_SHOWN = 12  # columns in a message


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenTable:
    """The view `name` of a session."""

    name: str
    label: str
    """How messages call it: as its owner wrote it."""
    columns: dict[str, str]
    """DuckDB's type of each column, such as "bigint"."""
    is_text: bool
    """Whether all columns are text that only stands for other types, as in CSV."""
    has_file: bool
    """Whether the view has the column FILE."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """The Arrow types of the columns, where the table came as Arrow."""

    def require(self, column: str, where: str) -> str:
        """The column in a scan of the table AS t; ProblemError where there is none."""
        if column not in self.columns:
            raise ProblemError(f"{self.label} has no column {shown(column)} ({where}): {self._nearest(column)}")
        return f"t.{quoted(column)}"

    def _nearest(self, column: str) -> str:
        import difflib

        close = difflib.get_close_matches(column, self.columns, n=1)
        names = ", ".join(list(self.columns)[:_SHOWN])
        more = f" and {len(self.columns) - _SHOWN} more" if len(self.columns) > _SHOWN else ""
        return f"{f'did you mean {close[0]}? ' if close else ''}it has {names}{more}"


def open_table(connection: Any, table: Table, name: str) -> OpenTable:
    """The table as the view `name`; ProblemError where no file matches or a file is none of the known formats."""
    if isinstance(table, Frame):
        return _opened_arrow(connection, table.label, name, as_arrow(table))

    files = matched_files(table)
    form = format_of(table.label, files)
    paths = [glob.escape(str(file)) for file in files]
    if form == "Arrow":
        from pyarrow import dataset

        files_as_one = dataset.dataset([str(file) for file in files], format="ipc")
        return _opened_arrow(connection, table.label, name, files_as_one)
    given: dict[str, Any] = {"files": paths, "file": FILE, "partitioned": is_partitioned(table, files)}
    if form == "CSV":
        return _opened_text(connection, table.label, name, files, given)
    connection.sql(_SCANS[form], params=given).create_view(name)
    return opened_view(connection, table.label, name)


def _opened_text(connection: Any, label: str, name: str, files: list[Path], given: dict[str, Any]) -> OpenTable:
    import duckdb

    delimiter = header_of(files[0]).delimiter
    try:
        connection.sql(_SCANS["CSV"], params={**given, "delimiter": delimiter}).create_view(name)
    except duckdb.InvalidInputException:
        refuse_damaged_line(connection, files)
        raise
    return opened_view(connection, label, name, is_text=True)


def _opened_arrow(connection: Any, label: str, name: str, data: Any) -> OpenTable:
    connection.register(name, data)
    given = dict(zip(data.schema.names, data.schema.types, strict=True))
    return replace(opened_view(connection, label, name), given=given)


def opened_view(connection: Any, label: str, name: str, *, is_text: bool = False) -> OpenTable:
    """The view `name`, which the session has already."""
    relation = connection.view(name)
    columns = {column: _type(kind) for column, kind in zip(relation.columns, relation.types, strict=True)}
    has_file = columns.pop(FILE, None) is not None
    return OpenTable(name=name, label=label, columns=columns, is_text=is_text, has_file=has_file)


def _type(kind: Any) -> str:
    """DuckDB's name of a type; an enumeration is the text that it stands for."""
    if kind.id == "list":
        return f"{_type(dict(kind.children)['child'])}[]"
    return "varchar" if kind.id == "enum" else str(kind).lower() if kind.id == "decimal" else str(kind.id)


def matched_files(table: Files) -> list[Path]:
    """The data files of all patterns by path; those of Spark's own (_SUCCESS, .crc) and hidden ones are none."""
    found: set[Path] = set()
    for pattern in table.patterns:
        if "://" in pattern:
            raise ProblemError(f"{pattern} is an address: copy its files here, or read them with Spark (SPARK.md)")
        path = table.folder / pattern
        matches = [path] if path.exists() else [Path(match) for match in _glob(path)]
        files = [file for match in matches for file in _data_files(match)]
        if not files:
            reason = "holds no Parquet, CSV or Arrow file" if matches else "matches no file"
            raise ProblemError(f"{pattern} {reason} (in {table.folder.absolute()}): give files, a folder or a glob")
        found |= set(files)
    return sorted(found)


def _glob(pattern: Path) -> list[str]:
    return glob.glob(str(pattern), recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern


def as_arrow(frame: Frame) -> Any:
    """The frame as an Arrow table, without the index of pandas."""
    import pandas as pd
    import pyarrow as pa

    try:
        if isinstance(frame.data, pd.DataFrame):
            return pa.Table.from_pandas(frame.data, preserve_index=False)
        return pa.table(frame.data)
    except (TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        what = "give a DataFrame of pandas or Polars, or an Arrow table"
        raise ProblemError(f"{frame.label} is {named(frame.data)}, no table ({error}): {what}") from error


def _data_files(path: Path) -> list[Path]:
    """The file itself, or the data files within a folder."""
    if not path.is_dir():
        return [] if path.name.startswith(("_", ".")) and _form_of(path) is None else [path]
    inside = (file for file in path.rglob("*") if file.is_file() and _form_of(file))
    return [file for file in inside if not any(part.startswith(("_", ".")) for part in file.relative_to(path).parts)]


def format_of(label: str, files: list[Path]) -> str:
    """The one format of all files."""
    forms = {_form_of(file): file for file in files}
    if None in forms:
        known = ", ".join(suffix for suffixes in _FORMATS.values() for suffix in suffixes)
        raise ProblemError(f"{forms[None]} is none of {known}: give files of one of these")
    if len(forms) > 1:
        raise ProblemError(f"{label} is of {' and '.join(sorted(map(str, forms)))}: give files of one format")
    return str(next(iter(forms)))


def _form_of(file: Path) -> str | None:
    return next((form for form, suffixes in _FORMATS.items() if file.name.lower().endswith(suffixes)), None)


def is_partitioned(table: Files, files: list[Path]) -> bool:
    """Whether folders below the patterns are columns, such as day=3/part-0.parquet."""
    fixed = [table.folder / before_wildcards(pattern) for pattern in table.patterns]
    return any("=" in part for file in files for base in fixed for part in _below(file, base))


def before_wildcards(pattern: str) -> str:
    """The folder that holds whatever a pattern matches."""
    before, wildcard, _ = pattern.partition("*")
    return before.rpartition("/")[0] if wildcard else pattern


def _below(file: Path, base: Path) -> tuple[str, ...]:
    return file.parent.relative_to(base).parts if file.parent.is_relative_to(base) else ()
