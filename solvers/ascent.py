"""What an ascent of a concave function of a dual is, and the accelerated one of DuaLip 5.0.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from solvers.engine.kernel import Tensor
from solvers.engine.tensors import as_numpy

Arrays = Mapping[str, npt.NDArray[np.float64]]
V = TypeVar("V")
#: (point, gradient, step) to the next point.
Step = Callable[[Tensor, Tensor, Tensor], Tensor]

#: Differences of gradients to the points before from which the step size is taken, as in DuaLip.
_NEIGHBOURS = 14
_STATE = ("point", "y", "t", "slopes", "gradient", "last_y", "largest", "step")


class Ascent(Protocol[V]):
    """Moves a point of R numbers upwards, given gradients alone. V: a tensor, or float64[R] on the host."""

    @property
    def point(self) -> V:
        """Where the caller evaluates the gradient."""

    def ascend(self, gradient: V) -> None:
        """Move on, given the gradient at `point`."""

    def shrink(self, factor: float) -> None:
        """The ridge was multiplied by `factor` < 1, so that the gradient changes faster by 1 / factor."""

    def state(self) -> dict[str, npt.NDArray[np.float64]]:
        """Everything that changes, on the host, for a checkpoint."""

    def restore(self, state: Arrays) -> None:
        """Go on from `state`. Raises KeyError where something is missing."""


class AcceleratedAscent:
    """Nesterov's ascent with the step of DuaLip 5.0.1: 1 / the largest of 14 local slopes.

    `point` is where the caller evaluates the gradient. t_0 = 0, t_k = (1 + sqrt(1 + 4 t_{k-1}^2)) / 2 and
    point = (1 - beta) y_new + beta y with beta = (1 - t_k) / t_{k+1} (beta <= 0: an extrapolation).
    All scalars stay tensors, so that no step waits for the device.

    take_step(point, gradient, step) is y_new: DuaLip's max(0, point + step gradient), or what the sides of the rows
    make of it; then `gradient` is that of the smooth part (accelerated proximal gradient: Beck and Teboulle 2009).
    """

    def __init__(self, start: Tensor, *, take_step: Step, initial_step: float, max_step: float) -> None:
        self.point = start.clone()
        self._y = start.clone()
        self._t = start.new_tensor(1.0)
        self._slopes = start.new_full((_NEIGHBOURS,), float("inf"))
        self._gradient: Tensor | None = None
        self._last_y = start
        self._initial = start.new_tensor(initial_step)
        self._largest = start.new_tensor(max_step)
        self._step = self._initial
        self._count = 0
        self._take_step = take_step

    def ascend(self, gradient: Tensor) -> None:
        """One step, given the gradient at `point`."""
        import torch

        self._remember(gradient)
        slope = self._slopes.max()
        usable = torch.isfinite(slope)
        self._step = torch.where(usable, torch.minimum(1 / slope, self._largest), self._initial)

        y = self._take_step(self.point, gradient, self._step)
        following = (1 + torch.sqrt(1 + 4 * self._t**2)) / 2
        beta = (1 - self._t) / following
        self.point = (1 - beta) * y + beta * self._y
        self._y = y
        self._t = following

    def shrink(self, factor: float) -> None:
        """The largest step shrinks with the ridge."""
        self._largest = self._step * factor

    def state(self) -> dict[str, npt.NDArray[np.float64]]:
        """Everything that changes, for a checkpoint."""
        gradient = self._y.new_empty(0) if self._gradient is None else self._gradient
        tensors = (self.point, self._y, self._t, self._slopes, gradient, self._last_y, self._largest, self._step)
        return {**dict(zip(_STATE, map(as_numpy, tensors), strict=True)), "count": np.array(float(self._count))}

    def restore(self, state: Arrays) -> None:
        """Go on from `state`."""
        tensors = (self.point.new_tensor(state[name]) for name in _STATE)
        self.point, self._y, self._t, self._slopes, gradient, self._last_y, self._largest, self._step = tensors
        self._gradient = gradient if gradient.numel() else None
        self._count = int(state["count"])

    def _remember(self, gradient: Tensor) -> None:
        """Keep ||difference of gradients|| / ||difference of y|| for the last 14 neighbours."""
        if self._gradient is not None:
            slope = (gradient - self._gradient).norm() / (self._y - self._last_y).norm()
            self._slopes[self._count % _NEIGHBOURS] = slope
            self._count += 1
        self._gradient = gradient
        self._last_y = self._y
