"""What the adapters of general LP solvers share: the rows of an LP in its explicit form, and answers in our sign.

R coupling rows, E edges. A general solver prices the rows of its own columns and sources too; ours are the first R.
In a minimisation it gives a row at its upper side a multiplier <= 0 and one at its lower side >= 0; the price of
`Answer.dual` is the negative of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import ExplicitLP, MatchingLP, RaggedRows
from solvers.general_start import sum_prices, violations

Float64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The parts of a solution of the explicit form that belong to the edges and the coupling rows."""

    lp: MatchingLP
    """The LP that the explicit form is of."""
    columns: int
    """Of the explicit form: E and the violations at a price."""
    rows: int
    """Of the explicit form: R and the sums of sources."""
    hard_below: Flags
    """bool[R]: the row has a lower side that no price lets x leave."""
    hard_above: Flags
    """bool[R]: the same of the upper side."""

    def x(self, values: Any) -> Float64 | None:
        """x[E] of the values of all columns; None where the solver gave none."""
        columns = np.array([] if values is None else values, dtype=np.float64)
        return columns[: self.lp.edges] if columns.size == self.columns else None

    def dual(self, multipliers: Any) -> Float64 | None:
        """Answer.dual[R] of the multipliers of all rows; None where the solver gave none."""
        rows = np.array([] if multipliers is None else multipliers, dtype=np.float64)
        return -rows[: self.hard_below.size] if rows.size == self.rows else None

    def columns_of(self, x: Any) -> Float64:
        """The values of all columns with this x[E], brought to >= 0; all 0 where x is None."""
        if x is None:
            return np.zeros(self.columns)
        used = np.maximum(x, 0.0)
        return np.concatenate((used, violations(self.lp, used)))

    def multipliers_of(self, dual: Any) -> Float64:
        """The multipliers of all rows for this dual[R] of `Answer`; all 0 where it is None."""
        if dual is None:
            return np.zeros(self.rows)
        multipliers: Float64 = -np.concatenate((dual, sum_prices(self.lp, dual)))
        return multipliers

    def ray(self, prices: Float64 | None) -> Float64 | None:
        """Answer.ray[R] of prices in our sign: a soft side, or one that a row does not have, proves nothing."""
        if prices is None:
            return None
        return np.clip(prices, np.where(self.hard_below, -np.inf, 0.0), np.where(self.hard_above, np.inf, 0.0))


def parts_of(lp: MatchingLP, explicit: ExplicitLP) -> Parts:
    below = [np.isfinite(family.lower) & np.isinf(family.penalty_below) for family in lp.rows]
    above = [np.isfinite(family.upper) & np.isinf(family.penalty_above) for family in lp.rows]
    rows, columns = explicit.matrix.shape
    return Parts(
        lp=lp,
        columns=columns,
        rows=rows,
        hard_below=np.concatenate(below),
        hard_above=np.concatenate(above),
    )


def nonzeros(lp: MatchingLP) -> int:
    """Of the explicit form."""
    in_rows = sum(family.entry_count if isinstance(family, RaggedRows) else lp.edges for family in lp.rows)
    in_sums = int(lp.degrees()[np.isfinite(lp.per_source.limits().at_most)].sum())
    prices = [price for family in lp.rows for price in (family.penalty_below, family.penalty_above)]
    return in_rows + in_sums + sum(int((np.isfinite(price) & (price > 0)).sum()) for price in prices)


@dataclass(frozen=True, kw_only=True, eq=False)
class OneSided:
    """The rows of the explicit form as '=' rows and '<=' rows, for solvers that know no row with two sides.

    A row with two sides that differ stands twice.
    """

    equal: Any
    """CSR, the rows whose sides are one number."""
    equal_to: Float64
    at_most: Any
    """CSR, the other rows that have an upper side, then the negatives of those that have a lower side."""
    limits: Float64
    """Of `at_most`."""
    rows: int
    """Of the explicit form."""
    rows_equal: npt.NDArray[np.int64]
    """The row of the explicit form behind each row of `equal`."""
    rows_above: npt.NDArray[np.int64]
    """The same of the first part of `at_most`."""
    rows_below: npt.NDArray[np.int64]
    """The same of its second part."""

    def prices(self, of_equal: Any, of_at_most: Any) -> Float64:
        """Prices in our sign of all rows of the explicit form: >= 0 of each row of `at_most`, any of `equal`."""
        above = self.rows_above.size
        prices = np.zeros(self.rows)
        prices[self.rows_equal] = of_equal
        prices[self.rows_above] = of_at_most[:above]
        prices[self.rows_below] -= of_at_most[above:]
        return prices

    def multipliers(self, prices: Float64) -> tuple[Float64, Float64]:
        """The inverse of `prices`: of `equal` and of `at_most`."""
        above = np.maximum(prices[self.rows_above], 0.0)
        below = np.maximum(-prices[self.rows_below], 0.0)
        return prices[self.rows_equal], np.concatenate((above, below))


def one_sided(explicit: ExplicitLP) -> OneSided:
    from scipy import sparse

    rows = explicit.matrix.tocsr()
    equal = explicit.row_lower == explicit.row_upper
    above = np.flatnonzero(~equal & np.isfinite(explicit.row_upper))
    below = np.flatnonzero(~equal & np.isfinite(explicit.row_lower))
    at_most = sparse.vstack((rows[above], -rows[below]), format="csr") if below.size else rows[above]
    rows_equal = np.flatnonzero(equal)
    return OneSided(
        equal=rows[rows_equal],
        equal_to=explicit.row_upper[rows_equal],
        at_most=at_most,
        rows=rows.shape[0],
        limits=np.concatenate((explicit.row_upper[above], -explicit.row_lower[below])),
        rows_equal=rows_equal,
        rows_above=above,
        rows_below=below,
    )
