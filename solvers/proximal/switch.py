"""When PDHG has done its part: its rate falls, and the instance is not one that only PDHG is good at."""

from __future__ import annotations

import math
from collections.abc import Callable

from solvers.engine.prices import Prices
from solvers.proximal.constants import Constants
from solvers.proximal.full import CellVector, Whole


class Switch:
    """Looks at the gap every few iterations. A crowded instance (many sources used below their radius: their edges all
    stay in the subproblem) is left to PDHG for longer, a large one as long as it is crowded.
    """

    def __init__(self, *, warm: bool = False, constants: Constants | None = None) -> None:
        self._k = constants or Constants()
        self._next = 1 + self._k.look_every if warm else self._k.first_look
        self._best, self._before, self._patient = math.inf, math.inf, False

    def due(self, iteration: int, gap: float, edges: int, crowded: Callable[[], bool]) -> bool:
        """Whether Newton takes over after this iteration; `crowded` is asked only where the rate has fallen."""
        self._best = min(self._best, gap)
        if iteration == self._next - self._k.look_every and not self._patient:
            self._before = self._best
        if iteration < self._next:
            return False
        slow, final = self._best > self._before / self._k.fast, self._patient and edges <= self._k.crowd_edges
        if slow and (final or not crowded()):
            return True
        self._before, self._patient = self._best, slow
        self._next += self._k.patience if slow else self._k.look_every
        return False

    def crowded(self, whole: Whole, x: CellVector, price: Prices, weight: float) -> bool:
        """Whether a long proximal step from x (cells) still leaves many sources slack; weight: PDHG's primal weight."""
        return whole.slack_share(x, self._k.crowd_step / weight, price) > self._k.crowd_share
