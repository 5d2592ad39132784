"""A feasible point from any answer, for the referee's upper bound.

'<=' polytopes and boxes: with A >= 0 and b >= 0, scaling edge e by min(1, b_j / (Ax)_j) keeps every constraint.
'=' polytopes: that scaling leaves sources short of z. What they lack moves to their own edges on rows with slack. Where
those are full as well, all sources are rebalanced: the point nearest in relative entropy that keeps the polytopes and
budgets a little smaller than b is x_e(p) = y_e exp(-a_e p_j) / (normalisation of the source), with prices p >= 0 by
Newton's method. A point is claimed only when it holds every constraint to the rounding of its sums.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import linalg

from harness.sources import Chunk, Float64, chunks, over_chunks
from instances import Kind, MatchingLP

_ROUNDS = 50
_NEWTON_STEPS = 25
_LARGEST_EXPONENT = 500.0
#: The margins below b that balancing tries, as multiples of the largest relative excess over a budget.
_MARGINS = (1.0, 10.0, 100.0)
#: What a '=' source may lack, and a row may exceed, relative to max(1, right-hand side).
_ROUNDING = 1e-13
#: A '=' source with less than this share of z has nothing that could be scaled.
_NOTHING = 1e-300


def scale_into_polytope(chunk: Chunk, x: Float64) -> Float64:
    """x of the chunk's edges, clipped at 0 and scaled into each C_i (a '=' source without mass is filled evenly)."""
    x = np.maximum(x, 0.0)
    box, equality = chunk.kind == Kind.BOX, chunk.kind == Kind.SIMPLEX_EQUALITY
    total = chunk.total(x)
    empty = equality & (total <= _NOTHING * chunk.radius) & (chunk.degrees > 0)
    if empty.any():
        x = np.where(empty[chunk.source], 1.0, x)
        total = np.where(empty, chunk.degrees, total)
    ratio = chunk.radius / np.where(total > 0, total, 1.0)
    factor = np.where(box, 1.0, np.where(equality, ratio, np.minimum(ratio, 1.0)))
    factor[total == 0] = 1.0
    x = x * factor[chunk.source]
    if box.any():
        x = np.minimum(x, np.where(box, chunk.radius, np.inf)[chunk.source])
    return x


def repaired_objective(
    lp: MatchingLP, x: npt.NDArray[Any], scaled_load: Float64, pool: ThreadPoolExecutor
) -> float | None:
    """c'x of the repaired point, or None; `scaled_load` = A x of x scaled into its polytopes."""
    if bool((lp.per_source.kind == Kind.SIMPLEX_EQUALITY).any()):
        return _repair_equality(lp, x, scaled_load)
    factor = _fit(lp.b, scaled_load)

    def objective(chunk: Chunk) -> float:
        scaled = scale_into_polytope(chunk, chunk.read(x))
        return float(chunk.c @ (scaled * factor[chunk.destination]))

    return math.fsum(over_chunks(lp, pool, objective))


def _repair_equality(lp: MatchingLP, x: npt.NDArray[Any], load: Float64) -> float | None:
    """The same with '=' sources, on a copy of x: refill first, since it changes least, then balance."""
    excess = float(np.max((load - lp.b) / np.maximum(lp.b, _ROUNDING), initial=0.0))
    if _refill(lp, point := _scaled(lp, x), load):
        return _cost(lp, point)
    for margin in _MARGINS:
        if _balance(lp, point := _scaled(lp, x), min(0.5, margin * excess)):
            return _cost(lp, point)
    return None


def _scaled(lp: MatchingLP, x: npt.NDArray[Any]) -> Float64:
    point = np.empty(lp.edges)
    for chunk in chunks(lp):
        point[chunk.edges] = scale_into_polytope(chunk, chunk.read(x))
    return point


def _cost(lp: MatchingLP, point: Float64) -> float:
    return math.fsum(float(chunk.c @ point[chunk.edges]) for chunk in chunks(lp))


