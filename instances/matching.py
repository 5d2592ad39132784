"""The matching LP that every solver gets and the referee judges.

I sources, J destinations, E edges; edges of source i are offsets[i] : offsets[i + 1].

    minimise c'x   subject to   A x <= b  (J budget rows; edge e has the one coefficient a_e, in row destination[e])
                                x_i in C_i  (one small polytope a source)

The instance is the stored numbers, exactly: float32 arrays are the truth where the arrays are float32, and float64
readers upcast them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError
from instances.mapped import release_pages
from instances.per_source import PerSource, per_source
from instances.polytopes import Polytope
from instances.polytopes.simplex import Simplex

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingLP:
    """A validated matching LP (minimisation; store a value to be maximised as negative c).

    offsets int64[I+1] rising from 0 to E; destination int32[E] in 0..J-1; a >= 0 and c, float32[E] or float64[E];
    b >= 0 float64[J], inf for a row without a limit; polytope one for all sources or one a source. Raises InstanceError
    that names field and value.
    A pair (source, destination) may occur more than once: each occurrence is a variable of its own.
    """

    offsets: npt.NDArray[np.int64]
    destination: npt.NDArray[np.int32]
    a: Floats
    c: Floats
    b: npt.NDArray[np.float64]
    polytope: Polytope = field(default_factory=Simplex)

    def __post_init__(self) -> None:
        checked = {
            "offsets": _offsets(self.offsets),
            "destination": _integers("destination", self.destination, np.int32),
            "a": _floats("a", self.a, keep=(np.float32, np.float64)),
            "c": _floats("c", self.c, keep=(np.float32, np.float64)),
            "b": _floats("b", self.b, keep=(np.float64,)),
        }
        for name, array in checked.items():
            object.__setattr__(self, name, array)
        for name in ("destination", "a", "c"):
            if checked[name].size != self.edges:
                raise InstanceError(f"{name} has {checked[name].size} entries: offsets end at {self.edges} edges")
        _check_range("destination", self.destination, 0, self.destinations - 1, f"b has {self.destinations} entries")
        _check_range("a", self.a, 0, np.inf, "a matching LP needs a >= 0, its budgets are repaired by scaling")
        _check_range("c", self.c, -np.inf, np.inf, "")
        reason = "a matching LP needs b >= 0, its budgets are repaired by scaling; inf is no limit"
        _check_range("b", self.b, 0, np.inf, reason, finite=False)
        _ = self.per_source  # validates the polytope

    @property
    def sources(self) -> int:
        return int(self.offsets.size - 1)

    @property
    def destinations(self) -> int:
        return int(self.b.size)

    @property
    def edges(self) -> int:
        return int(self.offsets[-1])

    @property
    def cells(self) -> int:
        """I * J, the "number of variables" of the DuaLip papers."""
        return self.sources * self.destinations

    @cached_property
    def per_source(self) -> PerSource:
        """kind uint8[I] and params float64[P, I]; views without memory of their own where they are the same for all."""
        return per_source(self.polytope, self.sources)

    @cached_property
    def tightened(self) -> MatchingLP:
        """The LP with every limit cut to what can be used of it (instances/tighten.py), so b is finite; itself where
        nothing changes. A solution of one, primal or dual, is one of the other.
        """
        from instances.tighten import tighten

        return tighten(self)

    def with_limits(self, b: npt.NDArray[np.float64], polytope: Polytope) -> MatchingLP:
        """The same LP with limits already cut: b float64[J] and polytopes. Shares the edges and does not check."""
        made = object.__new__(MatchingLP)
        shared = {name: getattr(self, name) for name in ("offsets", "destination", "a", "c")}
        for name, value in {**shared, "b": b, "polytope": polytope}.items():
            object.__setattr__(made, name, value)
        made.__dict__["tightened"] = made
        made.__dict__["given"] = self
        return made

    @cached_property
    def given(self) -> MatchingLP:
        """The LP that this one was tightened from, for who needs limits that are alike for all sources; else itself."""
        return self

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(v.nbytes for v in (self.offsets, self.destination, self.a, self.c, self.b))

    def degrees(self) -> npt.NDArray[np.int64]:
        """Edges of each source, int64[I]."""
        return np.diff(self.offsets)

    def source_of_edge(self) -> npt.NDArray[np.int64]:
        """Source of each edge, int64[E]."""
        return np.repeat(np.arange(self.sources), self.degrees())

    def to_explicit(self) -> ExplicitLP:
        """The form a general LP solver takes: J budget rows, then a row for each source whose sum is limited; limits of
        edges as bounds.

        A '=' source without edges stays as the row 0 = z, so an infeasible instance stays infeasible.
        """
        from scipy import sparse

        limits = self.per_source.limits()
        limited = np.flatnonzero(np.isfinite(limits.at_most))
        source = self.source_of_edge()
        in_sum = np.isfinite(limits.at_most)[source]
        row_of_source = np.full(self.sources, -1, dtype=np.int64)
        row_of_source[limited] = self.destinations + np.arange(limited.size)
        column_starts = np.concatenate(([0], np.cumsum(1 + in_sum)))
        rows = np.empty(column_starts[-1], dtype=np.int64)
        values = np.ones(column_starts[-1], dtype=np.float64)
        rows[column_starts[:-1]] = self.destination
        values[column_starts[:-1]] = self.a
        rows[column_starts[:-1][in_sum] + 1] = row_of_source[source[in_sum]]
        shape = (self.destinations + limited.size, self.edges)
        index = np.int32 if max(rows.size, shape[0]) < 2**31 else np.int64
        matrix = sparse.csc_array((values, rows.astype(index), column_starts.astype(index)), shape=shape)
        z = limits.at_most[limited]
        return ExplicitLP(
            matrix=matrix,
            c=self.c.astype(np.float64),
            row_lower=np.concatenate(
                (np.full(self.destinations, -np.inf), np.where(limits.equality[limited], z, -np.inf))
            ),
            row_upper=np.concatenate((self.b, z)),
            upper=limits.upper[source],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplicitLP:
    """minimise c'x, row_lower <= matrix x <= row_upper, 0 <= x <= upper; the first J rows are the budgets.

    matrix float64 CSC [J + sources whose sum is limited, E]; every other array float64.
    """

    matrix: Any
    c: npt.NDArray[np.float64]
    row_lower: npt.NDArray[np.float64]
    row_upper: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]


def _offsets(value: Any) -> npt.NDArray[np.int64]:
    offsets = _integers("offsets", value, np.int64)
    if offsets.size < 1 or offsets[0] != 0:
        raise InstanceError("offsets must start with 0 and have one entry more than there are sources")
    for start in range(0, offsets.size - 1, _CHUNK):
        falls = np.flatnonzero(np.diff(offsets[start : start + _CHUNK + 1]) < 0)
        if falls.size:
            at = start + int(falls[0])
            raise InstanceError(
                f"offsets fall from {offsets[at]} to {offsets[at + 1]} at source {at}: they must never decrease"
            )
        release_pages(offsets, start, min(start + _CHUNK, offsets.size))
    return offsets


def _integers(name: str, value: Any, dtype: type[np.signedinteger[Any]]) -> npt.NDArray[Any]:
    array = _array(name, value)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InstanceError(f"{name} is {array.dtype}{list(array.shape)}: expected a one-dimensional integer array")
    if array.size and array.dtype != dtype:
        limit = np.iinfo(dtype)
        _check_range(name, array, limit.min, limit.max, f"it is stored as {limit.dtype}")
    return np.ascontiguousarray(array, dtype=dtype)


def _floats(name: str, value: Any, keep: tuple[Any, ...]) -> npt.NDArray[Any]:
    array = _array(name, value)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise InstanceError(f"{name} is {array.dtype}{list(array.shape)}: expected a one-dimensional array of numbers")
    return np.ascontiguousarray(array, dtype=array.dtype if array.dtype in keep else np.float64)


def _array(name: str, value: Any) -> npt.NDArray[Any]:
    if np.ma.is_masked(value):
        raise InstanceError(f"{name} is a masked array, an edge cannot be left out by a mask: leave out what it hides")
    return np.asarray(value)


def _check_range(
    name: str, array: npt.NDArray[Any], low: float, high: float, reason: str, *, finite: bool = True
) -> None:
    """Every entry a number in low..high, and finite or not; in chunks, so that no temporary is as long as the array."""
    for start in range(0, array.size, _CHUNK):
        chunk = array[start : start + _CHUNK]
        smallest, largest = chunk.min(), chunk.max()  # NaN if there is one
        if smallest >= low and largest <= high and not (finite and np.isinf((smallest, largest)).any()):
            release_pages(array, start, start + chunk.size)
            continue
        allowed = (chunk >= low) & (chunk <= high) & (np.isfinite(chunk) | (not finite))
        at = start + int(np.argmin(allowed))
        if np.isnan(array[at]) or (finite and np.isinf(array[at])):
            raise InstanceError(
                f"{name}[{at}] is {array[at]}: every entry must be {'finite' if finite else 'a number'}"
            )
        expected = f"at least {low}" if high == np.inf else f"in {low}..{high}"
        raise InstanceError(f"{name}[{at}] is {array[at]}: it must be {expected} ({reason})")
