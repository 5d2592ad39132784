"""The polytopes of all sources as arrays: a kind and its parameters for each, whatever they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.checks import check_range, checked_floats
from instances.errors import InstanceError
from instances.polytopes import PARAMETER_NAMES, Float64, Kind, Polytope, PolytopeKind, polytope_kinds
from instances.words import named


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """What n sources may do, in the words that all kinds share: 0 <= x_e <= u, 1'x <= z or = z."""

    at_most: Float64
    """z, float64[n]; inf where the sum has no limit."""
    upper: Float64
    """u, float64[n]; inf where an edge has no limit, the largest where the edges of a source have different ones."""
    equality: npt.NDArray[np.bool_]
    """bool[n]: the sum is z."""


@dataclass(frozen=True, kw_only=True, eq=False, init=False)
class PerSource:
    """Several kinds in one instance: PerSource(kind=..., radius=...), or params= where a kind has two parameters.

    edge_upper: float64[E], where u differs from edge to edge. It takes the place of u in the parameters, which becomes
    the largest of each source's edges. inf is no limit of its own: it is what edges of sources without u have, and of
    an edge in a box-cut it becomes z. An edge in a box needs a number.
    """

    kind: npt.NDArray[np.uint8]
    """uint8[I] of `Kind`."""
    params: Float64
    """float64[P, I], a row for each of the first P of PARAMETER_NAMES; 0 where the kind of a source has fewer.

    P is the most that a kind needs which is present. Where all sources share all parameters the stride along I is 0.
    """
    edge_upper: Float64 | None
    """u of each edge, float64[E]; None where u is that of the source."""

    def __init__(
        self,
        *,
        kind: npt.NDArray[np.uint8],
        radius: Float64 | None = None,
        params: Float64 | Sequence[Float64] | None = None,
        edge_upper: Float64 | None = None,
    ) -> None:
        if (radius is None) == (params is None):
            raise InstanceError(
                "PerSource takes radius= (one parameter a source) or params= (a row for each parameter), and not both"
            )
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "params", (radius,) if params is None else params)
        object.__setattr__(self, "edge_upper", edge_upper)

    @property
    def radius(self) -> Float64:
        """Row 0 of the parameters: z, or u of a box."""
        first: Float64 = self.params[0]
        return first

    @property
    def fields(self) -> Sequence[str]:
        return PARAMETER_NAMES[: len(self.params)]

    def part(self, first: int, last: int, offsets: npt.NDArray[np.int64]) -> PerSource:
        """Sources first : last; offsets: int64[I + 1]."""
        own = None if self.edge_upper is None else self.upper_of_edges(offsets, first, last)
        return PerSource(kind=self.kind[first:last], params=self.params[:, first:last], edge_upper=own)

    def upper_of_edges(self, offsets: npt.NDArray[np.int64], first: int = 0, last: int | None = None) -> Float64:
        """u of each edge of sources first : last, float64[e]; inf where it has none. offsets: int64[I + 1]."""
        starts = offsets[first : None if last is None else last + 1]
        if self.edge_upper is not None:
            return self.edge_upper[starts[0] : starts[-1]]
        upper: Float64 = np.repeat(self.limits(first, last).upper, np.diff(starts))
        return upper

    def limits(self, first: int = 0, last: int | None = None) -> Limits:
        """What sources first : last may do."""
        kind = self.kind[first:last]
        params = self.params[:, first:last]
        if kind.size and kind.strides == (0,):
            one = polytope_kinds()[Kind(int(kind[0]))]
            equality = np.broadcast_to(np.bool_(one.equality), kind.shape)
            return Limits(at_most=one.at_most(params), upper=one.upper(params), equality=equality)

        at_most = np.full(kind.size, np.inf)
        upper = np.full(kind.size, np.inf)
        equality = np.zeros(kind.size, dtype=np.bool_)
        for number, one in _kinds_within(len(params)):
            mine = kind == number
            at_most[mine] = one.at_most(params)[mine]
            upper[mine] = one.upper(params)[mine]
            equality[mine] = one.equality
        return Limits(at_most=at_most, upper=upper, equality=equality)


