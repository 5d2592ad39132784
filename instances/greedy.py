"""Loads of simple assignments on the rows, in exact integer arithmetic; generators derive the limits from them.

Loads are counted in units of 2^-32 for one unit of radius, so their sum does not depend on the order of the blocks. The
radius is the first parameter of the polytope: z where the sum of a source is limited, u of a box.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from instances.checks import Floats
from instances.errors import InputError
from instances.polytopes import Float64, Kind, Polytope, polytope_kinds

UNITS = 2.0**32
_LIMIT = 2**62

Indices = npt.NDArray[np.int64]


class Load(NamedTuple):
    """What sources put on rows, int64[N] each; a row and a source may stand several times."""

    row: Indices
    units: Indices
    """2^-32 for one unit of radius."""
    source: Indices
    """Within the block."""

    def of(self, sources: npt.NDArray[np.bool_]) -> Load:
        """What these sources put, bool[n]."""
        chosen = sources[self.source]
        return Load(*(array[chosen] for array in self))


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
) -> list[Load]:
    """`loads_of(polytope)` loads: the greedy one, in which a source fills its best edges, one after another, each to
    its limit, until its sum is at its limit; for '=' also the radius of a source spread evenly over its edges, rounded
    up.
    """
    loads = [load_on((0, destination, a), x=greedy_shares(polytope, source, key), source=source)]
    if loads_of(polytope) == 2:
        even = a.astype(np.float64) * UNITS / np.bincount(source)[source]
        loads.append(Load(destination, np.ceil(even).astype(np.int64), source))
    return loads


def load_on(*families: tuple[int, Indices | None, Floats | float], x: Float64, source: Indices) -> Load:
    """Loads of x, in units of the radius, on families of rows, each term rounded to whole units.

    families: (number of the first row, row of each edge or None where all are in that one, coefficient). source: of
    each edge; of each entry where the families count entries.
    """
    used = np.flatnonzero(x)
    share = x[used] * UNITS
    rows, units = [], []
    for first, row, coefficient in families:
        weight = coefficient[used] if isinstance(coefficient, np.ndarray) else coefficient
        units.append(np.rint(share * weight).astype(np.int64))
        rows.append(np.full(used.size, first) if row is None else first + row[used])
    return Load(np.concatenate(rows), np.concatenate(units), np.tile(source[used], len(families)))


def radius_loads(polytope: Polytope, load: Indices) -> Float64:
    """The summed `load` in the units of x."""
    return load.astype(np.float64) * (float(polytope.params[0]) / UNITS)


def loads_of(polytope: Polytope) -> int:
    """Rows of a load: 2 for '=' sources, which need a known feasible point, else 1."""
    return 2 if polytope_kinds()[Kind(int(polytope.kind))].equality else 1


def greedy_shares(polytope: Polytope, source: Indices, key: npt.NDArray[np.float32]) -> Float64:
    """x of sources that fill their best edges first, in units of the radius."""
    one = polytope_kinds()[Kind(int(polytope.kind))]
    if one.sum_row is None:
        return np.ones(source.size)
    x = np.zeros(source.size)
    if one.edge_row is None:
        x[best_edges(source, key)] = 1.0
        return x

    upper = _edge_share(polytope)
    order = np.lexsort((-key, source))  # by source, the best edge first; of equal ones the first
    starts = np.concatenate(([0], np.cumsum(np.bincount(source))))
    rank = np.arange(source.size) - starts[source]
    x[order] = np.clip(1.0 - rank * upper, 0.0, upper)
    return x


def even_shares(polytope: Polytope, source: Indices) -> Float64:
    """x of sources that spread the radius evenly over their edges, as far as each may take it, in units of the radius.

    For '=' sources with `least_edges` edges this is a point of their polytope.
    """
    one = polytope_kinds()[Kind(int(polytope.kind))]
    if one.sum_row is None:
        return np.ones(source.size)
    x = 1.0 / np.bincount(source)[source]
    return x if one.edge_row is None else np.minimum(x, _edge_share(polytope))


def _edge_share(polytope: Polytope) -> float:
    """The upper limit of one edge of a box-cut, as a share of the radius."""
    at_most, upper = polytope.params
    return float(upper) / float(at_most)


def add_load(total: npt.NDArray[np.int64], loads: list[Load]) -> None:
    """total[k, row] += units. Raises an error well before int64 could overflow."""
    for of_rows, load in zip(total, loads, strict=True):
        np.add.at(of_rows, load.row, load.units)
    if int(np.abs(total).max(initial=0)) >= _LIMIT:
        raise InputError(f"a row receives more than {_LIMIT / UNITS:g}: use fewer sources or a smaller degree")
