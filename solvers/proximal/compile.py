"""Every loop of the phase, compiled or loaded from the cache before a run is timed."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP, PerSource
from solvers.engine.job import Job
from solvers.engine.layout import build_layout
from solvers.engine.polytopes.kinds import BOX, EQUALITY, SIMPLEX
from solvers.proximal.constants import Constants
from solvers.proximal.full import Whole
from solvers.proximal.rows import Rows
from solvers.proximal.subproblem import NewtonSolve, Work


def compile_loops(lp: MatchingLP, dtype: str) -> None:
    """Run each loop on three edges of the types of `lp`, in cells of `dtype`."""
    tiny = MatchingLP(
        offsets=np.arange(4),
        destination=np.zeros(3, dtype=lp.destination.dtype),
        a=np.ones(3, dtype=lp.a.dtype),
        c=-np.ones(3, dtype=lp.c.dtype),
        b=np.ones(lp.destinations),
        polytope=PerSource(kind=np.array([SIMPLEX, EQUALITY, BOX], dtype=np.uint8), radius=np.ones(3)),
    )
    job, layout, price = Job(), build_layout(tiny, dtype), np.zeros(lp.destinations)
    whole, rows = Whole(layout, tiny.b, job), Rows(tiny)
    centre, x = np.zeros(layout.cells, dtype), np.zeros(layout.cells, dtype)
    result = whole.evaluate(centre, 1.0, price, x)
    whole.slack_share(centre, 1.0, price)
    sub = whole.subproblem(centre, 1.0, price, result.loads.numpy(), np.inf)
    newton = NewtonSolve(sub, rows, Constants(), Work())
    newton.direction(newton.evaluate(price).gradient, np.ones(price.size, dtype=bool))
