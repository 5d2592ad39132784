"""Costs that an iteration can work with: without a common offset, and with a unit that no forbidden edge decides.

I sources, J destinations, E edges. A '=' source pays z_i times its least cost whatever it does, and "forbidden" is
often written as a large cost (1e9, 1e30) on an edge that nobody takes then. Both would decide the norm of the costs,
and with it every step. So, where they are large,

    c_e <- c_e - least_i, least_i = min of c over the edges of source i      '=' sources: offset = sum_i z_i least_i
    c_e <- min(c_e, unit)                                                    other sources

and the norm is that of the edges that can matter: in a source that need not be served none with c_e >= 0 (prices are
>= 0, so it never helps), in a '=' source those at most _FORBIDDEN units above the least, the unit being what most of
them pay for the next edge that is allowed. A forbidden edge of a '=' source stays in the LP, with its cost: one that
has to be used is used. Proofs take the costs as given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import default_cache, is_mapped, release_pages, unnamed_array
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.instance import serves_equalities
from solvers.engine.sweeps import sources_in_turn

Float64 = npt.NDArray[np.float64]
#: So many units above the least cost of its source an edge of a '=' source counts as forbidden.
_FORBIDDEN = 2.0**20
#: So many units an edge of another source may cost before its cost is cut: whatever it is, the edge never helps.
_USELESS = 16.0
#: This share of the '=' sources decides the unit: the others may have no second edge that is allowed.
_MOST = 0.9
#: A smaller share of them is no sign that the others have only one edge that is allowed: a few near ties are no unit.
_SOME = 0.1
#: The unit is found by counting costs by their power of 2: float64 has so many,
_POWERS = 2200
#: and this is the first.
_FIRST_POWER = -1080


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkingCosts:
    """The costs to iterate on, over all ranks."""

    lp: MatchingLP
    """With these costs; the instance itself where its own are fit."""
    offset: float
    """What the objective of `lp` lacks."""
    norm: float | None
    """||c|| of the edges that matter, None for that of all."""
    usual: float
    """The largest |c_e| of the edges that matter, 1 where that is 0."""
    largest: float
    """The largest |c_e| of the edges that can ever be used, 1 where that is 0."""

    @property
    def forbids_edges(self) -> bool:
        """Whether some edges cost so much that what float32 rounds would decide the objective there."""
        return self.largest > self.usual


def working_costs(lp: MatchingLP, group: Communicator = LOCAL) -> WorkingCosts:
    """`lp`, or the part of it that this rank holds, with costs that scaling can rely on.

    Beyond the short form they stay as they are: prices of either sign may make any edge worth its cost.
    """
    if not lp.is_short_form:
        return costs_as_they_are(lp, group)
    facts = _facts(lp, group)
    if facts.unit == 0 or (facts.largest <= _FORBIDDEN * facts.unit and facts.useless <= _USELESS * facts.unit):
        largest = facts.largest or 1.0
        return WorkingCosts(lp=lp, offset=0.0, norm=None, usual=largest, largest=largest)
    return _without_offset(lp, facts, group)


def costs_as_they_are(lp: MatchingLP, group: Communicator = LOCAL) -> WorkingCosts:
    """Those of `lp` itself, scaled or not."""
    own = max(float(lp.c.max(initial=0.0)), -float(lp.c.min(initial=0.0)))
    largest = float(group.max(np.array([own]))[0]) or 1.0
    return WorkingCosts(lp=lp, offset=0.0, norm=None, usual=largest, largest=largest)


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What the costs are like, over all ranks."""

    largest: float
    """Of |c|."""
    useless: float
    """The largest cost of an edge that never helps."""
    unit: float
    """What edges that matter cost, 0 where nothing tells."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Neighbouring sources that have edges."""

    first_edge: int
    last_edge: int
    c: Float64
    """Of their edges, without the least cost of '=' sources."""
    serving: npt.NDArray[np.bool_]
    """Which of the edges are of '=' sources."""
    starts: npt.NDArray[np.int64]
    """The first edge of each source, counted from first_edge."""
    least: Float64
    """The least cost of each source, 0 unless it is a '=' source."""
    at_most: Float64
    """z of each source, u of a box."""


