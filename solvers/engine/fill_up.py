"""What '=' sources lack, given to their cheapest edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.arrays import edge_arrays
from solvers.engine.collectives import Communicator
from solvers.engine.evaluate import held
from solvers.engine.sweeps import sources_in_turn


@dataclass(frozen=True, kw_only=True)
class Filled:
    """How the filling ended, over all ranks."""

    all_served: bool
    """Whether no source lacks anything."""

    mass: float
    """What was added."""

    cost_beyond: float
    """What that cost beyond the least costs of its sources, whose rows may be full."""


def fill_up(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], slack: npt.NDArray[np.float64], group: Communicator
) -> Filled:
    """Fill the '=' sources of x within slack[R], rank after rank since all draw on one slack. Cheapest are the edges
    with the least c + A'dual.
    """
    from solvers.engine import repair_jit as jit

    edges = edge_arrays(lp)
    sums = np.zeros(3)
    enough = held(x.dtype)
    limited = np.isfinite(slack)
    for turn in range(group.size):
        left = slack.copy()
        if turn == group.rank:
            for first, last in sources_in_turn(lp, x):
                sums += jit.fill_up(first, last, edges, dual, left, enough, x)
        used = np.subtract(slack, left, out=np.zeros_like(slack), where=limited)
        slack = np.maximum(0.0, slack - group.sum(used))
    lacking, mass, cost_beyond = group.sum(sums).tolist()
    return Filled(all_served=lacking == 0, mass=mass, cost_beyond=cost_beyond)
