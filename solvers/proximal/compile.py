"""Every loop of the phase, compiled or loaded from the cache before a run is timed."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP
from solvers.engine.context import SolveContext
from solvers.engine.layout_builder import build_layout
from solvers.engine.rows import Rows
from solvers.engine.warm_up import three_edges
from solvers.proximal.constants import Constants
from solvers.proximal.full import Whole
from solvers.proximal.subproblem import NewtonSolve, Work


def compile_loops(lp: MatchingLP, dtype: str) -> None:
    """Run each loop on three edges of the types of `lp`, in cells of `dtype`."""
    tiny = three_edges(lp)
    context, layout, price = SolveContext(), build_layout(tiny, dtype), np.zeros(lp.destinations)
    whole, rows = Whole(layout, tiny.b, context), Rows(tiny)
    centre, x = np.zeros(layout.cells, dtype), np.zeros(layout.cells, dtype)
    result = whole.evaluate(centre, 1.0, price, x)
    whole.slack_share(centre, 1.0, price)
    sub = whole.subproblem(centre, 1.0, price, result.loads.numpy(), np.inf)
    newton = NewtonSolve(sub, rows, Constants(), Work())
    newton.direction(newton.evaluate(price).gradient, np.ones(price.size, dtype=bool))
