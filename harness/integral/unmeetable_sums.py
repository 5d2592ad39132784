"""What no whole x can meet, seen at sums of units: rows that hold too few of them, and floors too high for them.

I sources, E edges, R rows of a family. Each bound looks at one row, or at one family, and leaves all others aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.integral.whole_units import ROUNDING, floor, named_row
from harness.rounding import Float64
from instances import MatchingLP, RaggedRows, Rows
from instances.words import shown

#: Sums of activities are compared with a floor up to this share: a sum of E terms in float64 is nearer.
_SUMS = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class _Units:
    """How many whole units there are, rows left aside."""

    source: npt.NDArray[np.int64]
    """int64[E]: the source of each edge."""

    edge: Float64
    """float64[E]: the most on each edge."""

    total: Float64
    """float64[I]: the most of each source."""

    wanted: Float64
    """float64[I]: what a '=' source takes; 0 of others."""

    @classmethod
    def of(cls, lp: MatchingLP) -> _Units:
        limits = lp.per_source.limits()
        source = lp.source_of_edge()
        upper = limits.upper[source] if lp.edge_upper is None else lp.edge_upper
        edge = floor(np.minimum(upper, limits.at_most[source]))
        return cls(
            source=source,
            edge=edge,
            total=np.minimum(floor(limits.at_most), np.bincount(source, edge, lp.sources)),
            wanted=np.where(limits.equality, limits.at_most, 0.0),
        )


def of_sums(lp: MatchingLP, name: Callable[[int], str]) -> Iterator[str]:
    """What is wrong, in words, family after family; name: of a source."""
    units = _Units.of(lp)
    if units.wanted.any():
        yield from _of_edges(lp, units, name)
    for family in lp.rows:
        if isinstance(family, Rows):  # entries of an edge in one row add up in a ragged family
            yield from _of_ceilings(family, units)
            yield from _of_floors(family, units)


def _of_edges(lp: MatchingLP, units: _Units, name: Callable[[int], str]) -> Iterator[str]:
    """'=' sources that need more whole units than the rows of their edges hold."""
    most = units.edge.copy()
    for family in lp.rows:
        edge, row, coefficient = family.entries(lp.edges)
        held = _packing(family, row, coefficient)[row] & (coefficient > 0)
        np.minimum.at(most, edge[held], _held(family.upper[row[held]], coefficient[held]))
    total = np.bincount(units.source, most, lp.sources)
    short = units.wanted - total > ROUNDING * (1 + units.wanted)
    if short.any():
        at = int(np.argmax(short))
        yield f"{name(at)} takes exactly {units.wanted[at]:g}, and the rows of its edges hold {total[at]:g} whole units"


def _of_ceilings(family: Rows, units: _Units) -> Iterator[str]:
    """A family that holds fewer whole units than '=' sources take together."""
    edges = np.flatnonzero((units.wanted > 0)[units.source])
    if not edges.size:
        return
    _, row, coefficient = family.entries(units.source.size)
    packing = _packing(family, row, coefficient)
    row, coefficient = row[edges], coefficient[edges]
    if not (packing[row] & (coefficient > 0)).all():
        return
    least = np.full(family.rows, np.inf)
    np.minimum.at(least, row, coefficient)
    used = np.isfinite(least)
    held = float(_held(family.upper[used], least[used]).sum())
    wanted = float(units.wanted.sum())
    if wanted - held > _SUMS * (1 + wanted):
        rows = shown(family.name)
        yield f"sources take exactly {wanted:g} together, and the rows of {rows} hold {held:g} whole units"


def _of_floors(family: Rows, units: _Units) -> Iterator[str]:
    """A floor that whole units do not reach, or floors that need more of them together than there are."""
    floors = np.isinf(family.penalty_below) & (family.lower > ROUNDING * (1 + np.abs(family.lower)))
    if not floors.any():
        return
    _, row, coefficient = family.entries(units.source.size)
    coefficient = np.maximum(coefficient, 0.0)
    reached = _most_activity(family, coefficient, units)
    short = floors & (family.lower - reached > _SUMS * (1 + family.lower))
    if short.any():
        at = int(np.argmax(short))
        yield f"{named_row(family, at)} must be at least {family.lower[at]:g}, and whole x reach {reached[at]:g}"
        return

    largest = np.zeros(family.rows)
    np.maximum.at(largest, row, coefficient)
    needed = float(np.ceil((family.lower[floors] / largest[floors]) * (1 - _SUMS)).sum())
    most = float(units.total.sum())
    if needed > most:
        yield f"the floors of {shown(family.name)} need {needed:g} whole units together, and all sources have {most:g}"


def _most_activity(family: Rows, coefficient: Float64, units: _Units) -> Float64:
    """The most that whole units reach in each row, float64[R]; coefficient[E] >= 0."""
    if family.row is not None:
        return np.bincount(family.row, coefficient * units.edge, family.rows).astype(np.float64, copy=False)
    largest = np.zeros(units.total.size)
    np.maximum.at(largest, units.source, coefficient)
    all_edges = np.bincount(units.source, coefficient * units.edge, units.total.size)
    return np.array([np.minimum(all_edges, largest * units.total).sum()])


def _packing(family: Rows | RaggedRows, row: npt.NDArray[np.int64], coefficient: Float64) -> npt.NDArray[np.bool_]:
    """The rows with a hard ceiling and no coefficient below 0, bool[R]: each unit takes of what they hold."""
    signed = np.bincount(row, coefficient < 0, family.rows) > 0
    return np.isfinite(family.upper) & np.isinf(family.penalty_above) & ~signed


def _held(upper: Float64, coefficient: Float64) -> Float64:
    """How many whole units of this coefficient a ceiling holds."""
    held: Float64 = np.maximum(np.floor((upper + ROUNDING * (1 + np.abs(upper))) / coefficient), 0.0)
    return held
