"""Columns that DuckDB returns, in the Arrow type that they came in.

DuckDB has one type where Arrow has several (it keeps no zone of a timestamp, and no width of a decimal), and gives
UUIDs to Arrow as text. Text and bytes stay in Arrow's form with 64-bit offsets, which holds any amount of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instances.tables.opened import OpenTable
from instances.tables.session import quoted

_BYTES_OF_UUID = 16


def returned(name: str, kind: str) -> str:
    """The expression `name`, of DuckDB's type `kind`, as a query returns it to Arrow: UUIDs as their bytes."""
    return f"{name}::BLOB" if kind == "uuid" else name


def as_they_came(values: Any, kind: str, given: Any | None = None) -> Any:
    """Arrow array or column of what `returned` gave.

    given: the Arrow type that the values came in; None where that is DuckDB's own.
    """
    import pyarrow as pa

    if kind == "uuid":
        return values.cast(pa.binary(_BYTES_OF_UUID)).cast(pa.uuid())
    return values.cast(given) if given is not None and _are_forms_of_one(values.type, given) else values


def other_fields(table: OpenTable, columns: Sequence[str]) -> list[str]:
    """What a query of the table AS t selects for these columns, as o0, o1, ..."""
    return [f"{returned(f't.{quoted(column)}', table.columns[column])} AS o{n}" for n, column in enumerate(columns)]


def others_as_they_came(table: OpenTable, columns: Sequence[str], rows: Any) -> Any:
    """Arrow table of what `other_fields` gave, by the names of the columns."""
    import pyarrow as pa

    found = zip(columns, rows.columns, strict=True)
    return pa.table({name: as_they_came(one, table.columns[name], table.given.get(name)) for name, one in found})


def type_of(connection: Any, table: OpenTable, column: str) -> Any | None:
    """Arrow type in which the values of a column come back; None for files of text, where they stand for any type."""
    import pyarrow as pa

    if table.is_text:
        return None
    kind = table.columns[column]
    if kind == "uuid":
        return pa.uuid()
    seen = connection.sql(f"SELECT NULL::{kind} AS value LIMIT 0").to_arrow_table().schema.field("value").type
    given = table.given.get(column)
    return given if given is not None and _are_forms_of_one(seen, given) else seen


def _are_forms_of_one(one: Any, other: Any) -> bool:
    """Whether values of these Arrow types are of one type of DuckDB, text and bytes aside."""
    from pyarrow import types

    if types.is_decimal(one) and types.is_decimal(other):
        return bool((one.precision, one.scale) == (other.precision, other.scale))
    if types.is_timestamp(one) and types.is_timestamp(other):
        return (one.tz is None) == (other.tz is None)
    if types.is_large_binary(one):
        return bool(types.is_fixed_size_binary(other))
    return any(of_both(one) and of_both(other) for of_both in (types.is_date, types.is_time))
