"""The amounts that stand in a table, a row for each key: checked, and a table of the session by our names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from instances.tables.faults import refusal
from instances.tables.kinds import KeyPair, key_pair, number
from instances.tables.opened import OpenTable, open_table
from instances.tables.session import rows_of
from instances.tables.statement import Limit, SourceLimits


def amount_columns(limits: SourceLimits | Limit) -> dict[str, str]:
    """The amounts that are columns, by their names in the problem."""
    return {name: value for name, value in limits.amounts.items() if isinstance(value, str)}


def keyed_amounts(
    connection: Any, edges: OpenTable, by: Sequence[str], limits: SourceLimits | Limit, name: str, where: str
) -> tuple[OpenTable, list[KeyPair]]:
    """Make the table `name`: the keys k0, k1, ... in their order, and the columns of amounts by their names.

    by: the columns of the edges that hold the keys. Returns the table that it was made of, and how keys are compared.
    """
    assert limits.table is not None
    table = open_table(connection, limits.table, f"{name}_table")
    key = limits.key if isinstance(limits, Limit) else (limits.key,)
    pairs = [key_pair(connection, edges, one, table, of_row, where) for one, of_row in zip(by, key, strict=True)]
    columns = amount_columns(limits)
    _create(connection, name, table, pairs, columns, where)
    _check_keys(connection, name, table, pairs, key)
    for amount, column in columns.items():
        shown = (*key, column)
        value = number(table, column, f"{where} {amount}")
        said = f"column {column} ({where} {amount})"
        if any_row(connection, name, f"isnan({amount})"):
            condition = f"isnan({value})"
            raise refusal(connection, table, condition, shown, f"{said} is no number", "give one, inf for no limit")
        if amount in limits.never_negative and any_row(connection, name, f"{amount} < 0"):
            raise refusal(connection, table, f"{value} < 0", shown, f"{said} is negative", "it must be at least 0")
    return table, pairs


def fetch_arrays(connection: Any, query: str) -> dict[str, npt.NDArray[Any]]:
    """The columns of a query by name."""
    table = connection.sql(query).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}


def any_row(connection: Any, name: str, condition: str) -> bool:
    return bool(rows_of(connection, f"SELECT 1 FROM {name} WHERE {condition} LIMIT 1"))


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
    if any_row(connection, name, " OR ".join(f"{field} IS NULL" for field in fields)):
        null = " OR ".join(f"{pair.row} IS NULL" for pair in pairs)
        sentence = "the key is null, or not of the type of the edges' keys"
        raise refusal(connection, table, null, key, sentence, "give each row its key")
    repeated = f"SELECT {', '.join(fields)} FROM {name} GROUP BY ALL HAVING count(*) > 1"
    if rows_of(connection, f"{repeated} LIMIT 1"):
        joined = ", ".join(pair.row for pair in pairs)
        twice = f"({joined}) IN ({repeated})"
        raise refusal(connection, table, twice, key, "the key stands more than once", "give each key one row")
