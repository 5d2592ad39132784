"""Whether a claim that no x is feasible stands: by a proof, a feasible point, or an LP of the referee's own.

The LP leaves out the costs: minimise the shares w_i of z_i that no '=' source can place. With x_e = cap_e y_e and
cap_e = min(z_i, u_i, b_j / a_e),

    minimise sum w_i   subject to   sum (cap_e / z_i) y_e + w_i = 1,   sum (a_e cap_e / b_j) y_e <= 1,
                                    0 <= y <= u_i / cap_e,   w >= 0.

Above 0, the multipliers of its budget rows over b_j are a ray, which is then checked like any other.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.bound import proves_infeasible
from harness.certificate import Certificate
from harness.general import bound as general
from harness.general.search import searched_ray
from harness.polytopes.points import has_equality, unserved_source
from harness.repair import equality_point
from harness.rounding import Float64
from instances import MatchingLP
from solvers import Answer

#: Edges of '=' sources beyond which the referee does not try to decide by itself.
_MOST_EDGES = 2_000_000
_SECONDS = 20.0


def refutation(lp: MatchingLP, answer: Answer, certificate: Certificate, *, threads: int = 1) -> str:
    """Why the claim that `lp` is infeasible does not stand; "" where it is proved.

    Proofs that count: a '=' source that wants more than its edges may take, `answer.ray` or `answer.dual` as a ray, and
    a ray of the referee's own. Against it speaks a feasible point; where neither is found, the claim is not proved.
    """
    lp = lp.tightened
    if not lp.is_short_form:
        return _refutation_by_rows(lp, answer, certificate, threads)
    if not has_equality(lp):
        return "x = 0 is feasible, as no '=' source wants mass"
    in_hand = certificate.feasible_objective is not None
    if in_hand and certificate.feasible_violation == 0:
        return "the answer itself leads to a feasible point"
    if unserved_source(lp) is not None:
        return ""
    rays = [ray for ray in (answer.ray, answer.dual) if ray is not None]
    if any(proves_infeasible(lp, ray, threads=threads) for ray in rays):
        return ""
    if in_hand:
        return f"the answer leads to a point that is feasible up to {certificate.feasible_violation:.1e} of a budget"
    return _refutation_by_trial(lp, threads)


def _refutation_by_rows(lp: MatchingLP, answer: Answer, certificate: Certificate, threads: int) -> str:
    """`refutation` beyond the short form."""
    if certificate.feasible_objective is not None:
        return "the answer itself leads to a feasible point"
    rays = [ray for ray in (answer.ray, answer.dual) if ray is not None]
    if unserved_source(lp) is not None or any(general.proves_infeasible(lp, ray, threads=threads) for ray in rays):
        return ""
    own = searched_ray(lp)
    return "" if own is not None and general.proves_infeasible(lp, own, threads=threads) else "nothing proves it"


def _refutation_by_trial(lp: MatchingLP, threads: int) -> str:
    if lp.edges > _MOST_EDGES:
        return "nothing proves it"
    x, ray = _place_all(lp)
    if ray is not None and proves_infeasible(lp, ray, threads=threads):
        return ""
    if x is None:
        return "nothing proves it"
    with ThreadPoolExecutor(max_workers=threads) as pool:
        point = equality_point(lp, x, pool)
    return "nothing proves it" if point is None else "the referee found a feasible point"


def _place_all(lp: MatchingLP) -> tuple[Float64 | None, Float64 | None]:
    """x[E] that places as much as HiGHS can, and the ray [J] that its multipliers make; None where it gave none."""
    from scipy.optimize import linprog  # slow to load, and rarely needed

    source = lp.source_of_edge()
    limits = lp.per_source.limits()
    equality = limits.equality & (limits.at_most > 0)
    a = lp.a.astype(np.float64)
    with np.errstate(all="ignore"):
        through = np.where(a > 0, lp.b[lp.destination] / a, np.inf)
    upper = lp.upper_of_edges()
    cap = np.minimum(np.minimum(limits.at_most[source], upper), through)
    used = np.flatnonzero(equality[source] & (cap > 0))
    limited = used[(a[used] > 0) & (lp.b[lp.destination[used]] > 0)]

    served = np.flatnonzero(equality)
    number = np.zeros(lp.sources, np.int64)
    number[served] = np.arange(served.size)
    column = np.zeros(lp.edges, np.int64)
    column[used] = np.arange(used.size)
    share = cap[used] / limits.at_most[source[used]]
    most = np.concatenate((upper[used] / cap[used], np.full(served.size, np.inf)))
    sums = sparse.csr_array((share, (number[source[used]], np.arange(used.size))), shape=(served.size, used.size))
    rows = lp.destination[limited]
    loads = sparse.csr_array(
        (a[limited] * cap[limited] / lp.b[rows], (rows, column[limited])), shape=(lp.destinations, used.size)
    )
    solution = linprog(
        np.concatenate((np.zeros(used.size), np.ones(served.size))),
        A_ub=sparse.hstack([loads, sparse.csr_array((lp.destinations, served.size))], format="csr"),
        b_ub=np.ones(lp.destinations),
        A_eq=sparse.hstack([sums, sparse.eye_array(served.size)], format="csr"),
        b_eq=np.ones(served.size),
        bounds=np.column_stack((np.zeros(most.size), most)),
        method="highs-ds",
        options={"time_limit": _SECONDS},
    )
    if solution.x is None:
        return None, None
    x = np.zeros(lp.edges)
    x[used] = np.maximum(solution.x[: used.size], 0.0) * cap[used]
    return x, _ray(lp, solution, source, a, equality)


def _ray(
    lp: MatchingLP, solution: object, source: npt.NDArray[np.int64], a: Float64, equality: npt.NDArray[np.bool_]
) -> Float64 | None:
    """The multipliers of the budget rows over b_j; a row with b_j = 0 costs nothing and gets what closes its edges."""
    marginals = getattr(getattr(solution, "ineqlin", None), "marginals", None)
    if marginals is None:
        return None
    positive = lp.b > 0
    ray = np.zeros(lp.destinations)
    np.divide(np.maximum(-marginals, 0.0), lp.b, out=ray, where=positive)
    closed = np.flatnonzero(equality[source] & (a > 0) & ~positive[lp.destination])
    at_most = lp.per_source.limits().at_most[source[closed]]
    np.maximum.at(ray, lp.destination[closed], 1 / (at_most * a[closed]))
    return ray
