"""When PDHG hands over to Newton's method: its rate has fallen, and the instance is not one that PDHG is best at."""

from __future__ import annotations

import math
from collections.abc import Callable

from solvers.engine.prices import Prices
from solvers.proximal.arrays import ProximalStep
from solvers.proximal.constants import Constants
from solvers.proximal.full import FullProblem
from solvers.proximal.iterates import CellVector


class Switch:
    """Looks at the gap every few iterations. Where many sources are slack (used, but below their limit), all their
    edges stay in the subproblem: such an instance is left to PDHG for longer, a large one as long as that holds.
    """

    def __init__(self, constants: Constants | None = None) -> None:
        self._k = constants or Constants()
        self._next_look = self._k.first_look
        self._best = math.inf
        self._best_before = math.inf
        self._deferred = False

    def due(self, iteration: int, gap: float, edges: int, many_slack: Callable[[], bool]) -> bool:
        """Whether Newton takes over after this iteration; `many_slack` is asked only where the rate has fallen."""
        self._best = min(self._best, gap)
        if iteration == self._next_look - self._k.look_every and not self._deferred:
            self._best_before = self._best
        if iteration < self._next_look:
            return False

        slow = self._best > self._best_before / self._k.fast
        deferred_enough = self._deferred and edges <= self._k.slack_edges
        if slow and (deferred_enough or not many_slack()):
            return True
        self._best_before = self._best
        self._deferred = slow
        self._next_look += self._k.defer if slow else self._k.look_every
        return False

    def many_slack(self, problem: FullProblem, x: CellVector, price: Prices, weight: float) -> bool:
        """Whether a long proximal step from x still leaves many sources slack; weight: PDHG's primal weight."""
        at = ProximalStep(centre=x, step=self._k.slack_step / weight, price=price)
        return problem.slack_share(at) > self._k.slack_threshold
