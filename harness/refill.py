"""Ways to bring '=' sources and budgets together without a solver: refill what is missing, or balance all sources.

Scaling a row into its budget leaves '=' sources short of z. What they lack moves to their own edges on rows with slack
(refill). Where those are full as well, all sources are rebalanced: the point nearest in relative entropy that keeps the
polytopes and budgets a little smaller than b is x_e(p) = y_e exp(-a_e p_j) / (normalisation of the source), with prices
p >= 0 by Newton's method.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import linalg

from harness.polytopes.points import brought_in, deficits, headroom
from harness.rounding import Float64
from harness.sources import Chunk, chunks
from instances import MatchingLP

_ROUNDS = 50
_NEWTON_STEPS = 25
_LARGEST_EXPONENT = 500.0
#: A refill that moves less than this share of z on every edge has come to an end.
_NO_PROGRESS = 1e-13
#: By how much a balanced row may exceed its budget; harness/feasible.py measures and prices what remains.
_ROUNDING = 1e-13


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


def balance(lp: MatchingLP, point: Float64, margin: float) -> bool:
    """Replace `point` by x(p) with loads of (1 - margin) b where it exceeded that, in place; whether b holds then."""
    destination = lp.destination
    a = lp.a.astype(np.float64)
    _open_every_edge(lp, point, margin)
    start = point.copy()
    target = (1 - margin) * lp.b
    price = np.zeros(lp.destinations)
    for _ in range(_NEWTON_STEPS):
        point[:] = start * np.exp(-np.minimum(a * price[destination], _LARGEST_EXPONENT))
        for chunk in chunks(lp):
            point[chunk.edges] = brought_in(chunk, point[chunk.edges])
        load = load_of(lp, point)
        if (load <= lp.b * (1 + _ROUNDING)).all():
            return True
        active = (load > target) | (price > 0)
        step = _newton_step(lp, a, point, np.where(active, load - target, 0.0), active)
        price = np.maximum(price + np.where(active, step, 0.0), 0.0)
        if not np.isfinite(price).all():
            return False
    return False


def _open_every_edge(lp: MatchingLP, point: Float64, margin: float) -> None:
    """Spread `margin` of each '=' source evenly over its edges: an edge at zero would stay there."""
    for chunk in chunks(lp):
        equality = chunk.limits.equality
        even = np.where(equality, chunk.limits.at_most, 0.0) / np.maximum(chunk.degrees, 1)
        change = margin * (even[chunk.source] - point[chunk.edges])
        point[chunk.edges] += np.where(equality[chunk.source], change, 0.0)


def _newton_step(lp: MatchingLP, a: Float64, point: Float64, excess: Float64, active: npt.NDArray[np.bool_]) -> Float64:
    """H step = excess on the active rows by conjugate gradients; H = diag(A^2 x) - sum_i (A_i x_i)(A_i x_i)' / z_i."""
    weighted = sparse.csr_array((a * point, lp.destination, lp.offsets), shape=(lp.sources, lp.destinations))
    diagonal = np.bincount(lp.destination, weights=a * a * point, minlength=lp.destinations)
    limits = lp.per_source.limits()
    inverse = np.where(limits.equality & (limits.at_most > 0), 1 / np.maximum(limits.at_most, 1e-300), 0.0)
    ridge = 1e-9 * diagonal + 1e-300

    def hessian(v: Float64) -> Float64:
        v = np.where(active, v, 0.0)
        product = (diagonal + ridge) * v - weighted.T @ (inverse * (weighted @ v))
        return np.where(active, product, v)

    shape = (lp.destinations, lp.destinations)
    precondition = linalg.LinearOperator(shape, matvec=lambda v: v / np.where(active, diagonal + ridge, 1.0))
    step: Float64 = linalg.cg(
        linalg.LinearOperator(shape, matvec=hessian), excess, rtol=1e-3, maxiter=200, M=precondition
    )[0]
    return step
