"""The amounts of sources and of families: numbers, or columns of a table with a row for each key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.tables.faults import refusal
from instances.tables.kinds import KeyPair, key_pair, number
from instances.tables.numbering import Numbering, numbering
from instances.tables.opened import OpenTable, open_table
from instances.tables.session import rows_of
from instances.tables.statement import Limit, SourceLimits

Float64 = npt.NDArray[np.float64]


def number_table_keys(connection: Any, edges: OpenTable, limit: Limit, name: str) -> Numbering:
    """The rows of the limit's table in the order of their keys, with its amounts as the columns of their names."""
    assert limit.table is not None
    where = f"limit {limit.name}"
    table = open_table(connection, limit.table, f"{name}_table")
    pairs = [
        key_pair(connection, edges, column, table, key, where) for column, key in zip(limit.by, limit.key, strict=True)
    ]
    columns = _columns(limit)
    _create(connection, name, table, pairs, columns, where)
    _check_keys(connection, name, table, pairs, limit.key)
    _check_amounts(connection, name, table, columns, limit.key, where, never_negative=("penalty",))
    return numbering(connection, name, limit.by, pairs)


def amounts_of_rows(connection: Any, limit: Limit, rows: Numbering | None) -> dict[str, Float64]:
    """float64[R] of each amount that is given, by its name."""
    count = 1 if rows is None else rows.count
    columns = _columns(limit)
    found = (
        _fetch(connection, f"SELECT {', '.join(columns)} FROM {rows.name} ORDER BY rowid") if rows and columns else {}
    )
    return {name: found[name] if name in found else np.full(count, value) for name, value in limit.amounts.items()}


def amounts_of_sources(
    connection: Any, edges: OpenTable, limits: SourceLimits, source: Numbering
) -> dict[str, Float64 | float]:
    """Of each amount one number, or float64[I]."""
    columns = _columns(limits)
    numbers = {name: value for name, value in limits.amounts.items() if isinstance(value, float)}
    if not columns:
        return {**numbers}
    assert limits.table is not None
    where, name, key = "[sources]", "source_limits", (limits.key,)
    table = open_table(connection, limits.table, f"{name}_table")
    pair = key_pair(connection, edges, source.columns[0], table, limits.key, where)
    _create(connection, name, table, [pair], columns, where)
    _check_keys(connection, name, table, [pair], key)
    _check_amounts(connection, name, table, columns, key, where, never_negative=tuple(columns))

    fields = ", ".join(f"s.{name} AS {name}" for name in columns)
    found = _fetch(
        connection,
        f"SELECT {fields}, s.k0 IS NULL AS absent FROM {source.name} AS n LEFT JOIN source_limits AS s ON n.k0 = s.k0 "
        "ORDER BY n.rowid",
    )
    if found.pop("absent").any():
        absent = f"NOT EXISTS (FROM source_limits AS s WHERE s.k0 = {source.edge[0]})"
        sentence = f"the source has no row in {table.label}"
        raise refusal(connection, edges, absent, source.columns, sentence, "add one, or leave its edges out")
    return {**numbers, **found}


def _columns(limits: SourceLimits | Limit) -> dict[str, str]:
    """The amounts that are columns."""
    return {name: value for name, value in limits.amounts.items() if isinstance(value, str)}


def _create(
    connection: Any, name: str, table: OpenTable, pairs: list[KeyPair], columns: Mapping[str, str], where: str
) -> None:
    """The table `name` with the keys k0, k1, ... in their order, and a column for each amount."""
    keys = [f"{pair.row} AS k{n}" for n, pair in enumerate(pairs)]
    values = [f"{number(table, value, f'{where} {key}')}::DOUBLE AS {key}" for key, value in columns.items()]
    order = ", ".join(f"k{n}" for n in range(len(pairs)))
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {', '.join(keys + values)} FROM {table.name} AS t ORDER BY {order}"
    )


def _check_keys(connection: Any, name: str, table: OpenTable, pairs: list[KeyPair], key: tuple[str, ...]) -> None:
    """Every row of the table has a key, of its own."""
    fields = [f"k{n}" for n in range(len(pairs))]
    if _any(connection, name, " OR ".join(f"{field} IS NULL" for field in fields)):
        null = " OR ".join(f"{pair.row} IS NULL" for pair in pairs)
        sentence = "the key is null, or not of the type of the edges' keys"
        raise refusal(connection, table, null, key, sentence, "give each row its key")
    repeated = f"SELECT {', '.join(fields)} FROM {name} GROUP BY ALL HAVING count(*) > 1"
    if rows_of(connection, f"{repeated} LIMIT 1"):
        joined = ", ".join(pair.row for pair in pairs)
        twice = f"({joined}) IN ({repeated})"
        raise refusal(connection, table, twice, key, "the key stands more than once", "give each key one row")


def _check_amounts(
    connection: Any,
    name: str,
    table: OpenTable,
    columns: Mapping[str, str],
    key: tuple[str, ...],
    where: str,
    *,
    never_negative: tuple[str, ...],
) -> None:
    """Every amount is a number, and not negative where that means nothing."""
    for amount, column in columns.items():
        value = number(table, column, f"{where} {amount}")
        shown = (*key, column)
        if _any(connection, name, f"isnan({amount})"):
            sentence = f"column {column} ({where} {amount}) is no number"
            raise refusal(connection, table, f"isnan({value})", shown, sentence, "give a number, inf for no limit")
        if amount in never_negative and _any(connection, name, f"{amount} < 0"):
            sentence = f"column {column} ({where} {amount}) is negative"
            raise refusal(connection, table, f"{value} < 0", shown, sentence, "it must be at least 0")


def _any(connection: Any, name: str, condition: str) -> bool:
    return bool(rows_of(connection, f"SELECT 1 FROM {name} WHERE {condition} LIMIT 1"))


def _fetch(connection: Any, query: str) -> dict[str, npt.NDArray[Any]]:
    table = connection.sql(query).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}
