"""The point nearest to x that keeps every budget, for '=' sources whose own edges lead to full rows only.

I sources, J destinations, E edges.

    minimise ||p - x||^2 / 2   over p in C with A p <= (1 - margin) b:    p_i(price) = Proj_{C_i}(x_i - a_i price_j)

with price >= 0 by the maximum of the dual, whose gradient is A p(price) - (1 - margin) b. What passes b by one part in
a million moves little, so a few evaluations do; the margin lets the ascent end before the maximum.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.evaluate import without_bound
from solvers.engine.points import nearest_point
from solvers.engine.quasi_newton import QuasiNewtonAscent
from solvers.engine.rows import Rows

#: Margins below b, in units of the largest relative excess over a budget.
_MARGINS = (1.0, 10.0)
#: Evaluations for each margin.
_TRIES = 12
#: No margin is smaller: sums differ by the order in which they are made.
_ROUNDING = 1e-12
#: Prices end where a step moves edges by this many times the largest radius: beyond, x drowns in the price.
_FURTHEST = 2.0**20


def nearest_feasible(lp: MatchingLP, x: Vector, group: Communicator = LOCAL) -> bool:
    """Whether a p within the budgets was found: x becomes p then, else it stays as it is."""
    free = np.zeros(lp.destinations)
    rows = Rows(lp, group)
    furthest = _FURTHEST * group.max(np.array([lp.per_source.radius.max(initial=0.0)]))
    excess = _excess(lp, without_bound(lp, x, group).loads)
    for margin in _MARGINS:
        target = (1 - min(0.5, margin * excess)) * lp.b
        # with one row an edge, rows scaled by 1 / ||A_j|| have A A' = I: a step of 1 never overshoots
        ascent = QuasiNewtonAscent(free, low=free, high=furthest * rows.norm / rows.rms, safe_step=1.0)
        for _ in range(_TRIES):
            point = nearest_point(lp, x, ascent.point / rows.norm)
            found = without_bound(lp, point, group)
            if not found.unserved and (found.loads <= lp.b).all():
                x[:] = point
                return True
            ascent.ascend((found.loads - target) / rows.norm)
    return False


def _excess(lp: MatchingLP, loads: npt.NDArray[np.float64]) -> float:
    """The largest share of a budget by which it is exceeded."""
    over = np.divide(loads - lp.b, lp.b, out=np.zeros_like(loads), where=lp.b > 0)
    return max(_ROUNDING, float(over.max(initial=0.0)))
