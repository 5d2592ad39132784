"""The method of blockpdhg that stays near its start: Settings.stay = rho > 0."""

from __future__ import annotations

import numpy as np

from solvers.engine.iterate import Method
from solvers.engine.points import to_cells
from solvers.engine.progress import Progress
from solvers.newton_finish import NewtonFinish
from solvers.pdhg_state import State
from solvers.proximal.iterates import ProximalIterates
from solvers.proximal.outer import Handover
from solvers.settings import OptionError


def near_start(state: State, progress: Progress) -> Method:
    """Newton's method for c'x + (rho / 2) ||x - x_start||^2, from the prices of the start."""
    start = state.start
    if start is None or start.x is None:
        raise OptionError("stay asks for a start with x: there is nothing to stay near")
    centre = np.maximum(to_cells(state.layout, state.lp, start.x), 0.0)
    finish = NewtonFinish(state, state.layout, most_edges=state.most_edges)
    handover = Handover(
        iterates=ProximalIterates(centre=centre, spare=np.zeros_like(centre)),
        price=start.dual,
        weight=state.settings.stay,
        iteration=0,
    )
    return finish.stay_near(handover, progress)
