"""Refusals that show where data are wrong: the file, the column, and an example row with its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instances.errors import ProblemError
from instances.tables.opened import FILE, OpenTable
from instances.tables.session import quoted, rows_of
from instances.words import shown

_QUOTES = "'\""


def refusal(
    connection: Any, table: OpenTable, condition: str, columns: Sequence[str], sentence: str, remedy: str
) -> ProblemError:
    """ProblemError that says `sentence` of the rows of the table AS t where `condition` holds, with one of them.

    columns: those of the example row that are shown; each stands there once.
    """
    distinct = list(dict.fromkeys(columns))
    cells = ", ".join(f"t.{quoted(column)}::VARCHAR" for column in distinct)
    file = f"t.{quoted(FILE)}" if table.has_file else "''"
    scan = f"FROM {table.name} AS t WHERE {condition}"
    ((count,),) = rows_of(connection, f"SELECT count(*) {scan}")
    ((place, *row),) = rows_of(connection, f"SELECT {file}, {cells} {scan} ORDER BY ALL LIMIT 1")
    example = in_words(table, dict(zip(distinct, row, strict=True)))
    return ProblemError(f"{place or table.label}: {sentence}, in the row {example}{such_rows(count)}: {remedy}")


def in_words(table: OpenTable, row: Mapping[str, str | None]) -> str:
    """The cells of an example row, as texts by their columns."""
    return ", ".join(_cell(table, column, cell) for column, cell in row.items())


def such_rows(count: int) -> str:
    """How many rows there are beside the example."""
    return "" if count == 1 else f", {count:,} such rows"


def _cell(table: OpenTable, column: str, value: str | None) -> str:
    """Text in quotes, so that a key "7" and a key 7 look different."""
    if value is None:
        return f"{column} = null"
    in_quotes = shown(value)
    return f"{column} = {in_quotes if table.columns[column] == 'varchar' else in_quotes.strip(_QUOTES)}"
