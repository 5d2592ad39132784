"""The small polytope C_i of each source.

I sources; `kind` and `radius` are the two arrays that every consumer reads, whatever the polytope was made from.

    SIMPLEX           {x >= 0, 1'x <= z}
    SIMPLEX_EQUALITY  {x >= 0, 1'x  = z}
    BOX               {0 <= x <= u}
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError

Radius = float | npt.NDArray[np.float64]


class Kind(enum.IntEnum):
    SIMPLEX = 0
    SIMPLEX_EQUALITY = 1
    BOX = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class PerSource:
    """Several kinds in one instance: `kind` uint8[I] of `Kind`, `radius` float64[I] (z or u of each source)."""

    kind: npt.NDArray[np.uint8]
    radius: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Simplex:
    """{x >= 0, 1'x <= z}, or = z with `equality`; z is one number or float64[I].

    z limits the sum over the edges of a source, not a single edge: with z = 2, one edge may take 2. "At most two items,
    each at most once" is another polytope, {0 <= x <= 1, 1'x <= 2}, which is not among these.
    """

    z: Radius = 1.0
    equality: bool = False

    @property
    def kind(self) -> Kind:
        return Kind.SIMPLEX_EQUALITY if self.equality else Kind.SIMPLEX

    @property
    def radius(self) -> Radius:
        return self.z


@dataclass(frozen=True)
class Box:
    """{0 <= x <= upper} on each edge of the source, whose sum has no limit; upper is one number or float64[I]."""

    upper: Radius = 1.0

    @property
    def kind(self) -> Kind:
        return Kind.BOX

    @property
    def radius(self) -> Radius:
        return self.upper


Polytope = Simplex | Box | PerSource


def per_source(polytope: Polytope, sources: int) -> PerSource:
    """The polytope of each of `sources` sources, validated; scalars become zero-stride views and cost no memory."""
    kind = _of_each_source("kind", polytope.kind, sources)
    radius = _of_each_source("radius", polytope.radius, sources)
    unknown = ~np.isin(_distinct(kind), [int(k) for k in Kind])
    if unknown.any():
        found = kind.flat[int(np.argmax(unknown))]
        raise InstanceError(
            f"polytope kind {found} is unknown: use one of {', '.join(f'{k} ({k.name})' for k in Kind)}"
        )
    bad = ~(np.isfinite(_distinct(radius)) & (_distinct(radius) >= 0))
    if bad.any():
        i = int(np.argmax(bad))
        raise InstanceError(f"polytope radius of source {i} is {radius.flat[i]}: it must be finite and >= 0")
    return PerSource(
        kind=np.broadcast_to(kind.astype(np.uint8, copy=False), (sources,)),
        radius=np.broadcast_to(radius.astype(np.float64, copy=False), (sources,)),
    )


def _distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One entry of a view that repeats it, else all."""
    return values[:1] if values.strides == (0,) else values


def _of_each_source(field: str, value: object, sources: int) -> npt.NDArray[Any]:
    if np.ma.is_masked(value):
        raise InstanceError(f"polytope {field} is a masked array: give each source a number")
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InstanceError(f"polytope {field} is {array.dtype}: expected numbers")
    if array.shape not in ((), (sources,)):
        raise InstanceError(
            f"polytope {field} has shape {array.shape}: give one number or one for each of {sources} sources"
        )
    return array
