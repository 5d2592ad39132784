"""The point nearest to x that keeps every budget, for '=' sources whose own edges lead to full rows only.

I sources, J destinations, E edges.

    minimise ||p - x||^2 / 2   over p in C with A p <= (1 - margin) b:    p_i(price) = Proj_{C_i}(x_i - a_i price_j)

with price >= 0 by the maximum of the dual, whose gradient is A p(price) - (1 - margin) b. What passes b by one part in
a million moves little, so a few evaluations do; the margin lets the ascent end before the maximum.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.certificate import judge, nearest_point
from solvers.engine.collectives import LOCAL, Group

#: Margins below b, in units of the largest relative excess over a budget, and evaluations for each.
_MARGINS, _TRIES = (1.0, 10.0), 12
#: No margin is smaller: sums differ by the order in which they are made.
_ROUNDING = 1e-12


def balance(lp: MatchingLP, x: Vector, group: Group = LOCAL) -> float:
    """c'p of the feasible p that x becomes, inf where none was found: x is then what it was."""
    from solvers.proximal.rows import Rows
    from solvers.quasi_newton import QuasiNewtonAscent

    free, no_top = np.zeros(lp.destinations), np.full(lp.destinations, math.inf)
    excess, scale = _excess(lp, judge(lp, x, free, group)[1]), 1 / Rows(lp, group).norm
    for margin in _MARGINS:
        target = (1 - min(0.5, margin * excess)) * lp.b
        ascent = QuasiNewtonAscent(free, top=no_top, safe_step=1.0)  # scaled A_j: A A' = I
        for _ in range(_TRIES):
            point = nearest_point(lp, x, scale * ascent.point)
            _, loads, values = judge(lp, point, free, group)
            if (loads <= lp.b).all():
                x[:] = point
                return float(values.sum())
            ascent.ascend(scale * (loads - target))
    return math.inf


def _excess(lp: MatchingLP, loads: npt.NDArray[np.float64]) -> float:
    """The largest share of a budget by which it is passed."""
    passed = np.divide(loads - lp.b, lp.b, out=np.zeros_like(loads), where=lp.b > 0)
    return max(_ROUNDING, float(passed.max(initial=0.0)))
