"""What is asked of the edges of a problem: their keys numbered, their numbers, and the order they come in.

An edge is named by its source and its destination, or by its source and the keys of its rows where the problem names no
destination. Edges stand in the order of these keys, so the order of files and rows never matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from instances.errors import ProblemError
from instances.tables.families import number_families
from instances.tables.kinds import key_pair, number
from instances.tables.numbering import Numbering, number_edges_keys
from instances.tables.opened import FILE, OpenTable, open_table
from instances.tables.returned import other_fields
from instances.tables.session import quoted, rows_of
from instances.tables.statement import Amount, Statement

#: Of edges without a row.
EMPTY = "has no row: there is nothing to decide"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Tables of a session, ready for the query of all edges."""

    edges: OpenTable
    source: Numbering
    destination: Numbering | None
    families: tuple[Numbering | None, ...]
    """Of each limit; None where all edges lie in one row."""
    numbers: dict[str, str]
    """Expression of each column of numbers, by the column: the objective, the uses and the limits of edges."""

    @property
    def numberings(self) -> list[Numbering]:
        """Those of which an edge has one key, each once, the source first."""
        known = [self.source, self.destination, *self.families]
        return list({one.name: one for one in known if one is not None and one.entries is None}.values())

    @property
    def ragged(self) -> list[Numbering]:
        """Those of which an edge has a list of keys, each once."""
        return list({one.name: one for one in self.families if one is not None and one.entries is not None}.values())

    @property
    def names_an_edge(self) -> list[Numbering]:
        """Whose keys tell edges apart, in the order in which edges are sorted."""
        return self.numberings if self.destination is None else [self.source, self.destination]

    def query(self, others: Sequence[str] = (), *, positions: bool = False) -> str:
        """A row for each row of the edges: numbers of the keys by the names of their tables, -1 where there is no such
        key, of lists their lengths, the columns of numbers as v0, v1, ..., other columns as o0, o1, ..., and the
        position of the row.
        """
        keys = [f"coalesce({one.name}.rowid, -1)::INTEGER AS {one.name}" for one in self.numberings]
        values = [f"{expression} AS v{n}" for n, expression in enumerate(self.numbers.values())]
        joins = [f"LEFT JOIN {one.name} ON {one.join}" for one in self.numberings]
        lengths = [f"coalesce(len(t.{quoted(one.columns[0])}), 0)::INTEGER AS {one.name}" for one in self.ragged]
        order = ", ".join(one.name for one in self.names_an_edge)
        table, fields = self.edges.name, [*keys, *lengths, *values]
        fields += other_fields(self.edges, others)
        if positions:
            place = quoted("dualbench: position")  # a name that no column of the edges has
            table = f"(SELECT *, row_number() OVER () AS {place} FROM {table})"
            fields.append(f"t.{place} AS position")
        return f"SELECT {', '.join(fields)} FROM {table} AS t {' '.join(joins)} ORDER BY {order}"

    def entries_query(self, ragged: Numbering) -> str:
        """A row for each entry of the edges' lists, in the order of the edges: the numbers of the edge's keys and of
        the entry's own, by the names of their tables.
        """
        assert ragged.entries is not None
        named = [*self.names_an_edge, ragged]
        keys = ", ".join(f"coalesce({one.name}.rowid, -1)::INTEGER AS {one.name}" for one in named)
        joins = " ".join(f"LEFT JOIN {one.name} ON {one.join}" for one in named)
        order = ", ".join(one.name for one in named)
        return f"SELECT {keys} FROM {ragged.entries.name} AS t {joins} ORDER BY {order}"


def planned(connection: Any, stated: Statement, others: Sequence[str] = ()) -> Plan:
    """Open the tables and number their keys; ProblemError where a column is missing or of no use.

    others: columns of the edges that will be asked for beside those of the problem.
    """
    edges, limits = stated.edges, stated.limits
    table = open_table(connection, edges.table, "edges")
    for column in others:
        table.require(column, "asked for as a column of the edges")
    numbers = number_columns(table, stated)
    table = _kept(connection, table, stated, others)
    if not rows_of(connection, f"SELECT 1 FROM {table.name} LIMIT 1"):
        raise ProblemError(f"{table.label} {EMPTY}")

    pair = key_pair(connection, table, edges.source, where="[edges] source")
    source = number_edges_keys(connection, "keys_of_sources", table, [edges.source], [pair])
    families = number_families(connection, lambda _: table, limits)
    destination = None
    if edges.destination is not None:
        destination = known_numbering(families, edges.destination)
        if destination is None:
            pair = key_pair(connection, table, edges.destination, where="[edges] destination")
            destination = number_edges_keys(connection, "keys_of_destinations", table, [edges.destination], [pair])
    return Plan(edges=table, source=source, destination=destination, families=families, numbers=numbers)


def number_columns(edges: OpenTable, stated: Statement) -> dict[str, str]:
    """Expression of each column of numbers, by the column: the objective, the uses and the limits of edges."""
    uses = {limit.use: f"limit {limit.name} use" for limit in stated.limits if isinstance(limit.use, str)}
    meant = {stated.objective: "the objective", **uses}
    if stated.edges.at_most is not None:
        meant.setdefault(stated.edges.at_most, "[edges] at_most")
    return {column: number(edges, column, where) for column, where in meant.items()}


def known_numbering(families: Sequence[Numbering | None], column: str) -> Numbering | None:
    """The numbering that a limit has of this one column already."""
    known = (one for one in families if one is not None and one.entries is None)
    return next((one for one in known if one.columns == (column,)), None)


def _kept(connection: Any, table: OpenTable, stated: Statement, others: Sequence[str]) -> OpenTable:
    """Text files are read once: what the problem needs of them becomes a table of the session."""
    if not table.is_text:
        return table
    of_edges = (stated.edges.source, stated.edges.destination, stated.edges.at_most)
    columns: list[Amount | None] = [*of_edges, stated.objective, *others]
    for limit in stated.limits:
        columns += [*limit.by, limit.use]
    needed = [column for column in dict.fromkeys(columns) if column in table.columns]
    fields = ", ".join(quoted(column) for column in (*needed, FILE))
    connection.execute(f"CREATE TEMP TABLE edges_kept AS SELECT {fields} FROM {table.name}")
    return replace(table, name="edges_kept")
