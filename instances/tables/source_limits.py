"""What each source may do, as the polytope of the LP. I sources."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.per_source import Limits, polytope_of
from instances.polytopes import Kind, Polytope
from instances.tables.amounts import amount_columns, any_row, fetch_arrays, keyed_amounts
from instances.tables.faults import refusal
from instances.tables.kinds import number
from instances.tables.numbering import Numbering
from instances.tables.opened import OpenTable
from instances.tables.statement import SourceLimits, Statement

_NAME = "source_limits"


def limits_of_sources(connection: Any, edges: OpenTable, stated: Statement, source: Numbering) -> Limits:
    """What each source may do; ProblemError where a source has no limits, or none that bounds it."""
    limits = stated.sources
    columns = amount_columns(limits)
    allowed: dict[str, Any] = {name: value for name, value in limits.amounts.items() if name not in columns}
    if columns:
        allowed |= _from_table(connection, edges, limits, source, bounded=stated.edges.at_most is not None)
    return sets_of(allowed, source.count)


def polytope_of_sources(sets: Limits, source: npt.NDArray[np.int32], upper: npt.NDArray[Any] | None) -> Polytope:
    """One for all sources where they are alike. source: of each edge, int32[E]; upper: of each edge alone, [E]."""
    if upper is None:
        return polytope_of(kinds_of(sets), sets)
    own: npt.NDArray[np.float64] = np.minimum(upper.astype(np.float64), sets.upper[source])
    of_edges = replace(sets, upper=np.zeros(sets.upper.size))
    return polytope_of(kinds_of(of_edges), of_edges, own)


def sets_of(allowed: Mapping[str, Any], sources: int) -> Limits:
    """What so many sources may do, of the amounts by their names: one number, or float64[I]."""
    exact = allowed.get("equals")
    at_most = np.broadcast_to(allowed.get("at_most", np.inf) if exact is None else exact, sources)
    upper = np.broadcast_to(allowed.get("each_at_most", np.inf), sources)
    return Limits(at_most=at_most, upper=upper, equality=np.full(sources, exact is not None))


def _from_table(
    connection: Any, edges: OpenTable, limits: SourceLimits, source: Numbering, *, bounded: bool
) -> dict[str, npt.NDArray[np.float64]]:
    """float64[I] of each amount that is a column. bounded: the edges have limits of their own."""
    where, columns = "[sources]", amount_columns(limits)
    table, (pair,) = keyed_amounts(connection, edges, source.columns, limits, _NAME, where)
    fields = ", ".join(f"s.{name} AS {name}" for name in columns)
    found = fetch_arrays(
        connection,
        f"SELECT {fields}, s.k0 IS NULL AS absent FROM {source.name} AS n LEFT JOIN {_NAME} AS s ON n.k0 = s.k0 "
        "ORDER BY n.rowid",
    )
    if found.pop("absent").any():
        absent = f"NOT EXISTS (FROM {_NAME} AS s WHERE s.k0 = {source.edge[0]})"
        sentence = f"the source has no row in {table.label}"
        raise refusal(connection, edges, absent, source.columns, sentence, "add one, or leave its edges out")

    values = {name: number(table, column, where) for name, column in columns.items()}
    shown = (limits.key, *columns.values())
    numbers = [value for value in limits.amounts.values() if isinstance(value, float)]
    unlimited = not bounded and all(math.isinf(value) for value in numbers)
    if unlimited and any_row(connection, _NAME, _all_inf(columns)):
        sentence, remedy = "a source is limited by nothing", "give one of its limits a finite number"
        raise refusal(connection, table, _all_inf(values.values()), shown, sentence, remedy)
    idle = f"NOT EXISTS (FROM {source.name} AS n WHERE n.k0 = "
    if "equals" in columns and any_row(connection, _NAME, f"equals > 0 AND {idle}{_NAME}.k0)"):
        condition = f"{values['equals']} > 0 AND {idle}{pair.row})"
        sentence, remedy = "a source has no edge for what it must take", "give it edges, or leave it out"
        raise refusal(connection, table, condition, shown, sentence, remedy)
    return found


def _all_inf(values: Iterable[str]) -> str:
    return " AND ".join(f"isinf({value})" for value in values)


def kinds_of(limits: Limits) -> npt.NDArray[np.uint8]:
    """The kind whose limits these are, uint8[I]."""
    of_sum = np.where(limits.equality, Kind.SIMPLEX_EQUALITY, Kind.SIMPLEX)
    of_both = np.where(limits.equality, Kind.BOX_CUT_EQUALITY, Kind.BOX_CUT)
    limited_sum = np.isfinite(limits.at_most)
    kinds = np.where(np.isfinite(limits.upper), np.where(limited_sum, of_both, Kind.BOX), of_sum)
    return kinds.astype(np.uint8)
