"""A feasible point near one whose rows are all full: the least change that serves every '=' source, by HiGHS.

Assignment and balanced transport leave no slack, so what a source lacks must reach it along a path of changes through
other sources. With y_e the change of x_e in units of cap_e = min(z_i, u_i, b_j / a_e), w_i what source i still lacks,
and all right-hand sides divided by the largest relative lack,

    minimise sum |y_e| + M sum w_i   subject to   sum (cap_e / z_i) y_e + w_i = lack_i / z_i,
                                                  sum (a_e cap_e / b_j) y_e <= slack_j / b_j,   0 <= x + y <= u.

It is solved again for what its tolerance leaves, until only rounding is left.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.polytopes.points import deficits
from harness.refill import shrink
from harness.rounding import Float64
from harness.sources import chunks
from instances import MatchingLP

#: Edges that a first attempt changes at most: the largest shares of x.
SUPPORT_EDGES = 50_000
#: Edges of an LP that is still tried.
MOST_EDGES = 2_000_000
#: Seconds for one LP.
_SECONDS = 20.0
_ROUNDS = 5
#: The cost of mass that stays away, beside the length of any path of changes.
_UNSERVED = 1e5
_WITHOUT_BOUND = 1e7


def shares(lp: MatchingLP, point: Float64) -> Float64:
    """Each entry over the most that it can be, z or u of its source, [E]; 0 where that is 0."""
    of_edges = np.zeros(lp.edges)
    for chunk in chunks(lp):
        most = np.minimum(chunk.limits.at_most, chunk.limits.upper)[chunk.source]
        np.divide(point[chunk.edges], most, out=of_edges[chunk.edges], where=most > 0)
    return of_edges


def largest(share: Float64, above: float) -> npt.NDArray[np.bool_]:
    """Edges with a share above `above`, the SUPPORT_EDGES largest of them at most."""
    used = share > above
    if np.count_nonzero(used) > SUPPORT_EDGES:
        used &= share > np.partition(share, -SUPPORT_EDGES)[-SUPPORT_EDGES]
    return used


def restore(lp: MatchingLP, point: Float64, columns: npt.NDArray[np.bool_]) -> bool:
    """Change `point` on `columns` [E] in place until '=' sources lack nothing but rounding; whether that succeeded."""
    source = lp.source_of_edge()
    before = np.inf
    for _ in range(_ROUNDS):
        load = shrink(lp, point, lp.b)
        lack = np.concatenate([np.zeros(0), *(deficits(chunk, point[chunk.edges]) for chunk in chunks(lp))])
        relative = np.divide(lack, lp.per_source.limits().at_most, out=np.zeros_like(lack), where=lack > 0)
        largest = float(relative.max(initial=0.0))
        if largest == 0:
            return True
        if largest > 0.5 * before:
            return False
        before = largest
        if not _change(lp, point, columns, source, relative / largest, np.maximum(lp.b - load, 0.0), largest):
            return False
    return False


def _change(
    lp: MatchingLP,
    point: Float64,
    columns: npt.NDArray[np.bool_],
    source: npt.NDArray[np.int64],
    lack: Float64,
    slack: Float64,
    unit: float,
) -> bool:
    """One solve; `lack` [I] relative to z and `unit`, `slack` [J] in its own numbers."""
    from scipy.optimize import linprog  # slow to load, and rarely needed

    limits = lp.per_source.limits()
    equality = limits.equality
    a = lp.a.astype(np.float64)
    through = np.full(lp.edges, np.inf)
    np.divide(lp.b[lp.destination], a, out=through, where=a > 0)
    cap = np.minimum(np.minimum(limits.at_most, limits.upper)[source], through)
    edges = np.flatnonzero(columns & (cap > 0))
    room = np.maximum(limits.upper[source] - point, 0.0)
    rising = edges[equality[source[edges]] & (room[edges] > 0)]
    falling = edges[point[edges] > 0]

    rows = np.flatnonzero((lp.b > 0) & np.isfinite(lp.b))
    row_of = np.full(lp.destinations, -1)
    row_of[rows] = np.arange(rows.size)
    served = np.flatnonzero(equality & (limits.at_most > 0))
    served_of = np.full(lp.sources, -1)
    served_of[served] = np.arange(served.size)

    changed = np.concatenate((rising, falling))
    sign = np.concatenate((np.ones(rising.size), -np.ones(falling.size)))
    budgets = _matrix(
        row_of[lp.destination[changed]], sign * a[changed] * cap[changed] / lp.b[lp.destination[changed]], rows.size
    )
    # Where the sum has no limit there is no such row; u stands for z to give the entry a number.
    share = cap[changed] / np.where(np.isfinite(limits.at_most), limits.at_most, limits.upper)[source[changed]]
    sums = _matrix(served_of[source[changed]], sign * share, served.size)
    with np.errstate(all="ignore"):
        most = np.concatenate((room[rising] / (unit * cap[rising]), point[falling] / (unit * cap[falling])))
    most[most > _WITHOUT_BOUND] = np.inf
    solution = linprog(
        np.concatenate((share, np.full(served.size, _UNSERVED))),
        A_ub=sparse.hstack([budgets, sparse.csr_array((rows.size, served.size))], format="csr"),
        b_ub=np.minimum(slack[rows] / lp.b[rows] / unit, _WITHOUT_BOUND),
        A_eq=sparse.hstack([sums, sparse.eye_array(served.size)], format="csr"),
        b_eq=lack[served],
        bounds=np.column_stack(
            (np.zeros(changed.size + served.size), np.concatenate((most, np.full(served.size, np.inf))))
        ),
        method="highs-ds",
        options={"time_limit": _SECONDS},
    )
    if solution.x is None:
        return False
    np.add.at(point, changed, sign * unit * cap[changed] * solution.x[: changed.size])
    np.clip(point, 0.0, limits.upper[source], out=point)
    return True


def _matrix(rows: npt.NDArray[np.int64], values: Float64, count: int) -> sparse.csr_array:
    """One entry a column, none where the row is -1 or the entry is negligible."""
    kept = np.flatnonzero((rows >= 0) & (np.abs(values) > 1e-9))
    return sparse.csr_array((values[kept], (rows[kept], kept)), shape=(count, rows.size))
