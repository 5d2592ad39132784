"""What the columns of tables may hold: keys, which are compared, and numbers, which are counted.

Keys are equal where DuckDB says so within one class of types. Text of CSV stands for the type of its counterpart; where
both sides are such text, keys are whole numbers if every one of them is written as one, so that "7" of a CSV file and
7 of a Parquet file number alike and "007" stays text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from instances.errors import ProblemError
from instances.tables.opened import OpenTable
from instances.tables.session import rows_of

_WHOLE = (
    *("tinyint", "smallint", "integer", "bigint", "hugeint"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
)
_TIMES = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns")
_KEY_CLASSES = {
    **dict.fromkeys(_WHOLE, "whole number"),
    **dict.fromkeys(_TIMES, "time"),
    **dict.fromkeys(("timestamp with time zone", "timestamptz_ns"), "time with zone"),
    **dict.fromkeys(("time", "time_ns"), "time of day"),
    "date": "date",
    "varchar": "text",
    "uuid": "UUID",
    "boolean": "boolean",
    "blob": "bytes",
}


class KeyPair(NamedTuple):
    """Expressions of SQL that are equal where the key of an edge is that of a table's row."""

    edge: str
    row: str
    """"" where the keys stand in the edges alone."""


def key_pair(
    connection: Any, edges: OpenTable, column: str, table: OpenTable | None = None, key: str = "", where: str = ""
) -> KeyPair:
    """How `column` of the edges and `key` of the table are compared; ProblemError where they cannot be."""
    edge = edges.require(column, where)
    edge_class = _key_class(edges, column, where)
    if table is None:
        whole = edges.is_text and _are_whole(connection, [(edges, edge)])
        return KeyPair(_cast(edge, "bigint") if whole else _plain(edge, edge_class), "")

    row = table.require(key, where)
    row_class = _key_class(table, key, where)
    if edges.is_text and table.is_text:
        whole = _are_whole(connection, [(edges, edge), (table, row)])
        return KeyPair(_cast(edge, "bigint"), _cast(row, "bigint")) if whole else KeyPair(edge, row)
    if edges.is_text:
        return KeyPair(_cast(edge, table.columns[key]), _plain(row, row_class))
    if table.is_text:
        return KeyPair(_plain(edge, edge_class), _cast(row, edges.columns[column]))
    if edge_class != row_class:
        raise ProblemError(
            f"{where}: {edges.label} has {edge_class} keys in {column}, {table.label} {row_class} keys in {key}: "
            "give both the same type"
        )
    return KeyPair(_plain(edge, edge_class), _plain(row, row_class))


def number(table: OpenTable, column: str, where: str) -> str:
    """Expression of the column's numbers, REAL where they are stored so, else DOUBLE; NaN where there is none."""
    name = table.require(column, where)
    kind = table.columns[column]
    if kind == "float":
        return f"coalesce({name}, 'nan'::REAL)"
    if kind == "double" or kind in _WHOLE or kind.startswith("decimal"):
        return f"coalesce({name}::DOUBLE, 'nan'::DOUBLE)"
    if table.is_text:
        return f"coalesce(try_cast({name} AS DOUBLE), 'nan'::DOUBLE)"
    raise ProblemError(f"{table.label}: column {column} is {kind.upper()} ({where}): give a column of numbers")


def _key_class(table: OpenTable, column: str, where: str) -> str:
    kind = table.columns[column]
    if kind.startswith("decimal"):
        return "whole number" if kind.endswith(",0)") else "decimal number"
    if kind not in _KEY_CLASSES:
        raise ProblemError(
            f"{table.label}: column {column} is {kind.upper()} ({where}): "
            "keys are text, whole numbers, decimals, UUIDs, dates or times"
        )
    return _KEY_CLASSES[kind]


def _plain(name: str, key_class: str) -> str:
    return f"{name}::VARCHAR" if key_class == "text" else name  # an enumeration sorts by its own order


def _cast(name: str, kind: str) -> str:
    return f"try_cast({name} AS {kind})"


def _are_whole(connection: Any, columns: list[tuple[OpenTable, str]]) -> bool:
    """Whether every key of these columns of text is written as a 64-bit whole number is."""
    scans = " UNION ALL ".join(f"SELECT {name} AS key FROM {table.name} AS t" for table, name in columns)
    same = "try_cast(key AS BIGINT)::VARCHAR = key"
    ((whole,),) = rows_of(connection, f"SELECT bool_and(coalesce({same}, key IS NULL)) FROM ({scans})")
    return bool(whole)
