"""Tables to a matching LP. I sources, E edges, R rows of a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import ProblemError
from instances.matching import MatchingLP
from instances.rows import Rows
from instances.tables.duplicates import without_duplicates
from instances.tables.edges import EdgeArrays, check_not_negative, read_edges
from instances.tables.limits import family_rows
from instances.tables.long_arrays import counted, negated
from instances.tables.numbering import Numbering
from instances.tables.opened import open_table
from instances.tables.plan import Plan, planned
from instances.tables.returned import other_fields, others_as_they_came, type_of
from instances.tables.session import session
from instances.tables.source_limits import limits_of_sources, polytope_of_sources
from instances.tables.statement import Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Built:
    """The LP, and the keys that its numbers stand for."""

    lp: MatchingLP
    source: Numbering
    families: tuple[Numbering | None, ...]
    """Of each limit; None where all edges lie in one row."""
    destination: Numbering | None
    destination_numbers: npt.NDArray[np.int32] | None
    """int32[E], None where the problem names no destination."""
    key_types: Mapping[str, Any]
    """Arrow types of the edges' columns of keys; a column of text files has none."""
    notes: tuple[str, ...]
    """What the tables hold that the LP does not need, in sentences."""
    threads: int | None
    memory_limit: int | None

    def keys_of_edges(self, name: str, edges: npt.NDArray[np.int64] | None) -> Any | None:
        """Arrow array of this column of the edges, of all E or of these; None where no key of the LP stands in it."""
        chosen = slice(None) if edges is None else edges
        if name in self.source.columns:
            return self._taken(name, self.source, self._sources_of(edges))
        if self.destination is not None and name in self.destination.columns:
            assert self.destination_numbers is not None
            return self._taken(name, self.destination, self.destination_numbers[chosen])
        for family, rows in zip(self.families, self.lp.rows, strict=True):
            if family is not None and name in family.columns and isinstance(rows, Rows):
                assert rows.row is not None
                return self._taken(name, family, rows.row[chosen])
        return None

    def _taken(self, name: str, numbering: Numbering, numbers: npt.NDArray[Any]) -> Any:
        """The keys of these numbers, in the type of the edges: the table of a limit may have a wider one."""
        import pyarrow as pa

        keys = numbering.column(name).take(pa.array(numbers))
        kind = self.key_types.get(name)
        return keys if kind is None else keys.cast(kind)

    def _sources_of(self, edges: npt.NDArray[np.int64] | None) -> npt.NDArray[Any]:
        if edges is None:
            return self.lp.source_of_edge()
        return np.searchsorted(self.lp.offsets, edges, side="right") - 1


def build(
    stated: Statement, *, threads: int | None, memory_limit: int | None, progress: Callable[[str], None] | None
) -> Built:
    """As `Problem.build` says."""
    tell = progress or (lambda _: None)
    with session(threads, memory_limit) as connection:
        tell("numbering the keys")
        plan = planned(connection, stated)
        key_types = {column: type_of(connection, plan.edges, column) for column in stated.key_columns}
        sets = limits_of_sources(connection, plan.edges, stated, plan.source)
        tell("reading and sorting the edges")
        rows = read_edges(connection, plan, positions=stated.edges.duplicates == "first")
        upper = None if stated.edges.at_most is None else rows.numbers[stated.edges.at_most]
        if upper is not None:
            check_not_negative(connection, plan, str(stated.edges.at_most), upper)
        rows = without_duplicates(connection, plan, rows, stated.edges.duplicates, stated.objective)
        tell("placing the edges in the rows of the limits")
        families = [
            family_rows(connection, limit, plan, numbering, rows)
            for limit, numbering in zip(stated.limits, plan.families, strict=True)
        ]
        cost = rows.numbers[stated.objective]
        if stated.maximise:
            cost = negated(cost)
    source = rows.keys[plan.source.name]
    upper = None if stated.edges.at_most is None else rows.numbers[stated.edges.at_most]
    lp = MatchingLP(
        offsets=_offsets(source, plan.source.count),
        c=cost,
        polytope=polytope_of_sources(sets, source, upper),
        rows=families,
    )
    destination = plan.destination
    return Built(
        lp=lp,
        source=plan.source,
        families=plan.families,
        destination=destination,
        destination_numbers=None if destination is None else rows.keys[destination.name],
        key_types=key_types,
        notes=_notes(plan, rows),
        threads=threads,
        memory_limit=memory_limit,
    )


def no_rows(stated: Statement, names: Sequence[str]) -> Any:
    """Arrow table without rows of these columns of the edges; ProblemError where one is missing. Reads no data."""
    with session(1, None) as connection:
        edges = open_table(connection, stated.edges.table, "edges")
        for name in names:
            edges.require(name, "asked for as a column of the edges")
        rows = connection.sql(f"SELECT {', '.join(other_fields(edges, names))} FROM {edges.name} AS t LIMIT 0")
        return others_as_they_came(edges, names, rows.to_arrow_table())


def other_columns(built: Built, stated: Statement, names: Sequence[str]) -> Any:
    """Arrow table [E] of columns of the edges that the LP does not hold: the tables are read once more.

    Where rows were made one edge by a sum, the columns are those of one of its rows.
    """
    with session(built.threads, built.memory_limit) as connection:
        plan = planned(connection, stated, names)
        rows = read_edges(connection, plan, names, positions=stated.edges.duplicates == "first")
        rows = without_duplicates(connection, plan, rows, stated.edges.duplicates, stated.objective)
    cost = rows.numbers[stated.objective]
    if not np.array_equal(negated(cost) if stated.maximise else cost, built.lp.c):
        raise ProblemError(f"{plan.edges.label} has changed since the LP was made of it: make it again")
    return rows.others


def _offsets(source: npt.NDArray[np.int32], sources: int) -> npt.NDArray[np.int64]:
    """Where the edges of each source start, int64[I + 1], of its number for each edge, which never falls."""
    return np.concatenate(([0], np.cumsum(counted(source, sources))))


def _notes(plan: Plan, rows: EdgeArrays) -> tuple[str, ...]:
    notes = []
    for one in dict.fromkeys(family for family in plan.families if family is not None and family.entries is None):
        unused = one.count - np.count_nonzero(counted(rows.keys[one.name], one.count))
        if unused:
            notes.append(unused_note(one, int(unused)))
    return tuple(notes)


def unused_note(family: Numbering, unused: int) -> str:
    """What notes say of keys that stand in the table of a limit alone."""
    return f"{unused:,} of {family.count:,} keys of {' and '.join(family.columns)} are used by no edge"
