"""Newton's method at once, from a warm start that turns out to be near."""

from __future__ import annotations

from collections.abc import Callable

from solvers.engine.iterate import Method
from solvers.proximal.outer import Handover, Inputs, ProximalNewton

#: Estimated gap after the first pass up to which a warm start is near: 0.006 to 0.03 after a day of 1 % or 5 % drift,
#: 0.2 and more where values are others, or few sources are tight and Newton's passes dear.
NEAR = 0.1


class FromStart(ProximalNewton):
    """The first full pass makes an x that goes with the prices of the start; by its gap Newton goes on or not."""

    def __init__(
        self, inputs: Inputs, start: Handover, *, serves: Callable[[float], bool], give_up: Callable[[], Method]
    ) -> None:
        """serves: whether to go on after a first pass with this gap. give_up: the method that goes on where not."""
        super().__init__(inputs, start)
        self._serves = serves
        self._give_up = give_up

    def advance(self, iteration: int) -> Method:
        """Go on to the next full pass, or leave the run to another method after the first."""
        first = iteration == self._first_iteration + 1
        if first and not self._serves(self._point.gap):
            return self._give_up()
        return super().advance(iteration)
