"""The polytopes of all sources as arrays: a kind and its parameters for each, whatever they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError
from instances.polytopes import PARAMETER_NAMES, Float64, Kind, Polytope, PolytopeKind, polytope_kinds
from instances.words import named


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """What n sources may do, in the words that all kinds share: 0 <= x_e <= u, 1'x <= z or = z."""

    at_most: Float64
    """z, float64[n]; inf where the sum has no limit."""
    upper: Float64
    """u, float64[n]; inf where an edge has no limit."""
    equality: npt.NDArray[np.bool_]
    """bool[n]: the sum is z."""


@dataclass(frozen=True, kw_only=True, eq=False, init=False)
class PerSource:
    """Several kinds in one instance: PerSource(kind=..., radius=...), or params= where a kind has two parameters."""

    kind: npt.NDArray[np.uint8]
    """uint8[I] of `Kind`."""
    params: Float64
    """float64[P, I], a row for each of the first P of PARAMETER_NAMES; 0 where the kind of a source has fewer.

    P is the most that a kind needs which is present. Where all sources share all parameters the stride along I is 0.
    """

    def __init__(
        self,
        *,
        kind: npt.NDArray[np.uint8],
        radius: Float64 | None = None,
        params: Float64 | Sequence[Float64] | None = None,
    ) -> None:
        if (radius is None) == (params is None):
            raise InstanceError(
                "PerSource takes radius= (one parameter a source) or params= (a row for each parameter), and not both"
            )
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "params", (radius,) if params is None else params)

    @property
    def radius(self) -> Float64:
        """Row 0 of the parameters: z, or u of a box."""
        first: Float64 = self.params[0]
        return first

    @property
    def fields(self) -> Sequence[str]:
        return PARAMETER_NAMES[: len(self.params)]

    def part(self, first: int, last: int) -> PerSource:
        """Sources first : last."""
        return PerSource(kind=self.kind[first:last], params=self.params[:, first:last])

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


def polytope_of(kind: npt.NDArray[np.uint8], limits: Limits) -> Polytope:
    """The polytope of sources with these kinds and limits, at least one: one for all where they are alike."""
    parameters = max(polytope_kinds()[Kind(number)].parameters for number in np.unique(kind).tolist())
    params = params_of(kind, limits, parameters)
    if (kind == kind[0]).all() and (params == params[:, :1]).all():
        return polytope_kinds()[Kind(int(kind[0]))].make(*params[:, 0].tolist())
    return PerSource(kind=kind, params=params)


def _kinds_within(parameters: int) -> list[tuple[Kind, PolytopeKind]]:
    """The kinds that sources with so many parameters can have."""
    return [(number, one) for number, one in polytope_kinds().items() if one.parameters <= parameters]


def per_source(polytope: Polytope, sources: int) -> PerSource:
    """The polytope of each of `sources` sources, validated; scalars become zero-stride views and cost no memory."""
    if not isinstance(polytope, Polytope):
        raise InstanceError(
            f"polytope is {named(polytope)}: give one of instances.polytopes, such as Simplex(z=1.0), or PerSource"
        )
    kind = _of_each_source("kind", polytope.kind, sources)
    if len(polytope.params) > len(PARAMETER_NAMES):
        raise InstanceError(
            f"polytope params has {len(polytope.params)} rows: expected at most {len(PARAMETER_NAMES)} "
            f"({', '.join(PARAMETER_NAMES)})"
        )
    rows = [_of_each_source(name, row, sources) for name, row in zip(polytope.fields, polytope.params, strict=True)]
    _check_kinds(kind, len(rows))
    for name, row in zip(polytope.fields, rows, strict=True):
        _check_parameter(name, row)
    return PerSource(
        kind=np.broadcast_to(kind.astype(np.uint8, copy=False), (sources,)),
        params=_stacked(polytope.params, rows, sources),
    )


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
