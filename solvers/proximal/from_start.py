"""Newton's method at once, from a warm start that turns out to be near."""

from __future__ import annotations

from collections.abc import Callable

from solvers.engine.iterate import Method
from solvers.proximal.outer import Handover, Inputs, ProximalNewton

#: Estimated gap after the first pass up to which a warm start is near: 0.006 to 0.03 after a day of 1 % or 5 % drift,
#: 0.2 and more where values are others, and on `dualip`, where few sources are tight and Newton's passes dear.
_NEAR = 0.1


class FromStart(ProximalNewton):
    """The first full pass makes an x that goes with the prices of the start; by its gap Newton goes on or not."""

    def __init__(self, inputs: Inputs, start: Handover, give_up: Callable[[], Method]) -> None:
        """give_up: the method that goes on where the start is not near."""
        super().__init__(inputs, start)
        self._give_up = give_up

    def advance(self, iteration: int) -> Method:
        """Go on to the next full pass, or leave the run to another method after the first."""
        first = iteration == self._first_iteration + 1
        if first and self._point.gap > _NEAR:
            return self._give_up()
        return super().advance(iteration)
