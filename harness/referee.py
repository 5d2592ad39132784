"""The only judge of quality: a float64 certificate for any answer to a matching LP, whoever produced it.

I sources, J destinations, E edges. It shares no code with a solver and reads the instance in chunks of sources, so its
memory beyond the instance is a few vectors of length J a thread (an instance with '=' sources needs one copy of x).

For any lambda >= 0, with q_e = c_e + a_e lambda_j, weak duality gives the lower bound

    g0(lambda) = -b'lambda + sum_i min over C_i of q_i'x        <=  optimum
        simplex <= z: z min(0, min_e q_e)      simplex = z: z min_e q_e      box [0, u]: sum_e u min(0, q_e)

and any feasible point is an upper bound: x is clipped at 0, scaled into its polytopes and repaired on the budgets
(harness/repair.py). certified gap = (c'x_repaired - g0) / max(1, |g0|), never negative.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.repair import repaired_objective, scale_into_polytope
from harness.sources import Chunk, Float64, over_chunks
from instances import InputError, Kind, MatchingLP
from instances.mapped import let_go

#: A gap between -_ROUNDING and 0 is the rounding of the two sums and counts as 0; a gap below is shown as it is: a bug.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What the referee says of one answer; None where there is nothing to say, with the reason.

    dual_bound: g0 at the dual with negative entries set to 0: a proved lower bound on the optimum.
    feasible_objective: c'x of the repaired point: a proved upper bound. certified_gap: between the two, relative.
    Of the unrepaired answer:
    objective: c'x. budget_violation: max_j [(Ax)_j - b_j]+ / (1 + b_j).
    polytope_violation: the largest distance outside a polytope's row or bound, absolute.
    budget_residual, polytope_residual: 2-norms of those violations over 1 + the 2-norm of their right-hand sides.
    primal_residual: both together, as PDLP and cuPDLP define it on the explicit form.
    dual_residual: ||[lambda]-||_2 / (1 + ||c||_2); the multipliers of the polytopes' rows are recomputed at their
    best, so the only infeasibility a dual can have is a negative price. relative_gap: |p - d| / (1 + |p| + |d|) with
    p = objective and d = dual_bound, the gap that PDLP tests.
    """

    certified_gap: float | None = None
    dual_bound: float | None = None
    feasible_objective: float | None = None
    objective: float | None = None
    budget_violation: float | None = None
    polytope_violation: float | None = None
    primal_residual: float | None = None
    budget_residual: float | None = None
    polytope_residual: float | None = None
    dual_residual: float | None = None
    relative_gap: float | None = None
    reason: str = ""


def certify(lp: MatchingLP, x: Any = None, dual: Any = None, *, threads: int = 1) -> Certificate:
    """Judge x[E] and dual[J] (either may be None) against `lp`; same numbers for any `threads`.

    Raises InputError for an array of the wrong shape; values that are not finite are data: they certify nothing.
    """
    x, dual = _vector("x", x, lp.edges), _vector("dual", dual, lp.destinations)
    lp = lp.tightened  # the same feasible points under finite budgets, and so the same optimum and bounds
    reasons = [f"{name} is missing" for name, v in (("x", x), ("dual", dual)) if v is None]
    if x is not None and not _all_finite(x):
        x, reasons = None, [*reasons, "x has entries that are not finite"]
    if dual is not None and not _all_finite(dual):
        dual, reasons = None, [*reasons, "dual has entries that are not finite"]
    figures: dict[str, float | None] = {}
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        if dual is not None:
            figures |= _dual_figures(lp, dual.astype(np.float64), pool)
            if figures["dual_bound"] is None:
                reasons.append("no finite bound: the dual is too large, or a '=' source has no edges")
        if x is not None:
            figures |= _primal_figures(lp, x, pool)
            if figures["feasible_objective"] is None:
                reasons.append(
                    "no feasible point recovered: x is too large, or '=' sources find no room in the budgets"
                )
    return Certificate(**figures | _gaps(figures), reason="; ".join(reasons))


def _gaps(figures: dict[str, float | None]) -> dict[str, float | None]:
    bound, feasible = figures.get("dual_bound"), figures.get("feasible_objective")
    objective = figures.get("objective")
    gaps: dict[str, float | None] = {}
    if bound is not None and feasible is not None:
        gap = (feasible - bound) / max(1.0, abs(bound))
        gaps["certified_gap"] = gap if gap < -_ROUNDING else max(gap, 0.0)
    if bound is not None and objective is not None:
        gaps["relative_gap"] = abs(objective - bound) / (1 + abs(objective) + abs(bound))
    return gaps


