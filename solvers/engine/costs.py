"""Costs that an iteration can work with: without a common offset, and with a unit that no forbidden edge decides.

I sources, J destinations, E edges. A '=' source pays z_i times its least cost whatever it does, and "forbidden" is
often written as a large cost (1e9, 1e30) on an edge that nobody takes then. Both would decide the norm of the costs,
and with it every step. So, where they are large,

    c_e <- c_e - least_i, least_i = min of c over the edges of source i      '=' sources: offset = sum_i z_i least_i
    c_e <- min(c_e, unit)                                                    '<=' sources and boxes

and the norm is that of the edges that can matter: in a '<=' source none with c_e >= 0 (prices are >= 0, so it never
helps), in a '=' source those at most _FORBIDDEN units above the least, the unit being what most of them pay for the
next edge. A forbidden edge of a '=' source stays in the LP, with its cost: one that has to be used is used. Proofs take
the costs as given.
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
#: So many units an edge of a '<=' source may cost before its cost is cut: whatever it is, the edge never helps.
_USELESS = 16.0
#: This share of the '=' sources decides the unit: the others may have no second edge that is allowed.
_MOST = 0.9
#: Powers of 2 that float64 has, and the one of the first.
_POWERS, _FIRST_POWER = 2200, -1080


@dataclass(frozen=True, kw_only=True, eq=False)
class Eased:
    """lp: with the costs to iterate on, the instance itself where they are fit; offset: what its objective lacks, over
    all ranks; norm: ||c|| of the edges that matter, None for that of all; usual, largest: the largest |c_e| of the
    edges that matter and of all that can ever be used, 1 where these are 0.
    """

    lp: MatchingLP
    offset: float
    norm: float | None
    usual: float
    largest: float


def eased(lp: MatchingLP, group: Communicator = LOCAL) -> Eased:
    """`lp`, or the part of it that this rank holds, with costs that scaling can rely on."""
    facts = _facts(lp, group)
    if facts.unit == 0 or (facts.largest <= _FORBIDDEN * facts.unit and facts.useless <= _USELESS * facts.unit):
        return Eased(lp=lp, offset=0.0, norm=None, usual=facts.largest or 1.0, largest=facts.largest or 1.0)
    return _without_offset(lp, facts, group)


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """largest: of |c|; useless: the largest cost of an edge that never helps; unit: what edges that matter cost, 0
    where nothing tells.
    """

    largest: float
    useless: float
    unit: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Neighbouring sources that have edges: c of their edges without the least of '=' sources, which of the edges are
    of '=' sources, and for each source its first edge, least cost (0 unless '=') and z (u of a box).
    """

    first_edge: int
    last_edge: int
    c: Float64
    serving: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]
    least: Float64
    at_most: Float64


def _facts(lp: MatchingLP, group: Communicator) -> _Facts:
    largest, positive = 0.0, 0.0
    for first, last in sources_in_turn(lp):
        some = lp.c[lp.offsets[first] : lp.offsets[last]]
        high, low = float(some.max(initial=0.0)), float(some.min(initial=0.0))
        largest, positive = max(largest, high, -low), max(positive, high)
    largest, positive, serving = group.max(np.array([largest, positive, float(serves_equalities(lp))])).tolist()
    if not serving and positive == 0:
        return _Facts(largest=largest, useless=0.0, unit=largest)

    earning, useless, powers = 0.0, 0.0, np.zeros(_POWERS)
    for part in _parts(lp):
        earning = max(earning, -float(part.c[~part.serving].min(initial=0.0)))
        useless = max(useless, float(part.c[~part.serving].max(initial=0.0)))
        following = np.where(part.serving & (part.c > 0), part.c, np.inf)
        dearer = np.minimum.reduceat(following, part.starts)
        np.add.at(powers, np.frexp(dearer[np.isfinite(dearer)])[1] - _FIRST_POWER, 1)
    earning, useless = group.max(np.array([earning, useless])).tolist()
    powers = np.cumsum(group.sum(powers))
    usual = 0.0
    if powers[-1] > 0:
        usual = float(np.ldexp(1.0, int(np.searchsorted(powers, _MOST * powers[-1])) + _FIRST_POWER))
    return _Facts(largest=largest, useless=useless, unit=max(earning, usual))


def _without_offset(lp: MatchingLP, facts: _Facts, group: Communicator) -> Eased:
    c, forbidden = _like(lp), _FORBIDDEN * facts.unit
    square, usual, largest, offset = 0.0, 0.0, 0.0, 0.0
    for part in _parts(lp):
        c[part.first_edge : part.last_edge] = np.where(part.serving, part.c, np.minimum(part.c, facts.unit))
        release_pages(c, part.first_edge, part.last_edge)
        size = np.abs(np.where(part.serving, part.c, np.minimum(part.c, 0.0)))
        near = size[size <= forbidden]
        square += float((near * near).sum())
        usual, largest = max(usual, float(near.max(initial=0.0))), max(largest, float(size.max(initial=0.0)))
        offset += float((part.least * part.at_most).sum())
    square, offset = group.sum(np.array([square, offset])).tolist()
    usual, largest = group.max(np.array([usual, largest])).tolist()
    return Eased(
        lp=replace(lp, c=c), offset=offset, norm=float(np.sqrt(square)), usual=usual or 1.0, largest=largest or 1.0
    )


def _like(lp: MatchingLP) -> Any:
    """Memory for the costs, on the disk where the instance is."""
    if is_mapped(lp.c):
        return unnamed_array(lp.edges, lp.c.dtype, default_cache(), "the costs")
    return np.empty(lp.edges, lp.c.dtype)


def _parts(lp: MatchingLP) -> Iterator[_Part]:
    for first, last in sources_in_turn(lp):
        offsets = lp.offsets[first : last + 1]
        begin, end = int(offsets[0]), int(offsets[-1])
        degree = np.diff(offsets)
        some = np.flatnonzero(degree)
        if not some.size:
            continue
        starts = (offsets[:-1] - begin)[some]
        equality = lp.per_source.limits(first, last).equality[some]
        c = lp.c[begin:end].astype(np.float64)
        least = np.where(equality, np.minimum.reduceat(c, starts), 0.0)
        yield _Part(
            first_edge=begin,
            last_edge=end,
            c=c - np.repeat(least, degree[some]),
            serving=np.repeat(equality, degree[some]),
            starts=starts,
            least=least,
            at_most=lp.per_source.radius[first:last][some].astype(np.float64),
        )
