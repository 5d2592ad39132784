"""Coupling rows in families: budgets, floors, exact demands and goals with a price, over any edges.

E edges, R rows of one family, N entries of a ragged one. A row r of a family limits its activity

    lower_r <= act_r <= upper_r    with    act_r = sum of coefficient_e x_e over the edges e of row r

and where a side has a finite penalty, leaving it costs that much a unit instead of being forbidden:

    cost_r = penalty_above_r (act_r - upper_r)+  +  penalty_below_r (lower_r - act_r)+

`Rows` is the aligned form, every edge lies in exactly one row of the family; in `RaggedRows` an edge lies in any number
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.checks import Floats, check_length, check_range, checked_floats, checked_integers, checked_starts
from instances.errors import InstanceError
from instances.sides import Side, Sides, checked_sides
from instances.words import named, shown

Float64 = npt.NDArray[np.float64]
Coefficient = Floats | float
#: Name of the family of a short form that was given as destination, a and b.
SHORT_NAME = "budget"
_STORED = (np.float32, np.float64)


@dataclass(frozen=True, eq=False, init=False)
class RowFamily:
    """What the aligned and the ragged form share: the name and both sides of each row."""

    name: str
    """Name of the family in messages, answers and files."""
    sides: Sides
    """lower, upper, penalty_below and penalty_above, float64[R] each."""
    keys: npt.NDArray[Any] | None
    """The user's own name of each row, [R] strings or integers; None where the rows are only numbered."""

    @property
    def rows(self) -> int:
        return self.sides.rows

    @property
    def lower(self) -> Float64:
        return self.sides.lower

    @property
    def upper(self) -> Float64:
        return self.sides.upper

    @property
    def penalty_below(self) -> Float64:
        return self.sides.penalty_below

    @property
    def penalty_above(self) -> Float64:
        return self.sides.penalty_above

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, keys included."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        return self.sides.nbytes + sum(array.nbytes for array in arrays)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, rows={self.rows})"

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Rows(RowFamily):
    """An aligned family: edge e lies in row row[e], or every edge in the one row where `row` is None."""

    row: npt.NDArray[np.int32] | None
    """int32[E] in 0..R-1, or None."""
    coefficient: Coefficient
    """float32[E] or float64[E], or one number for all edges; of any sign."""

    def __init__(
        self,
        name: str,
        *,
        row: Any = None,
        coefficient: Any = 1.0,
        lower: Side | None = None,
        upper: Side | None = None,
        penalty: Side | tuple[Side, Side] = np.inf,
        keys: Any = None,
    ) -> None:
        """lower, upper: one number for all rows, or one a row; at least one of them. penalty: of a unit outside, inf
        where the limit is hard; one number, one a row, or (below, above) where the two sides differ. Raises
        InstanceError that names family, field and entry.
        """
        where = _where(name)
        if row is not None:
            row = checked_integers(f"{where}: row", row, np.int32)
        default = 1 if row is None else int(row.max(initial=-1)) + 1
        sides, named_rows = checked_sides(where, lower, upper, penalty, keys, default)
        if row is None and sides.rows != 1:
            raise InstanceError(f"{where} has {sides.rows} rows and row=None, all edges in one row: give row=int32[E]")
        if row is not None:
            check_range(f"{where}: row", row, 0, sides.rows - 1, f"the family has {sides.rows} rows")
        coefficient = checked_coefficient(where, coefficient)
        self._set(name=name, sides=sides, keys=named_rows, row=row, coefficient=coefficient)

    @classmethod
    def unchecked(cls, name: str, row: Any, coefficient: Any, sides: Sides, keys: Any = None) -> Rows:
        """A family over arrays that were checked before, without copying them."""
        family = object.__new__(cls)
        family._set(name=name, sides=sides, keys=keys, row=row, coefficient=coefficient)
        return family

    def check_edges(self, edges: int) -> None:
        """Raise InstanceError where the arrays do not have `edges` entries."""
        for field in ("row", "coefficient"):
            array = getattr(self, field)
            if isinstance(array, np.ndarray):
                check_length(f"{_where(self.name)}: {field}", array, edges)

    def activity(self, x: npt.NDArray[Any], first: int = 0) -> Float64:
        """act[R] of x, float64, the values of edges first, first + 1, ..."""
        edges = slice(first, first + x.size)
        weights = np.asarray(_part(self.coefficient, edges), dtype=np.float64) * x
        if self.row is None:
            return np.array([weights.sum()])
        return np.bincount(self.row[edges], weights, self.rows).astype(np.float64, copy=False)

    def entries(self, edges: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float64]:
        """Edge, row and coefficient of each entry, in the order of the edges."""
        row = np.zeros(edges, dtype=np.int64) if self.row is None else self.row.astype(np.int64)
        return np.arange(edges), row, np.broadcast_to(self.coefficient, edges).astype(np.float64)

    def part(self, first: int, last: int) -> Rows:
        """Edges first : last of the family, with all its rows."""
        edges = slice(first, last)
        row = None if self.row is None else self.row[edges]
        return self.unchecked(self.name, row, _part(self.coefficient, edges), self.sides, self.keys)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class RaggedRows(RowFamily):
    """A family in which edge e has the entries entry_offsets[e] : entry_offsets[e + 1], each in a row of its own.

    Entries of one edge in the same row add up.
    """

    entry_offsets: npt.NDArray[np.int64]
    """int64[E + 1] rising from 0 to N."""
    row: npt.NDArray[np.int32]
    """int32[N] in 0..R-1."""
    coefficient: Coefficient
    """float32[N] or float64[N], or one number for all entries; of any sign."""

    def __init__(
        self,
        name: str,
        *,
        entry_offsets: Any,
        row: Any,
        coefficient: Any = 1.0,
        lower: Side | None = None,
        upper: Side | None = None,
        penalty: Side | tuple[Side, Side] = np.inf,
        keys: Any = None,
    ) -> None:
        """lower, upper, penalty, keys: as in `Rows`."""
        where = _where(name)
        starts = checked_starts(f"{where}: entry_offsets", entry_offsets, "edge")
        row = checked_integers(f"{where}: row", row, np.int32)
        sides, named_rows = checked_sides(where, lower, upper, penalty, keys, int(row.max(initial=-1)) + 1)
        check_range(f"{where}: row", row, 0, sides.rows - 1, f"the family has {sides.rows} rows")
        coefficient = checked_coefficient(where, coefficient)
        for field, array in (("row", row), ("coefficient", coefficient)):
            if isinstance(array, np.ndarray) and array.size != starts[-1]:
                raise InstanceError(f"{where}: {field} has {array.size} entries, entry_offsets end at {starts[-1]}")
        self._set(name=name, sides=sides, keys=named_rows, entry_offsets=starts, row=row, coefficient=coefficient)

    @property
    def entry_count(self) -> int:
        """N, the number of entries."""
        return int(self.row.size)

    def check_edges(self, edges: int) -> None:
        """Raise InstanceError where the entry offsets are not those of `edges` edges."""
        if self.entry_offsets.size != edges + 1:
            raise InstanceError(
                f"{_where(self.name)}: entry_offsets has {self.entry_offsets.size} entries, "
                f"expected one more than the {edges} edges"
            )

    def activity(self, x: npt.NDArray[Any], first: int = 0) -> Float64:
        """act[R] of x, float64, the values of edges first, first + 1, ..."""
        starts = self.entry_offsets[first : first + x.size + 1]
        entries = slice(int(starts[0]), int(starts[-1]))
        weights = np.asarray(_part(self.coefficient, entries), dtype=np.float64) * np.repeat(x, np.diff(starts))
        return np.bincount(self.row[entries], weights, self.rows).astype(np.float64, copy=False)

    def entries(self, edges: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float64]:
        """Edge, row and coefficient of each entry, in the order of the edges."""
        edge = np.repeat(np.arange(edges), np.diff(self.entry_offsets))
        return edge, self.row.astype(np.int64), np.broadcast_to(self.coefficient, edge.size).astype(np.float64)

    def part(self, first: int, last: int) -> RaggedRows:
        """Edges first : last of the family, with all its rows."""
        starts = self.entry_offsets[first : last + 1]
        entries = slice(int(starts[0]), int(starts[-1]))
        family = object.__new__(RaggedRows)
        family._set(
            name=self.name,
            sides=self.sides,
            keys=self.keys,
            entry_offsets=starts - starts[0],
            row=self.row[entries],
            coefficient=_part(self.coefficient, entries),
        )
        return family