def params_of(kind: npt.NDArray[np.uint8], limits: Limits, parameters: int) -> Float64:
    """params float64[P, n] of n sources with these limits: the inverse of `PerSource.limits`."""
    params = np.zeros((parameters, kind.size))
    for number, one in _kinds_within(parameters):
        mine = kind == number
        if one.sum_row is not None:
            params[one.sum_row, mine] = limits.at_most[mine]
        if one.edge_row is not None:
            params[one.edge_row, mine] = limits.upper[mine]
    return params


def polytope_of(kind: npt.NDArray[np.uint8], limits: Limits, edge_upper: Float64 | None = None) -> Polytope:
    """The polytope of sources with these kinds and limits, at least one: one for all where they are alike.

    edge_upper: float64[E], in place of the u of `limits`.
    """
    parameters = max(polytope_kinds()[Kind(number)].parameters for number in np.unique(kind).tolist())
    params = params_of(kind, limits, parameters)
    if edge_upper is not None:
        return PerSource(kind=kind, params=params, edge_upper=edge_upper)
    if (kind == kind[0]).all() and (params == params[:, :1]).all():
        return polytope_kinds()[Kind(int(kind[0]))].make(*params[:, 0].tolist())
    return PerSource(kind=kind, params=params)


def _kinds_within(parameters: int) -> list[tuple[Kind, PolytopeKind]]:
    """The kinds that sources with so many parameters can have."""
    return [(number, one) for number, one in polytope_kinds().items() if one.parameters <= parameters]


def per_source(polytope: Polytope, offsets: npt.NDArray[np.int64]) -> PerSource:
    """The polytope of each source, validated; scalars become zero-stride views and cost no memory.

    offsets: int64[I + 1], where the edges of each source start. Where I == E, an array is one number a source.
    """
    sources = offsets.size - 1
    if not isinstance(polytope, Polytope):
        raise InstanceError(
            f"polytope is {named(polytope)}: give one of instances.polytopes, such as Simplex(z=1.0), or PerSource"
        )
    kind = _of_each_source("kind", polytope.kind, sources, f"one for each of {sources} sources")
    if len(polytope.params) > len(PARAMETER_NAMES):
        raise InstanceError(
            f"polytope params has {len(polytope.params)} rows: expected at most {len(PARAMETER_NAMES)} "
            f"({', '.join(PARAMETER_NAMES)})"
        )
    given, edge_upper = _parted(polytope, kind, offsets)
    shapes = [f"one for each of {sources} sources" for _ in given]
    if (row_of_edges := _row_of_edges(kind)) is not None:
        shapes[row_of_edges] += f" or one for each of {offsets[-1]} edges"
    named_rows = zip(polytope.fields, given, shapes, strict=True)
    rows = [_of_each_source(name, row, sources, shape) for name, row, shape in named_rows]
    _check_kinds(kind, len(rows))
    for name, row in zip(polytope.fields, rows, strict=True):
        _check_parameter(name, row)
    of_sources = PerSource(
        kind=np.broadcast_to(kind.astype(np.uint8, copy=False), (sources,)),
        params=_stacked(given, rows, sources),
    )
    return of_sources if edge_upper is None else _with_upper_of_edges(of_sources, edge_upper, offsets)


def _parted(polytope: Polytope, kind: npt.NDArray[Any], offsets: npt.NDArray[np.int64]) -> tuple[Any, Any]:
    """The parameters of sources, and u of each edge where that is given: as `edge_upper`, or as u itself."""
    edge_upper = getattr(polytope, "edge_upper", None)
    sources, edges = offsets.size - 1, int(offsets[-1])
    row = _row_of_edges(kind)
    if edge_upper is not None or row is None or edges == sources or np.shape(polytope.params[row]) != (edges,):
        return polytope.params, edge_upper
    return [0.0 if number == row else value for number, value in enumerate(polytope.params)], polytope.params[row]


def _row_of_edges(kind: npt.NDArray[Any]) -> int | None:
    """The parameter that may be one number an edge: u of a kind that is the same for all sources."""
    known = polytope_kinds().get(kind.item()) if kind.ndim == 0 else None
    return None if known is None else known.edge_row


