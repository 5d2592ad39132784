"""Every loop of the phase, compiled or loaded from the cache before a run is timed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instances import MatchingLP
from solvers.engine.context import SolveContext
from solvers.engine.layout_builder import build_layout
from solvers.engine.row_bounds import row_bounds
from solvers.engine.rows import Rows
from solvers.engine.warm_up import few_edges
from solvers.proximal.arrays import ProximalStep
from solvers.proximal.constants import Constants
from solvers.proximal.full import FullProblem
from solvers.proximal.nested import NONE, Nesting
from solvers.proximal.subproblem import NewtonSolve, Work


def compile_loops(lp: MatchingLP, dtype: str) -> None:
    """Run each loop on a few edges of the types of `lp`, in cells of `dtype`."""
    tiny = few_edges(lp)
    layout = build_layout(tiny, dtype)
    rows = Rows(tiny)
    problem = FullProblem(layout, row_bounds(tiny), rows, SolveContext())
    at = ProximalStep(centre=np.zeros(layout.cells, dtype), step=1.0, price=np.zeros(lp.row_count))
    result = problem.evaluate(at, np.zeros(layout.cells, dtype))
    problem.slack_share(at)
    sub = problem.subproblem(at, result.loads.numpy(), np.inf)
    if sub.cells.more is not None:  # in the few edges no row may lie within another
        none = Nesting(parent=np.full(lp.row_count, NONE, dtype=np.int64), ratio=np.ones(lp.row_count))
        sub = replace(sub, nesting=none)
    ways = [Constants(), Constants(cg_products=-1, dense_rows=lp.row_count)]
    if lp.row_count > Constants().dense_rows:
        ways.append(Constants(cg_products=-1, dense_rows=-1))  # sparse systems: more to compile than the rest of them
    for constants in ways:
        newton = NewtonSolve(sub, rows, constants, Work())
        newton.direction(newton.evaluate(at.price), np.arange(lp.row_count) == 0)
