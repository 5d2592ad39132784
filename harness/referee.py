"""The only judge of quality: a proved certificate for any answer to a matching LP, whoever produced it.

I sources, J destinations, E edges. It shares no code with a solver and reads the instance in chunks of sources, so its
memory beyond the instance is a few vectors of length J a thread (an instance with '=' sources needs one copy of x).

For any lambda >= 0, with q_e = c_e + a_e lambda_j, weak duality gives the lower bound

    g0(lambda) = -b'lambda + sum_i min over C_i of q_i'x        <=  optimum        (harness/polytopes/support.py)

and any feasible point is an upper bound: x is clipped, scaled into its polytopes (harness/polytopes/points.py) and
repaired on the budgets (harness/repair.py). Both carry their rounding: the bound is lowered and the objective raised by
it (harness/bound.py, feasible.py). certified gap = (c'x_repaired - g0) / max(1, |g0|); a negative one is a
contradiction. Other coupling rows, and a point that no repair brings into its rows: harness/general/.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.arguments import require_judged
from harness.bound import lower_bound
from harness.certificate import Certificate
from harness.general import figures as general
from harness.polytopes.points import brought_in, distances, unserved_source
from harness.repair import repaired
from harness.sources import Chunk, Float64, over_chunks
from instances import InputError, MatchingLP
from instances.mapped import release_pages

_LARGEST = float(np.finfo(np.float64).max)


def certify(lp: MatchingLP, x: Any = None, dual: Any = None, *, threads: int = 1) -> Certificate:
    """Judge x[E] and dual[R] (either may be None) against `lp`, R rows in all; same numbers for any `threads`.

    Raises InputError for an array of the wrong shape; values that are not finite are data: they certify nothing.
    """
    require_judged(lp, x, dual)
    if not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads={threads!r}: expected a whole number >= 1")
    x = _vector("x", x, lp.edges)
    dual = _vector("dual", dual, lp.row_count)
    lp = lp.tightened  # the same feasible points under finite budgets, and so the same optimum and bounds
    reasons = [f"{name} is missing" for name, v in (("x", x), ("dual", dual)) if v is None]
    if x is not None and not _all_finite(x):
        x = None
        reasons.append("x has entries that are not finite")
    if dual is not None and not _all_finite(dual):
        dual = None
        reasons.append("dual has entries that are not finite")
    figures: dict[str, float | None] = {}
    unserved = unserved_source(lp)
    if unserved is not None:
        reasons.append(f"no x is feasible: {_why_unserved(lp, unserved)}")
    short_form = lp.is_short_form
    dual_figures, primal_figures = (
        (_dual_figures, _primal_figures) if short_form else (general.dual_figures, general.primal_figures)
    )
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        price = None if dual is None else dual.astype(np.float64)
        if price is not None:
            figures |= dual_figures(lp, price, pool)
            if figures["dual_bound"] is None and unserved is None:
                reasons.append("no finite bound: the dual is too large for float64")
        if x is not None:
            figures |= primal_figures(lp, x, price, pool)
            if short_form and figures["feasible_objective"] is None:
                figures |= general.point_figures(lp, x, price, pool)  # full rows of '=' sources: how near x is to them
            if figures.get("feasible_objective") is None and unserved is None:
                reasons.append(_why_no_point(lp))
    return Certificate(**figures | _gaps(figures), reason="; ".join(reasons))


def _why_no_point(lp: MatchingLP) -> str:
    """In words that are true, whatever kept the repair from a feasible point."""
    if not lp.is_short_form:
        return "no feasible point recovered: the answer leaves hard rows, and nothing repairs it"
    if lp.per_source.limits().equality.any():
        return "no feasible point recovered: no way was found to serve every '=' source within the budgets"
    return "no finite objective: x and c are too large for float64"


def _why_unserved(lp: MatchingLP, source: int) -> str:
    edges = int(lp.offsets[source + 1] - lp.offsets[source])
    if edges == 0:
        return f"the '=' source {source} wants mass and has no edges"
    limits = lp.per_source.limits(source, source + 1)
    takes = f"{limits.upper[0]:g} each"
    if lp.edge_upper is not None:
        takes = f"{lp.upper_of_edges(source, source + 1).sum():g}"
    return f"the '=' source {source} wants {limits.at_most[0]:g}, its {edges} edges take {takes} at most"


def _gaps(figures: dict[str, float | None]) -> dict[str, float | None]:
    bound = figures.get("dual_bound")
    feasible = figures.get("feasible_objective")
    objective = figures.get("objective")
    priced = figures.get("priced_objective")
    gaps: dict[str, float | None] = {}
    if bound is not None and priced is not None:
        gaps["priced_gap"] = (priced - bound) / max(1.0, abs(bound))
    if bound is not None and feasible is not None:
        gaps["certified_gap"] = (feasible - bound) / max(1.0, abs(bound))
    if bound is not None and objective is not None:
        gaps["relative_gap"] = abs(objective - bound) / (1 + abs(objective) + abs(bound))
    return gaps


def _dual_figures(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor) -> dict[str, float | None]:
    bound = lower_bound(lp, dual, pool)
    proved = math.isfinite(bound.value) and unserved_source(lp) is None
    norm_c = math.sqrt(sum(over_chunks(lp, pool, lambda chunk: float(chunk.c @ chunk.c))))
    return {
        "dual_bound": bound.value if proved else None,
        "bound_error": min(bound.error, _LARGEST) if proved else None,
        "dual_residual": float(np.linalg.norm(np.minimum(dual, 0.0))) / (1 + norm_c),
    }


@dataclass(frozen=True, kw_only=True)
class _Primal:
    """Sums over one chunk, of the answer as it is and of the answer scaled into its polytopes."""

    objective: float
    load: Float64
    polytope_worst: float
    polytope_square: float
    right_sides_square: float
    scaled_load: Float64


def _primal_figures(
    lp: MatchingLP, x: npt.NDArray[Any], price: Float64 | None, pool: ThreadPoolExecutor
) -> dict[str, float | None]:
    zeros = np.zeros(lp.destinations)
    total = _Primal(
        objective=0.0, load=zeros, polytope_worst=0.0, polytope_square=0.0, right_sides_square=0.0, scaled_load=zeros
    )
    for part in over_chunks(lp, pool, lambda chunk: _chunk_primal(chunk, x, lp.destinations)):
        total = _add(total, part)
    over = np.maximum(total.load - lp.b, 0.0)
    budget_norm = float(np.linalg.norm(over))
    polytope_norm = math.sqrt(total.polytope_square)
    b_norm = float(np.linalg.norm(lp.b))
    right_sides_norm = math.sqrt(total.right_sides_square)
    figures: dict[str, float | None] = {
        "objective": total.objective,
        "budget_violation": float(np.max(over / (1 + lp.b), initial=0.0)),
        "polytope_violation": total.polytope_worst,
        "budget_residual": budget_norm / (1 + b_norm),
        "polytope_residual": polytope_norm / (1 + right_sides_norm),
        "primal_residual": math.hypot(budget_norm, polytope_norm) / (1 + math.hypot(b_norm, right_sides_norm)),
        "feasible_objective": None,
    }
    point = repaired(lp, x, total.scaled_load, price, pool)
    if point is not None and math.isfinite(point.objective):
        figures["feasible_objective"] = point.objective
        figures["objective_error"] = min(point.error, _LARGEST)
        figures["feasible_violation"] = point.violation
    return figures


def _chunk_primal(chunk: Chunk, x: npt.NDArray[Any], destinations: int) -> _Primal:
    values = chunk.read(x)
    outside = distances(chunk, values)
    scaled = brought_in(chunk, values)
    return _Primal(
        objective=float(chunk.c @ values),
        load=chunk.load(values, destinations),
        polytope_worst=max(float(np.max(outside.sums, initial=0.0)), float(np.max(outside.edges, initial=0.0))),
        polytope_square=float(outside.sums @ outside.sums + outside.edges @ outside.edges),
        right_sides_square=float(np.sum(outside.right_sides**2)),
        scaled_load=chunk.load(scaled, destinations),
    )


def _add(one: _Primal, other: _Primal) -> _Primal:
    return _Primal(
        objective=one.objective + other.objective,
        load=one.load + other.load,
        polytope_worst=max(one.polytope_worst, other.polytope_worst),
        polytope_square=one.polytope_square + other.polytope_square,
        right_sides_square=one.right_sides_square + other.right_sides_square,
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
        release_pages(array, start, start + values.size)
    return True