def _refill(lp: MatchingLP, point: Float64, load: Float64) -> bool:
    """Scale `point` into the budgets in place, then give back what '=' sources lack where rows have slack."""
    shrink = _fit(lp.b, load)
    for chunk in chunks(lp):
        point[chunk.edges] *= shrink[chunk.destination]
    load = load * shrink
    for _ in range(_ROUNDS):
        slack = np.maximum(lp.b - load, 0.0)
        lacking, wanted = False, np.zeros(lp.destinations)
        for chunk in chunks(lp):
            short, proposal = _proposal(chunk, point[chunk.edges], slack)
            lacking = lacking or short
            wanted += chunk.load(proposal, lp.destinations)
        if not lacking:
            return True
        if not (wanted > _ROUNDING * lp.b).any():
            return False  # whoever lacks mass has only full rows
        accept = _fit(slack, wanted)
        for chunk in chunks(lp):
            point[chunk.edges] += _proposal(chunk, point[chunk.edges], slack)[1] * accept[chunk.destination]
        load += wanted * accept
    return False


def _proposal(chunk: Chunk, point: Float64, slack: Float64) -> tuple[bool, Float64]:
    """Whether a source lacks mass, and where it would put it: in proportion to the room x = slack / a of its edges."""
    deficit = np.where(chunk.kind == Kind.SIMPLEX_EQUALITY, chunk.radius - chunk.total(point), 0.0)
    deficit[np.abs(deficit) <= _ROUNDING * np.maximum(1.0, chunk.radius)] = 0.0
    room = np.minimum(slack[chunk.destination] / np.maximum(chunk.a, 1e-300), np.maximum(deficit, 0.0)[chunk.source])
    total = chunk.total(room)
    share = np.divide(deficit, total, out=np.zeros_like(total), where=total > 0)
    return bool((deficit > 0).any()), room * np.minimum(share, 1.0)[chunk.source]


def _balance(lp: MatchingLP, point: Float64, margin: float) -> bool:
    """Replace `point` by x(p) with loads of (1 - margin) b where it exceeded that, in place; whether b holds then."""
    destination, a = lp.destination, lp.a.astype(np.float64)
    _open_every_edge(lp, point, margin)
    start, target, price = point.copy(), (1 - margin) * lp.b, np.zeros(lp.destinations)
    for _ in range(_NEWTON_STEPS):
        point[:] = start * np.exp(-np.minimum(a * price[destination], _LARGEST_EXPONENT))
        for chunk in chunks(lp):
            point[chunk.edges] = scale_into_polytope(chunk, point[chunk.edges])
        load = np.bincount(destination, weights=a * point, minlength=lp.destinations)
        if (load <= lp.b * (1 + _ROUNDING)).all():
            return True
        active = (load > target) | (price > 0)
        step = _newton_step(lp, a, point, np.where(active, load - target, 0.0), active)
        price = np.maximum(price + np.where(active, step, 0.0), 0.0)
    return False


def _open_every_edge(lp: MatchingLP, point: Float64, margin: float) -> None:
    """Spread `margin` of each '=' source evenly over its edges: an edge at zero would stay there."""
    for chunk in chunks(lp):
        even = (chunk.radius / np.maximum(chunk.degrees, 1))[chunk.source]
        equality = (chunk.kind == Kind.SIMPLEX_EQUALITY)[chunk.source]
        point[chunk.edges] += np.where(equality, margin * (even - point[chunk.edges]), 0.0)


def _newton_step(lp: MatchingLP, a: Float64, point: Float64, excess: Float64, active: npt.NDArray[np.bool_]) -> Float64:
    """H step = excess on the active rows by conjugate gradients; H = diag(A^2 x) - sum_i (A_i x_i)(A_i x_i)' / z_i."""
    weighted = sparse.csr_array((a * point, lp.destination, lp.offsets), shape=(lp.sources, lp.destinations))
    diagonal = np.bincount(lp.destination, weights=a * a * point, minlength=lp.destinations)
    radius, equality = lp.per_source.radius, lp.per_source.kind == Kind.SIMPLEX_EQUALITY
    inverse = np.where(equality & (radius > 0), 1 / np.maximum(radius, 1e-300), 0.0)
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


def _fit(available: Float64, wanted: Float64) -> Float64:
    """min(1, available / wanted) for each row."""
    ratio: Float64 = np.divide(available, wanted, out=np.ones_like(wanted), where=wanted > 0)
    return np.minimum(1.0, ratio)
