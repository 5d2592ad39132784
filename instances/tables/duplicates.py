"""Rows of the edges that name one edge: refused, or made one by the rule of the problem."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import ProblemError
from instances.mapped import release_pages
from instances.tables.edges import EdgeArrays
from instances.tables.faults import refusal
from instances.tables.plan import Plan

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
#: Of rows that name one edge, where no rule makes them one, and what to do.
TWICE = "an edge stands more than once"
ONE_EACH = 'write duplicates = "sum", "max" or "first" in [edges], or name a destination that tells them apart'


def without_duplicates(connection: Any, plan: Plan, rows: EdgeArrays, rule: str, objective: str) -> EdgeArrays:
    """Each edge once, by `rule` of statement.DUPLICATES; `rows` in the order of the plan.

    Independent of the order of the rows, but for "first".
    """
    repeats = repeated(rows, [one.name for one in plan.names_an_edge])
    if not repeats.any():
        return rows
    if rule == "error":
        raise _refused(connection, plan)
    if plan.ragged:
        raise ProblemError(lists_repeat(plan.edges.label, plan.ragged[0].columns[0]))
    columns = {one.name: one.columns for one in plan.numberings}
    return made_one(rows, repeats, rule, objective, Labels(table=plan.edges.label, columns=columns))


@dataclass(frozen=True, kw_only=True)
class Labels:
    """How messages call the edges."""

    table: str
    """The table of the edges."""
    columns: Mapping[str, Sequence[str]]
    """Its columns of the keys, by the name of their numbering."""


def lists_repeat(table: str, column: str) -> str:
    """The refusal of an edge that stands more than once and has a list of keys."""
    return (
        f"{table}: an edge stands more than once, and {column} holds lists, which no rule makes one: leave the "
        "repeated rows out"
    )


def made_one(rows: EdgeArrays, repeats: Bools, rule: str, objective: str, labels: Labels) -> EdgeArrays:
    """Each edge once, by `rule`; repeats: of `repeated`."""
    again = np.flatnonzero(repeats)
    members = np.union1d(again, again - 1)
    group = np.cumsum(~repeats[members], dtype=np.int64) - 1
    first = np.flatnonzero(~repeats[members])
    if rule == "sum":
        _sum(labels, rows, members, group)
    chosen = np.arange(repeats.size)
    chosen[members[first]] = _ranked(rows, members, group, rule, objective)[first]
    return rows.at(chosen[~repeats])


def repeated(rows: EdgeArrays, names: Sequence[str]) -> Bools:
    """bool[E]: the row names the same edge as the one before."""
    same = np.zeros(next(iter(rows.keys.values())).size, dtype=np.bool_)
    same[1:] = True
    for name in names:
        same[1:] &= rows.keys[name][1:] == rows.keys[name][:-1]
        release_pages(rows.keys[name])
    return same


def _ranked(rows: EdgeArrays, members: Integers, group: Integers, rule: str, objective: str) -> Integers:
    """The members, group by group, the one that is kept first."""
    if rule == "first":
        assert rows.position is not None
        return members[np.lexsort((rows.position[members], group))]
    others = [array[members] for array in (*rows.keys.values(), *rows.numbers.values())]  # decide between equals
    return members[np.lexsort((*others, -rows.numbers[objective][members], group))]


def _sum(labels: Labels, rows: EdgeArrays, members: Integers, group: Integers) -> None:
    """Each row of a group gets the sum of its numbers, rounded once, so that their order never matters."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    for name, array in rows.keys.items():
        if (array[members] != array[members[starts]][group]).any():
            columns = " and ".join(labels.columns[name])
            raise ProblemError(f"{labels.table}: rows of one edge differ in {columns}: they have no sum")
    for array in rows.numbers.values():
        values = np.split(array[members].astype(np.float64), starts[1:])
        array[members] = np.array([math.fsum(part) for part in values])[group]


def _refused(connection: Any, plan: Plan) -> ProblemError:
    columns = [column for one in plan.names_an_edge for column in one.columns]
    keys = ", ".join(expression for one in plan.names_an_edge for expression in one.edge)
    twice = f"({keys}) IN (SELECT ({keys}) FROM {plan.edges.name} AS t GROUP BY ALL HAVING count(*) > 1)"
    return refusal(connection, plan.edges, twice, columns, TWICE, ONE_EACH)
