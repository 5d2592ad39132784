"""Tables to a matching LP. I sources, E edges, R rows of a family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import ProblemError
from instances.matching import MatchingLP
from instances.per_source import Limits, polytope_of
from instances.polytopes import Kind, Polytope
from instances.rows import Rows
from instances.tables.duplicates import without_duplicates
from instances.tables.edges import EdgeArrays, read_edges
from instances.tables.limits import Float64, amounts_of_rows, amounts_of_sources
from instances.tables.numbering import Numbering
from instances.tables.plan import Plan, planned
from instances.tables.session import session
from instances.tables.statement import Limit, Statement


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
    notes: tuple[str, ...]
    """What the tables hold that the LP does not need, in sentences."""
    threads: int | None
    memory_limit: int | None

    def keys_of_edges(self, name: str, edges: npt.NDArray[np.int64] | None) -> Any | None:
        """Arrow array of this column of the edges, of all E or of these; None where no key of the LP stands in it."""
        chosen = slice(None) if edges is None else edges
        if name in self.source.columns:
            return _taken(self.source.keys, self.lp.source_of_edge()[chosen])
        if self.destination is not None and name in self.destination.columns:
            assert self.destination_numbers is not None
            return _taken(self.destination.keys, self.destination_numbers[chosen])
        for family, rows in zip(self.families, self.lp.rows, strict=True):
            if family is not None and name in family.columns:
                assert isinstance(rows, Rows)
                assert rows.row is not None
                return _taken(family.column(name), rows.row[chosen])
        return None


def build(
    stated: Statement, *, threads: int | None, memory_limit: int | None, progress: Callable[[str], None] | None
) -> Built:
    """As `Problem.build` says."""
    tell = progress or (lambda _: None)
    with session(threads, memory_limit) as connection:
        tell("numbering the keys")
        plan = planned(connection, stated)
        allowed = amounts_of_sources(connection, plan.edges, stated.sources, plan.source)
        tell("reading and sorting the edges")
        rows = read_edges(connection, plan, positions=stated.edges.duplicates == "first")
        rows = without_duplicates(connection, plan, rows, stated.edges.duplicates, stated.objective)
        families = [
            _family(connection, limit, numbering, rows)
            for limit, numbering in zip(stated.limits, plan.families, strict=True)
        ]
    cost = rows.numbers[stated.objective]
    lp = MatchingLP(
        offsets=_offsets(rows.keys[plan.source.name], plan.source.count),
        c=-cost if stated.maximise else cost,
        polytope=_polytope(allowed, plan.source.count),
        rows=families,
    )
    destination = plan.destination
    return Built(
        lp=lp,
        source=plan.source,
        families=plan.families,
        destination=destination,
        destination_numbers=None if destination is None else rows.keys[destination.name],
        notes=_notes(plan, rows),
        threads=threads,
        memory_limit=memory_limit,
    )


def other_columns(built: Built, stated: Statement, names: Sequence[str]) -> Any:
    """Arrow table [E] of columns of the edges that the LP does not hold: the tables are read once more.

    Where rows were made one edge by a sum, the columns are those of one of its rows.
    """
    with session(built.threads, built.memory_limit) as connection:
        plan = planned(connection, stated, names)
        rows = read_edges(connection, plan, names, positions=stated.edges.duplicates == "first")
        rows = without_duplicates(connection, plan, rows, stated.edges.duplicates, stated.objective)
    cost = rows.numbers[stated.objective]
    if not np.array_equal(-cost if stated.maximise else cost, built.lp.c):
        raise ProblemError(f"{plan.edges.label} has changed since the LP was made of it: make it again")
    return rows.others


def _offsets(source: npt.NDArray[np.int32], sources: int) -> npt.NDArray[np.int64]:
    """Where the edges of each source start, int64[I + 1], of its number for each edge, which never falls."""
    return np.concatenate(([0], np.cumsum(np.bincount(source, minlength=sources)))).astype(np.int64)


def _family(connection: Any, limit: Limit, numbering: Numbering | None, rows: EdgeArrays) -> Rows:
    amounts = amounts_of_rows(connection, limit, numbering)
    exact = amounts.get("equals")
    return Rows(
        limit.name,
        row=None if numbering is None else rows.keys[numbering.name],
        coefficient=rows.numbers[limit.use] if isinstance(limit.use, str) else limit.use,
        lower=amounts.get("at_least", exact),
        upper=amounts.get("at_most", exact),
        penalty=amounts.get("penalty", np.inf),
    )


def _polytope(allowed: dict[str, Float64 | float], sources: int) -> Polytope:
    """What each source may do, as one polytope where all are alike."""
    exact = allowed.get("equals")
    at_most = np.broadcast_to(allowed.get("at_most", np.inf) if exact is None else exact, sources)
    upper = np.broadcast_to(allowed.get("each_at_most", np.inf), sources)
    limits = Limits(at_most=at_most, upper=upper, equality=np.full(sources, exact is not None))
    return polytope_of(_kinds(limits), limits)


def _kinds(limits: Limits) -> npt.NDArray[np.uint8]:
    """The kind whose limits these are, uint8[I]."""
    of_sum = np.where(limits.equality, Kind.SIMPLEX_EQUALITY, Kind.SIMPLEX)
    of_both = np.where(limits.equality, Kind.BOX_CUT_EQUALITY, Kind.BOX_CUT)
    limited_sum = np.isfinite(limits.at_most)
    kinds = np.where(np.isfinite(limits.upper), np.where(limited_sum, of_both, Kind.BOX), of_sum)
    return kinds.astype(np.uint8)


def _notes(plan: Plan, rows: EdgeArrays) -> tuple[str, ...]:
    notes = []
    for one in dict.fromkeys(family for family in plan.families if family is not None):
        unused = one.count - np.count_nonzero(np.bincount(rows.keys[one.name], minlength=one.count))
        if unused:
            notes.append(f"{unused:,} of {one.count:,} keys of {' and '.join(one.columns)} are used by no edge")
    return tuple(notes)


def _taken(keys: Any, numbers: npt.NDArray[Any]) -> Any:
    import pyarrow as pa

    return keys.take(pa.array(numbers))
