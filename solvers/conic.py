"""The cone form that SCS and Clarabel take.

    minimise c'x   subject to   A x + s = b,   s = 0 in the first `equalities` rows, s >= 0 in the others

Rows: the '=' sources, the J budgets, the '<=' sources, x >= 0, and x <= u of box sources. The multipliers of rows with
s >= 0 are themselves >= 0 in a minimisation, so those of the budgets are the dual in our sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP


@dataclass(frozen=True, kw_only=True, eq=False)
class ConicForm:
    """matrix float64 CSC [rows, E]; b float64[rows]; c float64[E]; budgets: the rows of the J budgets."""

    matrix: Any
    b: npt.NDArray[np.float64]
    c: npt.NDArray[np.float64]
    equalities: int
    budgets: slice


def to_conic(lp: MatchingLP) -> ConicForm:
    from scipy import sparse

    explicit = lp.to_explicit()
    rows = explicit.matrix.tocsr()
    equality = explicit.row_lower == explicit.row_upper  # never a budget row
    bounded = np.flatnonzero(np.isfinite(explicit.upper))
    identity = sparse.eye_array(lp.edges, format="csr")
    matrix = sparse.vstack((rows[equality], rows[~equality], -identity, identity[bounded]), format="csc")
    sides = (explicit.row_upper[equality], explicit.row_upper[~equality], np.zeros(lp.edges), explicit.upper[bounded])
    first = int(equality.sum())
    return ConicForm(
        matrix=sparse.csc_matrix(matrix),
        b=np.concatenate(sides),
        c=explicit.c,
        equalities=first,
        budgets=slice(first, first + lp.destinations),
    )
