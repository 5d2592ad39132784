"""Bringing '=' sources and budgets together without a solver: what is missing is refilled.

Scaling a row into its budget leaves '=' sources short of z. What they lack moves to their own edges on rows with slack.
Where those are full as well, mass has to move through several sources (harness/general/within.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.polytopes.points import brought_in, deficits, headroom
from harness.rounding import Float64
from harness.sources import Chunk, chunks
from instances import MatchingLP

_ROUNDS = 50
#: A refill that moves less than this share of z on every edge has come to an end.
_NO_PROGRESS = 1e-13


def fit(available: Float64, wanted: Float64) -> Float64:
    """The share of each row that may stay, min(1, available / wanted); nothing on a row that offers nothing."""
    wanted = wanted + np.where(available < _UNDERFLOW, _UNDERFLOW, 0.0)
    ratio: Float64 = np.divide(available, wanted, out=np.ones_like(wanted), where=wanted > 0)
    return np.where(available > 0, np.minimum(1.0, ratio), 0.0)


#: Budgets below this are small beside what products a x can lose to underflow, in up to 2^60 terms.
_UNDERFLOW = 2.0**-1000


def share_of_edges(chunk: Chunk, share: Float64) -> Float64:
    """The share of each edge's row; an edge with a = 0 takes nothing from its row and keeps all."""
    of_row = share[chunk.destination]
    return of_row if chunk.positive_coefficients else np.where(chunk.a > 0, of_row, 1.0)


def load_of(lp: MatchingLP, point: Float64) -> Float64:
    """A times `point`."""
    load = np.zeros(lp.destinations)
    for chunk in chunks(lp):
        load += chunk.load(point[chunk.edges], lp.destinations)
    return load


def scaled_into_polytopes(lp: MatchingLP, x: npt.NDArray[np.floating]) -> Float64:
    """A copy of x, each source scaled into its polytope."""
    point = np.empty(lp.edges)
    for chunk in chunks(lp):
        point[chunk.edges] = brought_in(chunk, chunk.read(x))
    return point


def shrink(lp: MatchingLP, point: Float64, budget: Float64) -> Float64:
    """Scale `point` in place into `budget`; the loads after it."""
    load = load_of(lp, point)
    share = fit(budget, load)
    for chunk in chunks(lp):
        point[chunk.edges] *= share_of_edges(chunk, share)
    return load * share


def refill(lp: MatchingLP, point: Float64, budget: Float64) -> bool:
    """Scale `point` into `budget` in place, then give back what '=' sources lack where rows have slack."""
    load = shrink(lp, point, budget)
    for _ in range(_ROUNDS):
        slack = np.maximum(budget - load, 0.0)
        lacking = moving = False
        wanted = np.zeros(lp.destinations)
        for chunk in chunks(lp):
            lack, proposal = _proposal(chunk, point[chunk.edges], slack)
            lacking = lacking or bool(lack.any())
            moving = moving or bool((proposal > _NO_PROGRESS * chunk.limits.at_most[chunk.source]).any())
            wanted += chunk.load(proposal, lp.destinations)
        if not lacking:
            return True
        if not moving:
            return False  # whoever lacks mass has only full rows

        accepted = fit(slack, wanted)
        for chunk in chunks(lp):
            _, proposal = _proposal(chunk, point[chunk.edges], slack)
            point[chunk.edges] += proposal * share_of_edges(chunk, accepted)
        load += wanted * accepted
    return False


def _proposal(chunk: Chunk, point: Float64, slack: Float64) -> tuple[Float64, Float64]:
    """What sources lack, and where they would put it: in proportion to the room x = slack / a of their edges."""
    lack = deficits(chunk, point)
    room = np.full(point.size, np.inf)
    np.divide(slack[chunk.destination], chunk.a, out=room, where=chunk.a > 0)
    room = np.minimum(np.minimum(room, lack[chunk.source]), headroom(chunk, point))
    total = chunk.total(room)
    share = np.divide(lack, total, out=np.zeros_like(total), where=total > 0)
    return lack, room * np.minimum(share, 1.0)[chunk.source]