def _with_upper_of_edges(of_sources: PerSource, given: Any, offsets: npt.NDArray[np.int64]) -> PerSource:
    """The same with u of each edge, and in the parameters the largest u of each source's edges."""
    upper: Float64 = checked_floats("polytope upper of an edge", given, keep=(np.float64,))
    if upper.shape != (int(offsets[-1]),):
        raise InstanceError(f"polytope edge_upper has {upper.size} entries: give one for each of {offsets[-1]} edges")
    check_range("polytope upper", upper, 0.0, np.inf, "x_e <= upper", finite=False)

    degrees = np.diff(offsets)
    limits = of_sources.limits()
    has_upper = np.isfinite(limits.upper)
    foreign = np.flatnonzero(np.isfinite(upper) & ~np.repeat(has_upper, degrees))
    if foreign.size:
        e = int(foreign[0])
        kind = Kind(int(of_sources.kind[np.searchsorted(offsets, e, side="right") - 1])).name
        raise InstanceError(f"polytope upper[{e}] is {upper[e]}: edges of {kind} sources have no upper, give inf there")
    open_edges = np.flatnonzero(np.isinf(upper) & np.repeat(has_upper, degrees))
    if open_edges.size:
        z = limits.at_most[np.searchsorted(offsets, open_edges, side="right") - 1]
        if np.isinf(z).any():
            e = int(open_edges[np.argmax(np.isinf(z))])
            raise InstanceError(f"polytope upper[{e}] is inf: its source limits no sum, give the edge a finite number")
        upper = upper.copy()
        upper[open_edges] = z

    largest = np.zeros(degrees.size)
    filled = np.flatnonzero(degrees)
    if filled.size:
        largest[filled] = np.maximum.reduceat(upper, offsets[filled])
    own = Limits(at_most=limits.at_most, upper=largest, equality=limits.equality)
    params = params_of(of_sources.kind, own, len(of_sources.params))
    return PerSource(kind=of_sources.kind, params=params, edge_upper=upper)


def _check_kinds(kind: npt.NDArray[Any], parameters: int) -> None:
    distinct = _distinct(kind)
    unknown = ~np.isin(distinct, [int(k) for k in Kind])
    if unknown.any():
        first = distinct.flat[int(np.argmax(unknown))]
        known = ", ".join(f"{k} ({k.name})" for k in Kind)
        raise InstanceError(f"polytope kind {first} is unknown: use one of {known}")
    for number, one in polytope_kinds().items():
        if one.parameters > parameters and (distinct == number).any():
            raise InstanceError(
                f"polytope kind {number.name} needs {one.parameters} parameters "
                f"({', '.join(PARAMETER_NAMES[: one.parameters])}), {parameters} given: give params= with one row each"
            )


def _check_parameter(name: str, row: npt.NDArray[Any]) -> None:
    distinct = _distinct(row)
    bad = ~(np.isfinite(distinct) & (distinct >= 0))
    if bad.any():
        i = int(np.argmax(bad))
        raise InstanceError(f"polytope {name} of source {i} is {row.flat[i]}: it must be finite and >= 0")


def _stacked(given: Any, rows: list[npt.NDArray[Any]], sources: int) -> Float64:
    """float64[P, I] of the rows, without a copy where they already are one array, one row, or numbers."""
    if isinstance(given, np.ndarray) and given.dtype == np.float64 and given.shape == (len(rows), sources):
        return given
    columns = [row.astype(np.float64, copy=False) for row in rows]
    if all(column.ndim == 0 for column in columns):
        return np.broadcast_to(np.array(columns)[:, np.newaxis], (len(rows), sources))
    if len(columns) == 1:
        return columns[0][np.newaxis]
    return np.stack([np.broadcast_to(column, (sources,)) for column in columns])


def _distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One entry of a view that repeats it, else all."""
    return values[:1] if values.strides == (0,) else values


def _of_each_source(field: str, value: object, sources: int, shapes: str) -> npt.NDArray[Any]:
    if np.ma.is_masked(value):
        raise InstanceError(f"polytope {field} is a masked array: give each source a number")
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InstanceError(f"polytope {field} is {array.dtype}: expected numbers")
    if array.shape not in ((), (sources,)):
        raise InstanceError(f"polytope {field} has shape {array.shape}: give one number or {shapes}")
    return array
