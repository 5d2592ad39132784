"""Every loop of the phase, compiled or loaded from the cache before a run is timed."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP, PerSource
from solvers.proximal.constants import Constants
from solvers.proximal.full import Whole, slack_share
from solvers.proximal.rows import Rows
from solvers.proximal.subproblem import NewtonSolve, Work


def compile_loops(lp: MatchingLP, *dtypes: str) -> None:
    """Run each loop on three edges of the types of `lp`, with x of each of `dtypes`."""
    tiny = MatchingLP(
        offsets=np.arange(4),
        destination=np.zeros(3, dtype=np.int32),
        a=np.ones(3, dtype=lp.a.dtype),
        c=-np.ones(3, dtype=lp.c.dtype),
        b=np.ones(1),
        polytope=PerSource(kind=np.array([0, 1, 2], dtype=np.uint8), radius=np.ones(3)),
    )
    whole, rows, price = Whole(tiny), Rows(tiny), np.zeros(1)
    for dtype in dtypes:
        centre, x = np.zeros(3, dtype), np.zeros(3, dtype)
        result = whole.evaluate(centre, 1.0, price, x)
        slack_share(tiny, centre, 1.0, price)
        sub = whole.subproblem(centre, 1.0, price, x, result.loads.numpy(), np.inf)
        newton = NewtonSolve(sub, rows, Constants(), Work())
        newton.direction(newton.evaluate(price).gradient, np.ones(1, dtype=bool))