def _dual_figures(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor) -> dict[str, float | None]:
    price = np.maximum(dual, 0.0)
    parts = list(over_chunks(lp, pool, lambda chunk: (_chunk_bound(chunk, price), float(chunk.c @ chunk.c))))
    try:
        bound = math.fsum(part for part, _ in parts) - math.fsum(lp.b * price)
    except (OverflowError, ValueError):  # beyond the largest number, or infinity - infinity
        bound = math.nan
    norm_c = math.sqrt(math.fsum(square for _, square in parts))
    return {
        "dual_bound": bound if math.isfinite(bound) else None,
        "dual_residual": float(np.linalg.norm(np.minimum(dual, 0.0))) / (1 + norm_c),
    }


def _chunk_bound(chunk: Chunk, price: Float64) -> float:
    """Sum over the chunk's sources of min over C_i of q_i'x."""
    q = chunk.c + chunk.a * price[chunk.destination]
    smallest = chunk.minimum(q)
    box = chunk.kind == Kind.BOX
    best = np.where(chunk.kind == Kind.SIMPLEX, np.minimum(smallest, 0.0), smallest)
    best[chunk.radius == 0] = 0.0
    if box.any():
        best[box] = chunk.total(np.minimum(q, 0.0))[box]
    return float(np.sum(chunk.radius * best))


@dataclass(frozen=True, kw_only=True)
class _Primal:
    """Sums over one chunk, of the answer as it is and of the answer scaled into its polytopes."""

    objective: float
    load: Float64
    polytope_worst: float
    polytope_square: float
    radius_square: float
    scaled_load: Float64


def _primal_figures(lp: MatchingLP, x: npt.NDArray[Any], pool: ThreadPoolExecutor) -> dict[str, float | None]:
    total: _Primal | None = None
    for part in over_chunks(lp, pool, lambda chunk: _chunk_primal(chunk, x, lp.destinations)):
        total = part if total is None else _add(total, part)
    assert total is not None
    over = np.maximum(total.load - lp.b, 0.0)
    budget_norm, polytope_norm = float(np.linalg.norm(over)), math.sqrt(total.polytope_square)
    b_norm, radius_norm = float(np.linalg.norm(lp.b)), math.sqrt(total.radius_square)
    feasible = repaired_objective(lp, x, total.scaled_load, pool)
    return {
        "objective": total.objective,
        "budget_violation": float(np.max(over / (1 + lp.b), initial=0.0)),
        "polytope_violation": total.polytope_worst,
        "budget_residual": budget_norm / (1 + b_norm),
        "polytope_residual": polytope_norm / (1 + radius_norm),
        "primal_residual": math.hypot(budget_norm, polytope_norm) / (1 + math.hypot(b_norm, radius_norm)),
        "feasible_objective": None if feasible is None or not math.isfinite(feasible) else feasible,
    }


def _chunk_primal(chunk: Chunk, x: npt.NDArray[Any], destinations: int) -> _Primal:
    values = chunk.read(x)
    sums, box = chunk.total(values), chunk.kind == Kind.BOX
    row = np.where(box, 0.0, sums - chunk.radius)
    row = np.where(chunk.kind == Kind.SIMPLEX_EQUALITY, np.abs(row), np.maximum(row, 0.0))
    bound = np.maximum(-values, 0.0)
    if box.any():
        bound = np.maximum(bound, values - np.where(box, chunk.radius, np.inf)[chunk.source])
    scaled = scale_into_polytope(chunk, values)
    return _Primal(
        objective=float(chunk.c @ values),
        load=chunk.load(values, destinations),
        polytope_worst=max(float(np.max(row, initial=0.0)), float(np.max(bound, initial=0.0))),
        polytope_square=float(row @ row + bound @ bound),
        radius_square=float(np.sum(np.where(box, 0.0, chunk.radius) ** 2)),
        scaled_load=chunk.load(scaled, destinations),
    )


def _add(one: _Primal, other: _Primal) -> _Primal:
    return _Primal(
        objective=one.objective + other.objective,
        load=one.load + other.load,
        polytope_worst=max(one.polytope_worst, other.polytope_worst),
        polytope_square=one.polytope_square + other.polytope_square,
        radius_square=one.radius_square + other.radius_square,
        scaled_load=one.scaled_load + other.scaled_load,
    )


def _vector(name: str, value: Any, size: int) -> npt.NDArray[Any] | None:
    if value is None:
        return None
    array = np.asarray(value)
    if array.shape != (size,) or array.dtype.kind not in "fiu":
        raise InputError(f"{name} is {array.dtype}{list(array.shape)}: expected {size} numbers")
    return array


def _all_finite(array: npt.NDArray[Any]) -> bool:
    for start in range(0, array.size, 1 << 20):
        values = array[start : start + (1 << 20)]
        if not np.isfinite(values).all():
            return False
        let_go(array, start, start + values.size)
    return True
