"""Newton's method at once, from a warm start that turns out to be near."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from solvers.engine.iterate import Finish, Method
from solvers.proximal.iterates import CellVector
from solvers.proximal.outer import Handover, Inputs, ProximalNewton

#: Estimated gap after the first pass up to which a warm start is near: 0.006 to 0.03 after a day of 1 % or 5 % drift,
#: 0.2 and more where values are others, and on `dualip`, where few sources are tight and Newton's passes dear.
_NEAR = 0.1


class ProofInCells(Protocol):
    """Proves a point where it lies, with the best dual so far."""

    def __call__(self, cells: CellVector, *, last: bool) -> Finish: ...


class FromStart(ProximalNewton):
    """The first full pass makes an x that goes with the prices of the start; by its gap Newton goes on or not."""

    def __init__(
        self, inputs: Inputs, start: Handover, give_up: Callable[[float], Method], prove: ProofInCells | None
    ) -> None:
        """give_up: the method that goes on where the start is not near, given its gap. prove: None where x has to be
        brought into the order of the edges first.
        """
        super().__init__(inputs, start)
        self._give_up = give_up
        self._prove = prove

    def finish(self, *, last: bool) -> Finish:
        """As after PDHG: proved in the cells, because after so few passes sorting edges is a large part of a run."""
        if self._prove is None:
            return super().finish(last=last)
        return self._prove(self._end_point(last=last), last=last)

    def advance(self, iteration: int) -> Method:
        """Go on to the next full pass, or leave the run to another method after the first."""
        first = iteration == self._first_iteration + 1
        if first and self._point.gap > _NEAR:
            return self._give_up(self._point.gap)
        return super().advance(iteration)
