"""What a pass of a kernel computes, source by source in NumPy, from the definitions."""

from __future__ import annotations

import numpy as np

from instances import Kind, MatchingLP


def clip_to_sum(v: np.ndarray, z: float, u: float, low: float) -> np.ndarray:
    """clip(v - t, 0, u) with the sum z, for some t >= low, by halving."""
    high = v.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(v - middle, 0, u).sum() >= z else (low, middle)
    return np.clip(v - low, 0, u)


def projected(v: np.ndarray, kind: int, z: float, u: float) -> np.ndarray:
    """The projection by sorting (Held, Wolfe and Crowder 1974), the textbook way, source by source."""
    if kind == Kind.BOX_CUT:
        return np.clip(v, 0, u) if np.clip(v, 0, u).sum() <= z else clip_to_sum(v, z, u, 0.0)
    if kind == Kind.BOX_CUT_EQUALITY:
        return clip_to_sum(v, z, u, v.min() - u)
    if kind == Kind.BOX:
        return np.clip(v, 0, z)
    if kind == Kind.SIMPLEX and np.maximum(v, 0).sum() <= z:
        return np.maximum(v, 0)
    if z == 0:
        return np.zeros_like(v)
    down = np.sort(v)[::-1]
    shift = (np.cumsum(down) - z) / np.arange(1, v.size + 1)
    return np.maximum(v - shift[np.flatnonzero(down > shift)[-1]], 0)


def expected(lp: MatchingLP, price: np.ndarray, step: float, centre: np.ndarray) -> tuple[np.ndarray, float]:
    """p[E] and sum_i min over C_i of q_i'x."""
    q = lp.c + lp.a * price[lp.destination]
    p, bound = np.zeros(lp.edges), 0.0
    for i in range(lp.sources):
        edges = slice(lp.offsets[i], lp.offsets[i + 1])
        if edges.start == edges.stop:
            continue
        kind, (z, u) = int(lp.per_source.kind[i]), lp.per_source.params[:, i]
        p[edges] = projected(centre[edges] - step * q[edges], kind, z, u)
        bound += least(q[edges], kind, z, u)
    return p, bound


def least(q: np.ndarray, kind: int, z: float, u: float) -> float:
    """min q'x over the polytope of a source: the cheapest edges first, up to u each, until z is used up."""
    if kind == Kind.BOX:
        return float(z * np.minimum(0, q).sum())
    left, total = z, 0.0
    for cost in np.sort(q):
        if kind in (Kind.SIMPLEX, Kind.BOX_CUT) and cost >= 0:
            break
        amount = min(left, u) if kind >= Kind.BOX_CUT else left
        total, left = total + amount * cost, left - amount
    return total


def brought_into_c(lp: MatchingLP, x: np.ndarray) -> np.ndarray:
    """x[E] brought into each polytope as Kernel.evaluate_feasible says, in float64."""
    p = np.maximum(x.astype(np.float64), 0)
    for i in range(lp.sources):
        edges, kind = slice(lp.offsets[i], lp.offsets[i + 1]), int(lp.per_source.kind[i])
        z, u = lp.per_source.params[:, i]
        if kind == Kind.BOX:
            p[edges] = np.minimum(p[edges], z)
            continue
        if kind >= Kind.BOX_CUT:
            p[edges] = np.minimum(p[edges], u)
        total = p[edges].sum()
        if total > (0 if kind == Kind.SIMPLEX_EQUALITY else z):
            p[edges] *= z / total
        elif kind == Kind.BOX_CUT_EQUALITY and total < z:
            p[edges] += (u - p[edges]) * min(1.0, (z - total) / (u - p[edges]).sum())
    return p
