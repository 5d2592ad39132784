"""The best x that stays near an earlier one: one proximal step, solved to the tolerance.

    minimise  c'x + (rho / 2) ||x - p||^2  over the feasible x,      p the x of the start

is the subproblem of a round of outer.py with centre p and step 1 / rho; its dual phi is maximised by the same Newton's
method from the prices of the start. The gap is that of x in the LP with the costs c + rho (x - p) at the same prices
(Frank-Wolfe gap: Jaggi 2013), over max(1, |bound of the LP|).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from solvers.engine.certificate import Certificate
from solvers.engine.iterate import Assessment, Finish, MethodState
from solvers.engine.prices import Prices
from solvers.engine.repair import repair
from solvers.proximal.outer import Handover, Inputs, Passes, ProximalNewton

#: A round ends at this share of the residual that ended the one before, until the gap is proved.
_TIGHTER = 0.1
#: Below this accuracy of a round rounding is all that is left.
_LEAST = 1e-12


class Staying(ProximalNewton):
    """Newton's method at the centre p and the step 1 / rho; an iteration is a full pass."""

    def __init__(self, inputs: Inputs, start: Handover) -> None:
        """start: p in its iterates, the prices to begin from, and rho as the weight."""
        super().__init__(replace(inputs, constants=replace(inputs.constants, first_step=1.0, take_last=False)), start)
        self._rho = start.weight
        self._p = inputs.to_edges(start.iterates.centre).astype(np.float64)

    @property
    def remark(self) -> str:
        return f"staying near the start with rho {self._rho:g}, by {self._work.systems} Newton systems"

    def step(self, iteration: int, *, last: bool) -> Assessment:
        """The full pass that the rounds wait for, and what slack at a price leaves between F(x) and phi."""
        super().step(iteration, last=last)
        point = self._point
        sides = self._full.pieces.piece(point.price, point.loads, point.price, point.price).side
        slack = float(np.abs(point.price * (point.loads - sides)).sum())
        gap = slack / max(1.0, abs(point.phi))
        return Assessment(gap=gap, worth_proving=self._progress.worth_proving(gap))

    def finish(self, *, last: bool) -> Finish:  # noqa: ARG002 - every pass leaves a point
        """The trial made feasible, with the certificate of the problem of staying."""
        problem = self._inputs.problem
        group = problem.context.group
        dual = self._point.price
        x = self._inputs.to_edges(self._iterates.trial)
        of_lp = repair(problem.lp, x, dual, group)

        c: Any = problem.lp.c + self._rho * (x - self._p)
        staying = replace(problem.lp, c=c.astype(problem.lp.c.dtype))  # the loops are compiled for it
        of_staying = repair(staying, x.copy(), dual, group)
        certificate = Certificate(
            bound=of_lp.bound,
            objective=of_lp.bound + (of_staying.objective - of_staying.bound),
            violation=max(of_lp.violation, of_staying.violation),
            dual=dual,
        )
        return Finish(certificate=certificate, x=lambda: x)

    def snapshot(self) -> MethodState | None:
        """No checkpoint holds p."""
        return None

    def _rounds(self, price: Prices) -> Passes:
        """Rounds at one centre, each more accurate than the last one that converged."""
        point = yield price
        while True:
            end = yield from self._round(point)
            if end.converged:
                self._k = replace(self._k, inexact=_TIGHTER * self._k.inexact)
            if self._k.inexact < _LEAST:
                self._progress.limits.give_up()
            point = yield end.point.price
