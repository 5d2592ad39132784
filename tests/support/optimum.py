"""The optimum of a small LP by HiGHS, on the explicit form: an oracle that shares no code with the solvers tested."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from instances import MatchingLP


def optimum(lp: MatchingLP) -> float:
    """The least c'x and price of violations; inf where no x is feasible."""
    found = _solved(lp)
    return float(found.fun) if found.status == 0 else math.inf


def optimal_point(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """An optimal x[E] of an LP that has one."""
    found = _solved(lp)
    assert found.status == 0, found.message
    return np.asarray(found.x[: lp.edges])


def optimal_dual(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """Optimal prices >= 0 of the budget rows of an LP that has an optimum."""
    found = _solved(lp)
    assert found.status == 0, found.message
    return np.asarray(-found.ineqlin.marginals[: lp.destinations])


def _solved(lp: MatchingLP) -> Any:
    explicit = lp.to_explicit()
    rows = explicit.matrix.tocsr()
    equal = explicit.row_lower == explicit.row_upper
    equalities = {"A_eq": rows[equal], "b_eq": explicit.row_upper[equal]} if equal.any() else {}
    ceilings = ~equal & np.isfinite(explicit.row_upper)
    floors = ~equal & np.isfinite(explicit.row_lower)
    at_most = sparse.vstack((rows[ceilings], -rows[floors]))
    limits = np.concatenate((explicit.row_upper[ceilings], -explicit.row_lower[floors]))
    bounds = np.column_stack((np.zeros(explicit.upper.size), explicit.upper))
    return linprog(explicit.c, A_ub=at_most, b_ub=limits, bounds=bounds, method="highs-ds", **equalities)
