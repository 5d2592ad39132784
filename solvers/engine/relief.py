"""'=' sources served where all rows of some are full, by moves within other sources that make room in these rows.

J destinations, E edges. Filling up fails at a source all of whose rows are full (fill_up.py). But many sources use such
a row, and some of them have another edge, about as cheap, whose row has slack. So every source is served first, on its
cheapest edges, and then rows are relieved of what they hold beyond their budgets: by the cheap moves of all sources
before the dear ones.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.arrays import edge_arrays
from solvers.engine.certificate import rounding
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.evaluate import HELD, without_bound
from solvers.engine.fill_up import fill_up
from solvers.engine.sweeps import sources_in_turn

#: Rows are relieved, and filled, to this share below b and what rounding of their sums can hide, which a proof would
#: have to price.
_MARGIN = 1e-12
#: What moving a unit of load may cost in one sweep after another, as shares of what it may cost at most: nearly nothing
#: first, because a sweep takes what it finds in the order of the sources.
_DEAREST = (0.01, 0.1, 1.0)
#: No excess counts as less.
_TINY = 1e-300


def relieve(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Communicator = LOCAL, *, allowed: float
) -> bool:
    """Whether a point that serves all '=' sources within the budgets was found: x becomes it then, else it stays.

    x is within the budgets, but its sources may lack something. allowed: what all moves together may cost.
    """
    if not allowed > 0:
        return False
    moved = x.copy()
    fill_up(lp, moved, dual, np.full(lp.destinations, math.inf), group)
    found = without_bound(lp, moved, group)
    margin = _MARGIN + 2 * rounding(found.terms)
    excess = found.loads - (1 - margin) * lp.b
    dearest = allowed / max(_TINY, float(np.maximum(0.0, excess).sum()))
    for share in _DEAREST:
        excess = _sweep(lp, moved, dual, excess, share * dearest, group)
        if not (excess > 0).any():
            break
    served = bool((excess <= (margin + 0.5 * HELD) * lp.b).all())  # a row that was just full may stay so
    if served:
        x[:] = moved
    return served


def _sweep(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    excess: npt.NDArray[np.float64],
    dearest: float,
    group: Communicator,
) -> npt.NDArray[np.float64]:
    """Moves that cost at most `dearest` a unit of load, rank after rank since all draw on one slack. What is left of
    excess[J], which is negative where rows have slack.
    """
    from solvers.engine import relief_jit as jit

    for turn in range(group.size):
        excess = excess.copy()
        if turn == group.rank:
            relief = jit.Relief(edge_arrays(lp), dual, excess, x)
            for first, last in sources_in_turn(lp, x):
                jit.relieve(first, last, relief, dearest)
        excess = group.sum(np.where(turn == group.rank, excess, 0.0))
    return excess
