"""What blockpdhg prepares, and its method (halpern.py) works with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.engine.iterate import Problem
from solvers.engine.kernel import Kernel
from solvers.engine.layout import Layout
from solvers.iterates import StartPoint
from solvers.restarts import RestartRules

#: eta ||A||: PDHG converges below 1.
STEP = 0.998


@dataclass(frozen=True, kw_only=True, eq=False)
class State(Problem):
    """What `prepare` of blockpdhg made."""

    layout: Layout

    kernel: Kernel

    scale: npt.NDArray[np.float64]
    """1 / ||A_r||_2 of each coupling row, float64[R]."""

    step: float
    """eta, for the scaled rows."""

    rules: RestartRules

    newton: bool
    """Whether Newton's method may finish the run."""

    most_edges: int
    """Edges of the rank that has most."""

    start: StartPoint | None = None
    """Of a warm start; None for 0."""
