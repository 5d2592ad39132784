"""What two instances of one series share, so that a point of one day can be carried to the next.

Sources that drift keep their numbers (instances/drift.py); those of real data are found again by their keys.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from instances.drift import leaving_sources, sources_of
from instances.errors import SpecError
from instances.generate import block_count
from instances.matching import MatchingLP
from instances.sampling import day_generator
from instances.spec import MatchingSpec, Spec

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeKeys:
    """What the edges of an instance are called, [E] each."""

    source: npt.NDArray[Any]
    destination: npt.NDArray[Any]
    present: npt.NDArray[np.bool_]
    """False where an edge stands in the instance without a value: it has gone, or is still to come."""


@runtime_checkable
class KeyedSpec(Spec, Protocol):
    """A spec of real data whose sources and destinations are known by keys in every instance of the series."""

    def edge_keys(self) -> EdgeKeys: ...
    def next(self) -> Self | None:
        """The next instance of the series; None at its end."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Stayed:
    """The edges that both instances have: `before[k]` of the one is `after[k]` of the other, int64[M] rising."""

    before: Indices
    after: Indices


def following(spec: Spec, days: int, drift: float | None = None) -> list[Spec]:
    """`spec` and its instances on the next `days` days, real data as far as they go; SpecError where there are none.

    drift: of a generated instance, in place of its own.
    """
    if isinstance(spec, MatchingSpec):
        drift = spec.drift if drift is None else drift
        return [dataclasses.replace(spec, day=spec.day + day, drift=drift) for day in range(days + 1)]
    found = [spec]
    while isinstance(found[-1], KeyedSpec) and len(found) <= days and (after := found[-1].next()) is not None:
        found.append(after)
    if days and len(found) == 1:
        raise SpecError(f"{spec.text} has no next day: use a generated family or journey:lp=recurring,quarter=1")
    return found


def stayed(before: tuple[Spec, MatchingLP], after: tuple[Spec, MatchingLP]) -> Stayed:
    """The edges that both instances of a series have. Raises SpecError where the specs are not of one series."""
    (one, lp), (other, later) = before, after
    if isinstance(one, MatchingSpec) and isinstance(other, MatchingSpec):
        sources = stayed_sources(one, other)
        return Stayed(before=_edges_of(lp, sources), after=_edges_of(later, sources))
    if isinstance(one, KeyedSpec) and isinstance(other, KeyedSpec) and one.family == other.family:
        return by_keys(one.edge_keys(), other.edge_keys())
    raise SpecError(
        f"{one.text} and {other.text} are no days of one series: give two specs that differ in day= alone, "
        "or two quarters of journey:lp=recurring"
    )


def stayed_sources(one: MatchingSpec, other: MatchingSpec) -> Indices:
    """Numbers of the sources that nobody replaced between the days of two specs, int64[K] rising."""
    earlier, later = sorted((one, other), key=lambda spec: spec.day)
    if earlier != dataclasses.replace(later, day=earlier.day):
        raise SpecError(f"{one.text} and {other.text} are no days of one series: they may differ in day= alone")
    replaced = np.zeros(one.sources, dtype=np.bool_)
    start = 0
    for block in range(block_count(one)):
        sources = sources_of(one, block)
        for day in range(earlier.day + 1, later.day + 1):
            replaced[start : start + sources] |= leaving_sources(day_generator(one, day, block), sources)
        start += sources
    return np.flatnonzero(~replaced)


def _edges_of(lp: MatchingLP, sources: Indices) -> Indices:
    chosen = np.zeros(lp.sources, dtype=np.bool_)
    chosen[sources] = True
    return np.flatnonzero(np.repeat(chosen, lp.degrees()))


def by_keys(one: EdgeKeys, other: EdgeKeys) -> Stayed:
    """By the pair of both keys; of a pair that an instance has more than once, the first edge that is present."""
    sources = _numbered(one.source, other.source)
    destinations = _numbered(one.destination, other.destination)
    width = 1 + max(int(array.max(initial=0)) for array in destinations)
    pairs = [source * width + destination for source, destination in zip(sources, destinations, strict=True)]
    before, after = np.flatnonzero(one.present), np.flatnonzero(other.present)
    _, at_before, at_after = np.intersect1d(pairs[0][before], pairs[1][after], return_indices=True)
    order = np.argsort(before[at_before])
    return Stayed(before=before[at_before][order], after=after[at_after][order])


def _numbered(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> tuple[Indices, Indices]:
    """Both arrays of keys as numbers of the keys of both."""
    _, number = np.unique(np.concatenate((one, other)), return_inverse=True)
    return number[: one.size], number[one.size :]
