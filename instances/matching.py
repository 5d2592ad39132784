"""The matching LP that every solver gets and the referee judges.

I sources, E edges; edges of source i are offsets[i] : offsets[i + 1]. R coupling rows in families (instances/rows.py).

    minimise c'x + penalties   subject to   lower <= A x <= upper  on the sides that are hard
                                            x_i in C_i             (one small polytope a source)

Short form: one family of '<=' rows without a price, with a >= 0 and b >= 0, the budgets of J destinations; then edge e
has the one coefficient a_e, in row destination[e], and J = R. Every solver takes it.

The instance is the stored numbers, exactly: float32 arrays are the truth where the arrays are float32, and float64
readers upcast them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.checks import Floats, check_length, check_range, checked_floats, checked_starts
from instances.errors import InstanceError
from instances.explicit import ExplicitLP, explicit_form
from instances.per_source import PerSource, per_source
from instances.polytopes import Polytope
from instances.polytopes.simplex import Simplex
from instances.row_kinds import RowKind, row_kinds
from instances.rows import RaggedRows, Rows, families_in_words
from instances.short_form import checked_families
from instances.sides import Sides
from instances.tighten import tighten


@dataclass(frozen=True, kw_only=True, eq=False, init=False)
class MatchingLP:
    """A validated matching LP (minimisation; store a value to be maximised as negative c).

    Raises InstanceError that names field, entry and value. A pair (source, destination) may occur more than once: each
    occurrence is a variable of its own.
    """

    offsets: npt.NDArray[np.int64]
    """int64[I + 1] rising from 0 to E."""
    c: Floats
    """float32[E] or float64[E]."""
    polytope: Polytope
    """One for all sources, or one a source."""
    rows: tuple[Rows | RaggedRows, ...]
    """The families; their rows are numbered one family after the other."""
    _short: Rows | None = field(init=False, repr=False)
    """The one family where the LP has the short form."""

    def __init__(
        self,
        *,
        offsets: Any,
        c: Any,
        polytope: Polytope | None = None,
        rows: Sequence[Rows | RaggedRows] | None = None,
        destination: Any = None,
        a: Any = None,
        b: Any = None,
    ) -> None:
        """rows: the families; or the short form: destination int32[E] in 0..J-1, a >= 0 float32[E] or float64[E],
        b >= 0 float64[J], inf for a row without a limit.

        Families that have the short form are stored as it. With `rows` of the short form, destination, a and b take
        the place of what the family has; `dataclasses.replace` uses that.
        """
        object.__setattr__(self, "offsets", checked_starts("offsets", offsets, "source"))
        object.__setattr__(self, "polytope", Simplex() if polytope is None else polytope)
        short_form = {"destination": destination, "a": a, "b": b}
        families, short = checked_families(rows, short_form, self.edges)
        object.__setattr__(self, "rows", families)
        object.__setattr__(self, "_short", short)

        object.__setattr__(self, "c", checked_floats("c", c, keep=(np.float32, np.float64)))
        check_length("c", self.c, self.edges)
        check_range("c", self.c, -np.inf, np.inf, "")
        _ = self.per_source  # validates the polytope

    @classmethod
    def beyond(cls, *, offsets: Any, c: Any, polytope: Polytope, rows: Sequence[Rows | RaggedRows]) -> MatchingLP:
        """The LP with these families as they are: a part of one beyond the short form, which may have it by itself."""
        lp = cls(offsets=offsets, c=c, polytope=polytope, rows=rows)
        object.__setattr__(lp, "rows", tuple(rows))
        object.__setattr__(lp, "_short", None)
        return lp

    @property
    def sources(self) -> int:
        return int(self.offsets.size - 1)

    @property
    def destinations(self) -> int:
        """J, the rows of the first family."""
        return self.rows[0].rows

    @property
    def edges(self) -> int:
        return int(self.offsets[-1])

    @property
    def row_count(self) -> int:
        """R, the rows of all families and the length of a dual."""
        return sum(family.rows for family in self.rows)

    @property
    def cells(self) -> int:
        """I * J, the "number of variables" of the DuaLip papers."""
        return self.sources * self.destinations

    @property
    def is_short_form(self) -> bool:
        """Whether `destination`, `a` and `b` say all: one family of hard '<=' rows with a >= 0 and b >= 0."""
        return self._short is not None

    @property
    def beyond_short_form(self) -> str:
        """What keeps the LP from the short form, in a few words; "" where nothing does."""
        if self.is_short_form:
            return ""
        return families_in_words([family.name for family in self.rows])

    @cached_property
    def row_kinds(self) -> frozenset[RowKind]:
        """What the rows have beyond the short form; empty for that."""
        return frozenset() if self.is_short_form else row_kinds(self.rows)

    @property
    def destination(self) -> npt.NDArray[np.int32]:
        """Row of each edge in the short form, int32[E]."""
        destination: npt.NDArray[np.int32] = self._of_short_form("destination").row
        return destination

    @property
    def a(self) -> Floats:
        """Coefficient of each edge in the short form, float32[E] or float64[E]."""
        a: Floats = self._of_short_form("a").coefficient
        return a

    @property
    def b(self) -> npt.NDArray[np.float64]:
        """Budgets of the short form, float64[J]."""
        b: npt.NDArray[np.float64] = self._of_short_form("b").upper
        return b

    @cached_property
    def per_source(self) -> PerSource:
        """kind uint8[I] and params float64[P, I]; views without memory of their own where they are the same for all."""
        return per_source(self.polytope, self.offsets)

    @property
    def edge_upper(self) -> npt.NDArray[np.float64] | None:
        """u of each edge, float64[E], inf where it has none; None where u is that of the source."""
        return self.per_source.edge_upper

    def upper_of_edges(self, first: int = 0, last: int | None = None) -> npt.NDArray[np.float64]:
        """u of each edge of sources first : last, float64[e], wherever it comes from; inf where it has none."""
        return self.per_source.upper_of_edges(self.offsets, first, last)

    @cached_property
    def tightened(self) -> MatchingLP:
        """The LP with every limit cut to what can be used of it (instances/tighten.py), so b is finite; itself where
        nothing changes. A solution of one, primal or dual, is one of the other.
        """
        return tighten(self)

    def with_limits(self, b: npt.NDArray[np.float64], polytope: Polytope) -> MatchingLP:
        """The same LP with limits already cut: b float64[J] and polytopes. Shares the edges and does not check."""
        lp = object.__new__(MatchingLP)
        family = self._of_short_form("with_limits")
        short = Rows.unchecked(family.name, family.row, family.coefficient, Sides.at_most(b), family.keys)
        fields = {"offsets": self.offsets, "c": self.c, "polytope": polytope, "rows": (short,), "_short": short}
        for name, value in fields.items():
            object.__setattr__(lp, name, value)
        lp.__dict__["tightened"] = lp
        lp.__dict__["given"] = self
        return lp

    @cached_property
    def given(self) -> MatchingLP:
        """The LP that this one was tightened from, for who needs limits that are alike for all sources; else itself."""
        return self

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        own = 0 if self.edge_upper is None else self.edge_upper.nbytes
        return self.offsets.nbytes + self.c.nbytes + own + sum(family.nbytes for family in self.rows)

    def degrees(self) -> npt.NDArray[np.int64]:
        """Edges of each source, int64[I]."""
        return np.diff(self.offsets)

    def source_of_edge(self) -> npt.NDArray[np.int64]:
        """Source of each edge, int64[E]."""
        return np.repeat(np.arange(self.sources), self.degrees())

    def split(self, values: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """values[R] of all rows, such as a dual, as the part of each family by its name; views."""
        if values.shape != (self.row_count,):
            raise InstanceError(
                f"the values have shape {list(values.shape)}: expected one for each of {self.row_count} rows"
            )
        ends = np.cumsum([family.rows for family in self.rows])
        return {
            family.name: values[end - family.rows : end] for family, end in zip(self.rows, ends.tolist(), strict=True)
        }

    def to_explicit(self) -> ExplicitLP:
        """The form a general LP solver takes: the coupling rows, then a row for each source whose sum is limited;
        limits of edges as bounds, and a column for each side of a row that may be left at a price.
        """
        return explicit_form(self.offsets, self.c, self.rows, self.per_source)

    def _of_short_form(self, asked: str) -> Any:
        if self._short is None:
            raise InstanceError(
                f"{asked} is of the short form alone, the instance has {self.beyond_short_form}: use lp.rows"
            )
        return self._short
