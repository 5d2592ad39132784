"""Upper bounds of single edges as rows, for methods that know one u a source.

E edges, R rows. An edge whose u_e is below the largest of its source, and below z, gets a row x_e <= u_e behind all
other rows. Such a row has a price w_e >= 0, and for q = c + A'y

    min over C_i with u_e of q'x    >=    min over C_i with the largest u of (q + w)'x  -  w'u

so that the first R prices prove as much alone, and so does a ray. Edges of boxes need no row: x_e is counted in shares
of u_e, and their sources have u = 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import InputError, Kind, MatchingLP, PerSource, RaggedRows, Rows
from instances.rows import Coefficient
from solvers.base import Answer, Solver
from solvers.settings import Settings
from solvers.start import Start

Float64 = npt.NDArray[np.float64]
_NAME = "upper bounds of edges"


@dataclass(frozen=True, kw_only=True, eq=False)
class UpperRows:
    """The LP with one u a source, and how its numbers stand for those of the instance."""

    lp: MatchingLP
    rows: int
    """R of the instance."""
    share: Float64
    """float64[E]: what 1 on an edge of `lp` is in the instance."""

    def answer(self, answer: Answer) -> Answer:
        """Of the instance, from that of `lp`."""
        first = slice(self.rows)
        return replace(
            answer,
            x=None if answer.x is None else answer.x * self.share,
            dual=None if answer.dual is None else answer.dual[first],
            ray=None if answer.ray is None else answer.ray[first],
        )

    def start(self, start: Start) -> Start:
        """Of `lp`, from one of the instance."""
        x = start.x
        if x is not None:
            x = np.divide(x, self.share, out=np.zeros(self.share.size), where=self.share > 0)
        return Start(x=x, dual=self.dual(start.dual))

    def dual(self, dual: Any) -> Any:
        """Of `lp`, from one of the instance or None: rows of edges have no price yet."""
        return None if dual is None else np.append(dual, np.zeros(self.lp.row_count - self.rows))


def upper_as_rows(lp: MatchingLP, *, in_shares: bool = True) -> UpperRows:
    """`lp`, which has upper bounds of single edges, in that form. in_shares: count edges of boxes in shares of u_e."""
    rows, share = lp.row_count, np.ones(lp.edges)
    of_boxes = np.repeat(lp.per_source.kind == Kind.BOX, lp.degrees())
    if in_shares and of_boxes.any():
        share = np.where(of_boxes, lp.upper_of_edges(), 1.0)
        lp = _in_shares(lp, share)

    upper, polytopes = lp.upper_of_edges(), lp.per_source
    limits = polytopes.limits()
    largest = np.minimum(limits.upper, limits.at_most)
    below = np.flatnonzero(upper < np.repeat(largest, lp.degrees()))
    families = list(lp.rows)
    if below.size:
        families.append(_rows_of_edges(lp, below, upper[below]))
    one_a_source = PerSource(kind=polytopes.kind, params=polytopes.params)
    lp = MatchingLP(offsets=lp.offsets, c=lp.c, polytope=one_a_source, rows=families)
    return UpperRows(lp=lp, rows=rows, share=share)


@dataclass(frozen=True, kw_only=True, eq=False)
class UpperRowsState:
    """What `prepare` made of that LP."""

    form: UpperRows
    state: Any

    def started(self, solver: Solver, start: Start) -> UpperRowsState:
        return replace(self, state=solver.warm_start(self.state, self.form.start(start)))

    def run(self, solver: Solver) -> Answer:
        return self.form.answer(solver.run(self.state))


def prepared_by_rows(solver: Any, lp: MatchingLP, settings: Settings, context: Any) -> UpperRowsState:
    """`solver.prepare` of that LP. Raises InputError on several ranks, whose rows of edges would not be the same."""
    if context is not None and context.group.size > 1:
        raise InputError(f"{solver.id} takes upper bounds of single edges on one rank alone: use one, or one a source")
    form = upper_as_rows(lp, in_shares=not settings.stay)  # what stays near x counts x itself
    return UpperRowsState(form=form, state=solver.prepare(form.lp, settings, context))


def _rows_of_edges(lp: MatchingLP, edges: npt.NDArray[np.int64], upper: Float64) -> RaggedRows:
    """A row x_e <= u_e for each of these edges."""
    has_row = np.zeros(lp.edges, dtype=np.int64)
    has_row[edges] = 1
    name = _NAME
    while name in {family.name for family in lp.rows}:
        name += "'"
    starts = np.concatenate(([0], np.cumsum(has_row)))
    return RaggedRows(name, entry_offsets=starts, row=np.arange(edges.size, dtype=np.int32), upper=upper)


def _in_shares(lp: MatchingLP, share: Float64) -> MatchingLP:
    """The LP in x_e / share_e, float64[E]; an edge with a share of 0 takes nothing."""
    rows: list[Rows | RaggedRows] = []
    for family in lp.rows:
        if isinstance(family, Rows):
            rows.append(Rows.unchecked(family.name, family.row, family.coefficient * share, family.sides, family.keys))
        else:
            counts = np.diff(family.entry_offsets)
            rows.append(_ragged(family, family.coefficient * np.repeat(share, counts)))
    own = np.divide(lp.upper_of_edges(), share, out=np.ones(lp.edges), where=share > 0)
    polytopes = lp.per_source
    polytope = PerSource(kind=polytopes.kind, params=polytopes.params, edge_upper=own)
    return MatchingLP(offsets=lp.offsets, c=lp.c * share, polytope=polytope, rows=rows)


def _ragged(like: RaggedRows, coefficient: Coefficient) -> RaggedRows:
    """The family with other coefficients."""
    return RaggedRows(
        like.name,
        entry_offsets=like.entry_offsets,
        row=like.row,
        coefficient=coefficient,
        lower=like.lower,
        upper=like.upper,
        penalty=(like.penalty_below, like.penalty_above),
        keys=like.keys,
    )