def _facts(lp: MatchingLP, group: Communicator) -> _Facts:
    largest = 0.0
    positive = 0.0
    for first, last in sources_in_turn(lp):
        costs = lp.c[lp.offsets[first] : lp.offsets[last]]
        highest = float(costs.max(initial=0.0))
        largest = max(largest, highest, -float(costs.min(initial=0.0)))
        positive = max(positive, highest)
    largest, positive, serving = group.max(np.array([largest, positive, float(serves_equalities(lp))])).tolist()
    if not serving and positive == 0:
        return _Facts(largest=largest, useless=0.0, unit=largest)

    earning = 0.0
    useless = 0.0
    powers = np.zeros(_POWERS)
    for part in _parts(lp):
        earning = max(earning, -float(part.c[~part.serving].min(initial=0.0)))
        useless = max(useless, float(part.c[~part.serving].max(initial=0.0)))
        above_least = np.where(part.serving & (part.c > 0), part.c, np.inf)
        following = np.minimum.reduceat(above_least, part.starts)
        np.add.at(powers, np.frexp(following[np.isfinite(following)])[1] - _FIRST_POWER, 1)
    earning, useless = group.max(np.array([earning, useless])).tolist()
    return _Facts(largest=largest, useless=useless, unit=max(earning, _usual(group.sum(powers))))


def _usual(powers: Float64) -> float:
    """The power of 2 that most of the '=' sources that have a choice pay at most for their next edge; 0 where none has
    a next edge.
    """
    sources = np.cumsum(_with_a_choice(powers))
    if sources[-1] == 0:
        return 0.0
    return float(np.ldexp(1.0, int(np.searchsorted(sources, _MOST * sources[-1])) + _FIRST_POWER))


def _with_a_choice(powers: Float64) -> Float64:
    """The powers without those of sources whose next edge is forbidden: above the last gap as wide as _FORBIDDEN."""
    used = np.flatnonzero(powers)
    gaps = np.flatnonzero(np.diff(used) > np.log2(_FORBIDDEN))
    if not gaps.size:
        return powers
    allowed = np.where(np.arange(powers.size) <= used[gaps[-1]], powers, 0.0)
    return allowed if allowed.sum() >= _SOME * powers.sum() else powers


def _without_offset(lp: MatchingLP, facts: _Facts, group: Communicator) -> WorkingCosts:
    c = _empty_like(lp)
    forbidden = _FORBIDDEN * facts.unit
    square = 0.0
    usual = 0.0
    largest = 0.0
    offset = 0.0
    for part in _parts(lp):
        c[part.first_edge : part.last_edge] = np.where(part.serving, part.c, np.minimum(part.c, facts.unit))
        release_pages(c, part.first_edge, part.last_edge)
        size = np.abs(np.where(part.serving, part.c, np.minimum(part.c, 0.0)))
        matter = size[size <= forbidden]
        square += float((matter * matter).sum())
        usual = max(usual, float(matter.max(initial=0.0)))
        largest = max(largest, float(size.max(initial=0.0)))
        offset += float((part.least * part.at_most).sum())
    square, offset = group.sum(np.array([square, offset])).tolist()
    usual, largest = group.max(np.array([usual, largest])).tolist()
    return WorkingCosts(
        lp=replace(lp, c=c), offset=offset, norm=float(np.sqrt(square)), usual=usual or 1.0, largest=largest or 1.0
    )


def _empty_like(lp: MatchingLP) -> Any:
    """Memory for the costs, on the disk where the instance is."""
    if is_mapped(lp.c):
        return unnamed_array(lp.edges, lp.c.dtype, default_cache(), "the costs")
    return np.empty(lp.edges, lp.c.dtype)


def _parts(lp: MatchingLP) -> Iterator[_Part]:
    for first, last in sources_in_turn(lp):
        offsets = lp.offsets[first : last + 1]
        first_edge = int(offsets[0])
        last_edge = int(offsets[-1])
        degree = np.diff(offsets)
        with_edges = np.flatnonzero(degree)
        if not with_edges.size:
            continue

        starts = (offsets[:-1] - first_edge)[with_edges]
        equality = lp.per_source.limits(first, last).equality[with_edges]
        c = lp.c[first_edge:last_edge].astype(np.float64)
        least = np.where(equality, np.minimum.reduceat(c, starts), 0.0)
        yield _Part(
            first_edge=first_edge,
            last_edge=last_edge,
            c=c - np.repeat(least, degree[with_edges]),
            serving=np.repeat(equality, degree[with_edges]),
            starts=starts,
            least=least,
            at_most=lp.per_source.radius[first:last][with_edges].astype(np.float64),
        )
