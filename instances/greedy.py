"""What the rows receive from simple assignments: the loads that budgets are made from, in exact integer arithmetic.

Loads are counted in units of 2^-32 for one unit of radius, so their sum does not depend on the order of the blocks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances.errors import InputError
from instances.polytopes import Float64, Kind, Polytope, polytope_kinds

UNITS = 2.0**32
_LIMIT = 2**62

Indices = npt.NDArray[np.int64]


def best_edges(source: Indices, key: npt.NDArray[np.float32] | npt.NDArray[np.float64]) -> Indices:
    """First edge with the largest key of each source that has edges; `source` never falls."""
    if not source.size:
        return np.empty(0, dtype=np.int64)
    new = np.flatnonzero(source[1:] != source[:-1]) + 1
    starts = np.concatenate(([0], new))
    counts = np.diff(np.append(starts, source.size))
    largest = np.flatnonzero(key == np.repeat(np.maximum.reduceat(key, starts), counts))
    owner = source[largest]
    first = np.ones(largest.size, dtype=np.bool_)
    np.not_equal(owner[1:], owner[:-1], out=first[1:])
    return largest[first]


def block_load(
    polytope: Polytope,
    source: Indices,
    destination: Indices,
    a: npt.NDArray[np.float32],
    key: npt.NDArray[np.float32],
) -> list[tuple[Indices, Indices]]:
    """`loads_of(polytope)` pairs of rows and what they receive, int64 in units of 2^-32 for one unit of radius.

    First the greedy load: a source fills its best edges, one after another, each to its limit, until its sum is at its
    limit. Second, for '=' only, the radius of a source spread evenly over its edges, rounded up.
    """
    units = a.astype(np.float64) * UNITS
    taken, share = _greedy(polytope, source, key)
    loads = [(destination[taken], np.rint(units[taken] * share).astype(np.int64))]
    if loads_of(polytope) == 2:
        loads.append((destination, np.ceil(units / np.bincount(source)[source]).astype(np.int64)))
    return loads


def loads_of(polytope: Polytope) -> int:
    """Rows of a load: 2 for '=' sources, which need a known feasible point, else 1."""
    return 2 if polytope_kinds()[Kind(int(polytope.kind))].equality else 1


def _greedy(
    polytope: Polytope, source: Indices, key: npt.NDArray[np.float32]
) -> tuple[Indices | slice, float | Float64]:
    """The edges that a greedy source uses, and x on them in units of the radius."""
    one = polytope_kinds()[Kind(int(polytope.kind))]
    if one.sum_row is None:
        return slice(None), 1.0
    if one.edge_row is None:
        return best_edges(source, key), 1.0

    upper = float(polytope.params[one.edge_row]) / float(polytope.params[one.sum_row])
    order = np.lexsort((-key, source))  # by source, the best edge first; of equal ones the first
    starts = np.concatenate(([0], np.cumsum(np.bincount(source))))
    rank = np.arange(source.size) - starts[source]
    share = np.clip(1.0 - rank * upper, 0.0, upper)
    used = share > 0
    return order[used], share[used]


def add_load(total: npt.NDArray[np.int64], loads: list[tuple[Indices, Indices]]) -> None:
    """total[k, row] += units, refused long before it could overflow."""
    for row, (rows, units) in zip(total, loads, strict=True):
        np.add.at(row, rows, units)
    if int(total.max(initial=0)) >= _LIMIT:
        raise InputError(f"a budget row receives more than {_LIMIT / UNITS:g}: use fewer sources or a smaller degree")
