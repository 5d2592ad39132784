"""The two sides of each row of a family, with the price of leaving them, and the keys of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError

Float64 = npt.NDArray[np.float64]
#: One number for all rows, or one a row.
Side = float | npt.ArrayLike
SIDE_NAMES = ("lower", "upper", "penalty_below", "penalty_above")
#: What each side is in every row where it is not given, in the order of SIDE_NAMES: no limit, and limits that are hard.
NO_SIDE = dict(zip(SIDE_NAMES, (-np.inf, np.inf, np.inf, np.inf), strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """float64[R] each; a view without memory of its own where all rows share the number.

    The penalty of a side without a limit is inf: such a side is never left.
    """

    lower: Float64
    """-inf where the row has no floor."""
    upper: Float64
    """inf where the row has no ceiling."""
    penalty_below: Float64
    """Cost of each unit below `lower`; inf where the floor is hard."""
    penalty_above: Float64
    """Cost of each unit above `upper`; inf where the ceiling is hard."""

    @classmethod
    def at_most(cls, upper: Float64) -> Sides:
        """Hard ceilings alone."""
        absent = np.broadcast_to(np.inf, upper.shape)
        return cls(lower=np.broadcast_to(-np.inf, upper.shape), upper=upper, penalty_below=absent, penalty_above=absent)

    @property
    def rows(self) -> int:
        return int(self.upper.size)

    @property
    def nbytes(self) -> int:
        return sum(side.nbytes for side in self.given().values())

    def given(self) -> dict[str, Float64]:
        """The sides that say something, by name: what has to be stored."""
        sides = {name: getattr(self, name) for name in SIDE_NAMES}
        return {name: side for name, side in sides.items() if not _is_all(side, NO_SIDE[name])}

    def hard_ceilings(self) -> bool:
        """Whether the rows are '<=' rows with upper >= 0 alone, none of them with a price."""
        given = self.given()
        return given.keys() <= {"upper"} and bool((self.upper >= 0).all())

    def cost(self, activity: Float64) -> Float64:
        """What the violations of each row cost, float64[R]; inf where a hard side is left."""
        cost = np.zeros(self.rows)
        for over, penalty in (
            (activity - self.upper, self.penalty_above),
            (self.lower - activity, self.penalty_below),
        ):
            left = over > 0
            cost[left] += over[left] * penalty[left]
        return cost

    def violation(self, activity: Float64) -> Float64:
        """How far each row is outside its hard sides, float64[R] >= 0."""
        above = np.where(np.isinf(self.penalty_above), activity - self.upper, 0.0)
        below = np.where(np.isinf(self.penalty_below), self.lower - activity, 0.0)
        return np.maximum(0.0, np.maximum(above, below))


def checked_sides(
    where: str, lower: Side | None, upper: Side | None, penalty: Any, keys: Any, default: int
) -> tuple[Sides, npt.NDArray[Any] | None]:
    """The sides and keys of a family, which has the rows of whatever is given a row, else `default` of them."""
    if lower is None and upper is None:
        raise InstanceError(f"{where} limits nothing: give lower=, upper= or both")
    below, above = penalty if isinstance(penalty, tuple) else (penalty, penalty)
    names = ("lower", "upper", "penalty below", "penalty above")
    values = (-np.inf if lower is None else lower, np.inf if upper is None else upper, below, above)
    given = {name: _numbers(where, name, value) for name, value in zip(names, values, strict=True)}
    named_rows = None if keys is None else _keys(where, keys)
    rows = _common_rows(where, given, named_rows, default)

    # an array stays the caller's own, writable as it came
    low, high, below, above = (value if value.ndim else np.broadcast_to(value, (rows,)) for value in given.values())
    _check(where, "lower", low, low < np.inf, "a number, or -inf for no floor")
    _check(where, "upper", high, high > -np.inf, "a number, or inf for no ceiling")
    crossed = np.flatnonzero(low > high)
    if crossed.size:
        at = int(crossed[0])
        raise InstanceError(f"{where}: lower[{at}] is {low[at]}, above upper[{at}] = {high[at]}: swap or widen them")
    for side, values_of_side in (("penalty below", below), ("penalty above", above)):
        _check(where, side, values_of_side, values_of_side >= 0, "at least 0, or inf for a hard limit")
    sides = Sides(
        lower=low,
        upper=high,
        penalty_below=_where_limited(below, np.isfinite(low)),
        penalty_above=_where_limited(above, np.isfinite(high)),
    )
    return sides, named_rows


def _where_limited(penalty: Float64, limited: npt.NDArray[np.bool_]) -> Float64:
    """inf where a row has no such side: nothing leaves it, and equal rows look alike."""
    if _is_all(penalty, np.inf):
        return np.broadcast_to(np.inf, penalty.shape)
    return np.where(limited, penalty, np.inf)


def _numbers(where: str, name: str, value: Any) -> Float64:
    """float64[] or float64[R]."""
    if np.ma.is_masked(value):
        raise InstanceError(f"{where}: {name} is a masked array: give each row a number, inf for no limit")
    array = np.asarray(value)
    if array.ndim > 1 or array.dtype.kind not in "fiu":
        raise InstanceError(f"{where}: {name} is {array.dtype}{list(array.shape)}: expected one number, or one a row")
    return np.ascontiguousarray(array, dtype=np.float64) if array.ndim else np.asarray(array, dtype=np.float64)


def _common_rows(where: str, given: dict[str, Float64], keys: npt.NDArray[Any] | None, default: int) -> int:
    sizes = {name: array.size for name, array in given.items() if array.ndim}
    if keys is not None:
        sizes["keys"] = keys.size
    first = next(iter(sizes), "")
    for name, size in sizes.items():
        if size != sizes[first]:
            raise InstanceError(f"{where}: {first} has {sizes[first]} entries, {name} {size}: give one for each row")
    return sizes.get(first, default)


def _check(where: str, name: str, values: Float64, allowed: npt.NDArray[np.bool_], expected: str) -> None:
    if not allowed.all():
        at = int(np.argmin(allowed))
        raise InstanceError(f"{where}: {name}[{at}] is {values[at]}: it must be {expected}")


def _keys(where: str, value: Any) -> npt.NDArray[Any]:
    """[R] strings or integers, each once."""
    keys = np.asarray(value)
    if keys.dtype.kind == "O" and all(isinstance(key, (str, UUID)) for key in keys.flat):
        keys = np.array([str(key) for key in keys.flat], dtype=np.str_).reshape(keys.shape)
    if keys.ndim != 1 or (keys.size and keys.dtype.kind not in "iuU"):
        raise InstanceError(f"{where}: keys is {keys.dtype}{list(keys.shape)}: expected one string or integer a row")
    if not keys.size:
        return np.zeros(0, dtype=np.int64)
    if keys.dtype.kind == "U":
        keys = np.array(keys.tolist())  # as narrow as the longest, so that equal keys have equal bytes
    distinct, first, counts = np.unique(keys, return_index=True, return_counts=True)
    if distinct.size != keys.size:
        twice = int(np.argmax(counts > 1))
        raise InstanceError(
            f"{where}: keys[{first[twice]}] {distinct[twice]!s} stands {counts[twice]} times: name each row once"
        )
    return keys


def _is_all(values: Float64, number: float) -> bool:
    return bool((values[:1] == number).all()) if values.strides == (0,) else bool((values == number).all())
