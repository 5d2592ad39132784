"""The referee's own look for a ray, where somebody claims without one that no x is feasible: an LP on the hard rows.

    minimise  sum_r s_r / size_r    subject to    lower - s <= A x <= upper + s  on hard sides,   x_i in C_i,   s >= 0

Above 0, the multipliers of its rows are a ray, which is then checked like any other (harness/general/bound.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.general.layers import hard_sides, layers
from harness.rounding import Float64
from harness.sources import chunks
from instances import MatchingLP

#: Entries beyond which the referee does not try.
_MOST_ENTRIES = 2_000_000
_SECONDS = 20.0


def searched_ray(lp: MatchingLP) -> Float64 | None:
    """A y[R] that may be a ray; None where HiGHS gave none."""
    from scipy.optimize import linprog  # slow to load, and rarely needed

    matrix = _entries_by_edge(lp)
    if not lp.edges or matrix.nnz > _MOST_ENTRIES:
        return None
    sides = hard_sides(lp)
    above = np.flatnonzero(np.isfinite(sides.upper))
    below = np.flatnonzero(np.isfinite(sides.lower))
    if not above.size + below.size:
        return None

    # Rows divided by their largest entry, first the upper sides, then the lower ones with their signs turned.
    row = np.concatenate((above, below))
    sign = np.concatenate((np.ones(above.size), -np.ones(below.size)))
    largest = np.asarray(abs(matrix).max(axis=0).todense()).ravel()
    scale = sign / np.where(largest > 0, largest, 1.0)[row]
    coupling = sparse.diags_array(scale) @ matrix.T.tocsr()[row]
    side = scale * np.concatenate((sides.upper[above], sides.lower[below]))

    limits = lp.per_source.limits()
    sums = sparse.csr_array(
        (np.ones(lp.edges), (lp.source_of_edge(), np.arange(lp.edges))), shape=(lp.sources, lp.edges)
    )
    limited = np.isfinite(limits.at_most) & ~limits.equality
    upper = lp.upper_of_edges()
    no_slack = sparse.csr_array((int(limited.sum()), row.size))
    solution = linprog(
        np.concatenate((np.zeros(lp.edges), np.ones(row.size))),
        A_ub=sparse.vstack(
            [sparse.hstack([coupling, -sparse.eye_array(row.size)]), sparse.hstack([sums[limited], no_slack])]
        ).tocsr(),
        b_ub=np.concatenate((side, limits.at_most[limited])),
        A_eq=sparse.hstack(
            [sums[limits.equality], sparse.csr_array((int(limits.equality.sum()), row.size))], format="csr"
        ),
        b_eq=limits.at_most[limits.equality],
        bounds=np.column_stack((np.zeros(lp.edges + row.size), np.append(upper, np.full(row.size, np.inf)))),
        method="highs-ds",
        options={"time_limit": _SECONDS},
    )
    if solution.x is None:
        return None
    price = np.maximum(0.0, -solution.ineqlin.marginals[: row.size])
    ray = np.bincount(row, weights=price * scale, minlength=lp.row_count)
    return ray.astype(np.float64, copy=False)


def _entries_by_edge(lp: MatchingLP) -> sparse.csr_array:
    """A', float64[E, R]."""
    edges: list[npt.NDArray[np.int64]] = []
    rows: list[npt.NDArray[np.intp]] = []
    values: list[Float64] = []
    for chunk in chunks(lp):
        numbers = np.arange(chunk.edges.start, chunk.edges.stop)
        for layer in layers(chunk):
            used = layer.coefficient != 0
            edges.append(numbers[layer.edges][used])
            rows.append(layer.row[used])
            values.append(layer.coefficient[used])
    entries = (np.concatenate(edges), np.concatenate(rows))
    return sparse.csr_array((np.concatenate(values), entries), shape=(lp.edges, lp.row_count))
