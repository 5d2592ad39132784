"""The keys of all limits: a key of each edge, or a list of them where an edge lies in several rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from instances.errors import ProblemError
from instances.tables.amounts import keyed_amounts
from instances.tables.kinds import key_pair
from instances.tables.numbering import Numbering, number_edges_keys, numbering
from instances.tables.opened import OpenTable
from instances.tables.session import quoted
from instances.tables.statement import Limit

#: Column of the edges' view with a row for each entry of a list.
ENTRY = "dualbench: entry"


def number_families(
    connection: Any, edges_of: Callable[[Limit], OpenTable], limits: Sequence[Limit]
) -> tuple[Numbering | None, ...]:
    """The numbering of each limit's keys, None where all edges lie in one row; limits without a table share one for the
    same columns.

    edges_of: the table of edges of which a limit's keys are taken, or where they stand in a table their types alone.
    """
    of_edges: dict[tuple[str, ...], Numbering] = {}
    families: list[Numbering | None] = []
    for n, limit in enumerate(limits):
        if not limit.by:
            families.append(None)
        elif limit.table is None and limit.by in of_edges:
            families.append(of_edges[limit.by])
        else:
            numbered = _numbered(connection, edges_of(limit), limit, f"rows_of_limit_{n}")
            families.append(numbered)
            if limit.table is None:
                of_edges[limit.by] = numbered
    return tuple(families)


def _numbered(connection: Any, edges: OpenTable, limit: Limit, name: str) -> Numbering:
    lists = _lists(edges, limit)
    entries = None if lists is None else _entries(connection, edges, lists, name)
    by = limit.by if entries is None else (ENTRY,)
    table = entries or edges
    if limit.table is None:
        pairs = [key_pair(connection, table, column, where=f"limit {limit.name} by") for column in by]
        numbered = number_edges_keys(connection, name, table, by, pairs)
    else:
        amounts, pairs = keyed_amounts(connection, table, by, limit, name, f"limit {limit.name}")
        numbered = numbering(connection, name, by, pairs, amounts, limit.key)
    return replace(numbered, columns=limit.by, entries=entries)


def _lists(edges: OpenTable, limit: Limit) -> str | None:
    """The column of lists by which an edge lies in several rows; ProblemError where it stands beside others."""
    lists = [column for column in limit.by if edges.columns.get(column, "").endswith("[]")]
    if lists and len(limit.by) > 1:
        raise ProblemError(f"{edges.label}: column {lists[0]} holds lists (limit {limit.name}): give it as the only by")
    return lists[0] if lists else None


def _entries(connection: Any, edges: OpenTable, column: str, name: str) -> OpenTable:
    """The edges with a row for each entry of this column of lists, and the entry as the column ENTRY."""
    view = f"entries_for_{name}"
    unnested = f"unnest(t.{quoted(column)}) AS {quoted(ENTRY)}"
    connection.execute(f"CREATE TEMP VIEW {view} AS SELECT *, {unnested} FROM {edges.name} AS t")
    kind = edges.columns[column].removesuffix("[]")
    return replace(edges, name=view, columns={**edges.columns, ENTRY: kind})
