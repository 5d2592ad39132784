"""A feasible point near one whose rows are all full: the least change that serves every '=' source, by HiGHS.

Assignment and balanced transport leave no slack, so what a source lacks must reach it along a path of changes through
other sources. With y_e the change of x_e in units of cap_e = min(z_i, u_e, b_j / a_e), w_i what source i still lacks,
and all right-hand sides divided by the largest relative lack,

    minimise sum |y_e| + M sum w_i   subject to   sum (cap_e / z_i) y_e + w_i = lack_i / z_i,
                                                  sum (a_e cap_e / b_j) y_e <= slack_j / b_j,   0 <= x + y <= u.

It is solved again for what its tolerance leaves, until only rounding is left.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """Each entry over the most that it can be, z of its source or its u, [E]; 0 where that is 0."""
    of_edges = np.zeros(lp.edges)
    for chunk in chunks(lp):
        most = np.minimum(chunk.limits.at_most[chunk.source], chunk.upper)
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """How a point can change: entry k of each array is one edge that rises, or one that falls."""

    edges: npt.NDArray[np.int64]
    sign: Float64
    """1 where the edge rises, -1 where it falls."""
    cap: Float64
    """The most that the edge can be: a change is counted in shares of this."""
    most: Float64
    """The largest change, in the numbers of the edge."""


def changes_of(
    lp: MatchingLP, point: Float64, rising: npt.NDArray[np.bool_], falling: npt.NDArray[np.bool_]
) -> Changes:
    """The edges `rising` [E] that can rise, and those `falling` [E] that are in use."""
    limits = lp.per_source.limits()
    source = lp.source_of_edge()
    through = np.full(lp.edges, np.inf)
    np.divide(lp.b[lp.destination], lp.a, out=through, where=lp.a > 0)
    upper = lp.upper_of_edges()
    cap = np.minimum(np.minimum(limits.at_most[source], upper), through)
    room = np.maximum(upper - point, 0.0)

    up = np.flatnonzero(rising & (cap > 0) & (room > 0))
    down = np.flatnonzero(falling & (cap > 0) & (point > 0))
    changed = np.concatenate((up, down))
    return Changes(
        edges=changed,
        sign=np.concatenate((np.ones(up.size), -np.ones(down.size))),
        cap=cap[changed],
        most=np.concatenate((room[up], point[down])),
    )


def numbered(kept: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The entries kept, and the number of each entry among them, -1 of the others."""
    entries = np.flatnonzero(kept)
    number = np.full(kept.size, -1)
    number[entries] = np.arange(entries.size)
    return entries, number


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
    changes = changes_of(lp, point, columns & limits.equality[source], columns)
    edges = changes.edges
    rows, row_of = numbered((lp.b > 0) & np.isfinite(lp.b))
    served, served_of = numbered(limits.equality & (limits.at_most > 0))

    row = lp.destination[edges]
    budgets = matrix(row_of[row], changes.sign * lp.a[edges].astype(np.float64) * changes.cap / lp.b[row], rows.size)
    # Where the sum has no limit there is no such row; u stands for z to give the entry a number.
    share = changes.cap / np.where(np.isfinite(limits.at_most), limits.at_most, limits.upper)[source[edges]]
    sums = matrix(served_of[source[edges]], changes.sign * share, served.size)
    with np.errstate(all="ignore"):
        most = changes.most / (unit * changes.cap)
    most[most > _WITHOUT_BOUND] = np.inf

    solution = linprog(
        np.concatenate((share, np.full(served.size, _UNSERVED))),
        A_ub=sparse.hstack([budgets, sparse.csr_array((rows.size, served.size))], format="csr"),
        b_ub=np.minimum(slack[rows] / lp.b[rows] / unit, _WITHOUT_BOUND),
        A_eq=sparse.hstack([sums, sparse.eye_array(served.size)], format="csr"),
        b_eq=lack[served],
        bounds=np.column_stack((np.zeros(edges.size + served.size), np.append(most, np.full(served.size, np.inf)))),
        method="highs-ds",
        options={"time_limit": _SECONDS},
    )
    if solution.x is None:
        return False
    np.add.at(point, edges, changes.sign * unit * changes.cap * solution.x[: edges.size])
    np.clip(point, 0.0, lp.upper_of_edges(), out=point)
    return True


def matrix(rows: npt.NDArray[np.int64], values: Float64, count: int) -> sparse.csr_array:
    """One entry a column, none where the row is -1 or the entry is negligible."""
    kept = np.flatnonzero((rows >= 0) & (np.abs(values) > 1e-9))
    return sparse.csr_array((values[kept], (rows[kept], kept)), shape=(count, rows.size))
