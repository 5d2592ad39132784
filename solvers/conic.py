"""The cone form that SCS and Clarabel take.

    minimise c'x   subject to   A x + s = b,   s = 0 in the first `equalities` rows, s >= 0 in the others

Rows: the '=' rows of the explicit form, its upper sides, its lower sides with the signs turned, x >= 0, and x <= u
where there is a u. The multipliers of rows with s >= 0 are themselves >= 0 in a minimisation, so they are prices in our
sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.general import OneSided, Parts, one_sided, parts_of
from solvers.start import Start

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConicForm:
    """An LP in the cone form."""

    matrix: Any
    """float64 CSC, a column for each of the explicit form."""
    b: Float64
    """float64, one for each row."""
    c: Float64
    """float64, one for each column."""
    equalities: int
    """Rows with s = 0."""
    bounded: npt.NDArray[np.int64]
    """The columns with a u."""
    rows: OneSided
    """What the rows stand for, but for x >= 0 and x <= u."""
    parts: Parts
    """What of a solution belongs to the edges and the coupling rows."""

    def dual(self, multipliers: Any) -> Float64:
        """Answer.dual[R] of the multipliers of all rows."""
        values = np.array(multipliers, dtype=np.float64)
        last = self.equalities + self.rows.limits.size
        prices = self.rows.prices(values[: self.equalities], values[self.equalities : last])
        return prices[: self.parts.hard_below.size]

    def point(self, start: Start) -> dict[str, Float64]:
        """x, y and s of the form at a start; the multipliers of x >= 0 and x <= u are the reduced costs."""
        x = self.parts.columns_of(start.x)
        of_equal, of_at_most = self.rows.multipliers(-self.parts.multipliers_of(start.dual))
        y = np.zeros(self.b.size)
        given = np.concatenate((of_equal, of_at_most))
        y[: given.size] = given
        reduced = self.c + self.matrix.T @ y
        y[given.size :] = np.concatenate((np.maximum(reduced, 0.0), np.maximum(-reduced, 0.0)[self.bounded]))
        return {"x": x, "y": y, "s": self.b - self.matrix @ x}


def to_conic(lp: MatchingLP) -> ConicForm:
    from scipy import sparse

    explicit = lp.to_explicit()
    rows = one_sided(explicit)
    bounded = np.flatnonzero(np.isfinite(explicit.upper))
    identity = sparse.eye_array(explicit.c.size, format="csr")
    matrix = sparse.vstack((rows.equal, rows.at_most, -identity, identity[bounded]), format="csc")
    sides = (rows.equal_to, rows.limits, np.zeros(explicit.c.size), explicit.upper[bounded])
    return ConicForm(
        matrix=sparse.csc_matrix(matrix),
        b=np.concatenate(sides),
        c=explicit.c,
        equalities=rows.equal_to.size,
        bounded=bounded,
        rows=rows,
        parts=parts_of(lp, explicit),
    )