def checked_coefficient(where: str, value: Any) -> Coefficient:
    """One finite number, or an array of them."""
    if np.ndim(value) == 0 and not np.ma.is_masked(value):
        if not isinstance(value, (int, float, np.integer, np.floating)) or not np.isfinite(value):
            raise InstanceError(f"{where}: coefficient is {value!r}: give one finite number, or one for each edge")
        return float(value)
    array = checked_floats(f"{where}: coefficient", value, keep=_STORED)
    check_range(f"{where}: coefficient", array, -np.inf, np.inf, "")
    return array


def families_in_words(names: Sequence[str]) -> str:
    """The families of an instance beyond the short form, in a few words for refusals."""
    if len(names) > 1:
        return f"{len(names)} families of rows ({', '.join(names)})"
    return f"the family of rows {names[0]}, which is not of hard '<=' rows with coefficients and limits >= 0"


def _part(coefficient: Coefficient, entries: slice) -> Coefficient:
    return coefficient[entries] if isinstance(coefficient, np.ndarray) else coefficient


def _where(name: Any) -> str:
    """The family in the words of a refusal; InstanceError where the name is none."""
    if not isinstance(name, str):
        raise InstanceError(f"the name of a family of rows is {named(name)}: give a text, such as 'campaign'")
    if not name.strip() or not name.isprintable():
        raise InstanceError(f"the name of a family of rows is {shown(name)}: give printable words, such as 'campaign'")
    return f"rows {shown(name)}"
