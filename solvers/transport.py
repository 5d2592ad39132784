"""A matching LP of '<=' and '=' rows as a balanced transport problem: everything is sent, and everything has arrived.

What '<=' sources keep goes to one more row, what '<=' rows lack comes from one more source, both at no cost; each of
the two is there only where it has something to send or to get. Sources and rows without units are left out.

I sources, J rows, n and m of them with those two, N pairs with an edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.flow_units import Flags, Floats, UnitRows, dual_interval, edge_rows, unit_rows, unit_sources

Indices = npt.NDArray[np.int64]
#: Of all units: what rows may need beyond what sources send, by rounding.
_ROUNDED = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Transport:
    """The nodes are the I sources and the one more, and the J rows and the one more; those without units are idle."""

    sent: Floats
    """float64[I + 1], in units."""
    needed: Floats
    """float64[J + 1], of the same sum."""
    source: Indices
    """int64[N]."""
    row: Indices
    """int64[N]: no pair occurs twice."""
    cost: Floats
    """float64[N]."""
    edge: Indices
    """int64[N], the edge of each pair; -1 where it is none."""
    may_lack: Flags
    """bool[J]: the row is no '=' row."""
    coefficient: Floats
    """float64[J]: what a unit puts on a row."""


def to_transport(lp: MatchingLP) -> Transport | None:
    """None where '=' rows need more than all sources send."""
    sources, rows = unit_sources(lp), unit_rows(lp)
    equality = lp.per_source.limits().equality
    total = float(sources.width.sum())
    needed = np.where(rows.floor > 0, rows.floor, np.minimum(rows.room, total))
    lacking = float(needed[rows.floor == 0].sum())
    kept = total - float(rows.floor.sum())
    if kept < -_ROUNDED * total:
        return None

    source, row, cost, edge = _pairs(lp, rows, equality)
    sent = np.append(sources.width, lacking)
    needed = np.append(needed, kept if kept > _ROUNDED * total else 0.0)
    busy = (sent[source] > 0) & (needed[row] > 0)
    return Transport(
        sent=sent,
        needed=needed,
        source=source[busy],
        row=row[busy],
        cost=cost[busy],
        edge=edge[busy],
        may_lack=rows.floor == 0,
        coefficient=rows.coefficient,
    )


def to_dual(lp: MatchingLP, problem: Transport, of_source: Floats, of_row: Floats) -> Floats:
    """Prices of the rows, float64[J], from potentials u[I + 1] + v[J + 1] <= c of nodes with units.

    They are counted from the one more row, which costs nothing; where it is idle, from the highest level at which no
    source would rather use it. Then '<=' rows get nothing of the sources, and such a row, like any without units, has
    the price nearest to 0 that keeps all edges away from it.
    """
    row, a = edge_rows(lp)
    source = lp.source_of_edge()
    sends = problem.sent[source] > 0
    none_kept = problem.needed[-1] == 0
    level = of_row[-1]
    if none_kept:
        keeping = ~lp.per_source.limits().equality & (problem.sent[:-1] > 0)
        nowhere = sends & (a == 0)
        ways = np.concatenate((-of_source[:-1][keeping], (lp.c - of_source[source])[nowhere]))
        level = ways.min() if ways.size else 0.0
    value = of_row[:-1] - level

    empty = (problem.needed[:-1] == 0) | (none_kept & problem.may_lack)
    value[empty] = 0.0
    avoided = empty[row] & (a > 0) & sends
    np.minimum.at(value, row[avoided], (lp.c - of_source[source] - level)[avoided])
    prices: Floats = np.clip(-value / problem.coefficient, *dual_interval(lp))
    return prices


def shortage(lp: MatchingLP) -> Floats:
    """The ray float64[J] of '=' rows that need more than all sources send: every unit that they lack pays."""
    rows = unit_rows(lp)
    return np.where(rows.floor > 0, -1.0 / rows.coefficient, 0.0)


def _pairs(lp: MatchingLP, rows: UnitRows, equality: Flags) -> tuple[Indices, Indices, Floats, Indices]:
    """Source, row, cost and edge of the cheapest way of each pair that has one, by source and row."""
    row, a = edge_rows(lp)
    keeping, open_rows = np.flatnonzero(~equality), np.flatnonzero(rows.floor == 0)
    one_more_source, one_more_row = lp.sources, lp.row_count
    source = np.concatenate((lp.source_of_edge(), keeping, np.full(open_rows.size + 1, one_more_source)))
    # An edge that takes nothing of its row is as good as keeping.
    row = np.where(a > 0, row, one_more_row)
    row = np.concatenate((row, np.full(keeping.size, one_more_row), open_rows, [one_more_row]))
    free = source.size - lp.edges
    cost = np.concatenate((lp.c.astype(np.float64), np.zeros(free)))
    edge = np.concatenate((np.arange(lp.edges), np.full(free, -1)))

    order = np.lexsort((cost, row, source))
    source, row = source[order], row[order]
    first = np.ones(order.size, dtype=np.bool_)
    first[1:] = (np.diff(source) > 0) | (np.diff(row) > 0)
    return source[first], row[first], cost[order][first], edge[order][first]
