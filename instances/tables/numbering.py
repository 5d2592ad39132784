"""Keys become numbers: the keys of one meaning, in their order, are the rows of a table of the session.

A key's number is its place in that order: whole numbers, dates and UUIDs by value, text by the bytes of its UTF-8.
Several columns are one key, compared one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from instances.errors import ProblemError
from instances.tables.kinds import KeyPair
from instances.tables.opened import OpenTable
from instances.tables.returned import as_they_came, returned, type_of

_MOST = 2**31 - 1  # numbers are int32


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbering:
    """The table `name` with the columns k0, k1, ... of the keys; rowid is the number."""

    name: str
    columns: tuple[str, ...]
    """Of the edges."""
    edge: tuple[str, ...]
    """Expressions on the edges AS t that are equal to k0, k1, ..."""
    keys: Any
    """Arrow array [R] of the keys, a struct by `columns` where there are several."""
    label: str
    """How messages call the table that holds the keys."""
    entries: OpenTable | None = None
    """The edges with a row for each entry of a list, where an edge has a list of keys; AS t then means this table."""

    @property
    def count(self) -> int:
        return len(self.keys)

    @property
    def join(self) -> str:
        """What holds between the edges AS t and the row of their key."""
        return " AND ".join(f"{self.name}.k{n} = {one}" for n, one in enumerate(self.edge))

    def column(self, name: str) -> Any:
        """The part of the keys that stands in this column of the edges."""
        return self.keys if len(self.columns) == 1 else self.keys.field(self.columns.index(name))


def number_edges_keys(
    connection: Any, name: str, edges: OpenTable, columns: Sequence[str], pairs: Sequence[KeyPair]
) -> Numbering:
    """The keys that stand in the edges; those with a null are left out."""
    keys = ", ".join(f"{pair.edge} AS k{n}" for n, pair in enumerate(pairs))
    present = " AND ".join(f"{pair.edge} IS NOT NULL" for pair in pairs)
    order = ", ".join(f"k{n}" for n in range(len(pairs)))
    connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT DISTINCT {keys} FROM {edges.name} AS t WHERE {present} ORDER BY {order}"
    )
    return numbering(connection, name, columns, pairs, edges, columns)


def numbering(
    connection: Any,
    name: str,
    columns: Sequence[str],
    pairs: Sequence[KeyPair],
    holder: OpenTable,
    of_holder: Sequence[str],
) -> Numbering:
    """Of the table `name`, whose rows are in the order of their keys k0, k1, ...

    holder: the table that these keys stand in, and of_holder its columns of them.
    """
    import pyarrow as pa

    relation = connection.table(name)
    kinds = dict(zip(relation.columns, (kind.id for kind in relation.types), strict=True))
    names = [f"k{n}" for n in range(len(pairs))]
    fields = ", ".join(f"{returned(one, kinds[one])} AS {one}" for one in names)
    table = connection.sql(f"SELECT {fields} FROM {name} ORDER BY rowid").to_arrow_table().combine_chunks()
    if table.num_rows > _MOST:
        raise ProblemError(f"{', '.join(columns)} has {table.num_rows:,} keys: at most {_MOST:,} are supported")
    parts = [column.combine_chunks() for column in table.columns]
    parts = [part.chunk(0) if isinstance(part, pa.ChunkedArray) else part for part in parts]
    given = [type_of(connection, holder, column) for column in of_holder]
    parts = [as_they_came(part, kinds[one], kind) for part, one, kind in zip(parts, names, given, strict=True)]
    keys = parts[0] if len(parts) == 1 else pa.StructArray.from_arrays(parts, names=list(columns))
    edge = tuple(pair.edge for pair in pairs)
    return Numbering(name=name, columns=tuple(columns), edge=edge, keys=keys, label=holder.label)
