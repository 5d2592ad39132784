"""When blockpdhg restarts, and its primal weight w, which only a restart moves (the rules of r2HPDHG and PDLP)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from solvers.engine.kernel import Mix

#: The primal weight stays within this factor of its start, and of the start that the largest costs would give: near
#: ties it would drift on without end.
_DRIFT = 100.0


@dataclass(frozen=True, kw_only=True)
class RestartRules:
    """The numbers of the rules. r is the fixed-point residual, r_0 that of the first iteration after a restart."""

    sufficient: float
    """Restart when r <= this share of r_0."""

    necessary: float
    """Restart when r <= this share of r_0 and r has grown."""

    artificial: float
    """Restart when the iterations since the last restart pass this share of all."""

    smoothing: float
    """Exponent of the new primal weight in its geometric mean with the old."""

    initial_weight: float
    """The first primal weight, in units of ||c|| / ||b||."""

    warm_weight: float
    """That of a warm start, in units of a cold run's."""


class Restarts:
    """The primal weight, and the residuals since the last restart.

    norm_ratio: ||c|| / ||b|| with the usual costs. largest_norm_ratio: the same with all costs, forbidden edges
    included (see solvers.engine.costs).
    """

    def __init__(self, rules: RestartRules, *, norm_ratio: float, largest_norm_ratio: float) -> None:
        self._rules = rules
        cold = rules.initial_weight * norm_ratio
        self.weight = cold
        self._least_weight = cold / _DRIFT
        self._largest_weight = rules.initial_weight * largest_norm_ratio * _DRIFT
        self._inner = 0
        self._first_residual = math.inf
        self._last_residual = math.inf

    def expect_start(self) -> None:
        """The first point is a warm start."""
        self.weight *= self._rules.warm_weight

    def mix(self) -> Mix:
        """(k + 1)/(k + 2) (2 z_t - z) + 1/(k + 2) z_anchor; z_t at k = 0, where z is the anchor."""
        if self._inner == 0:
            return Mix(projected=1.0, centre=0.0, anchor=0.0)
        share = (self._inner + 1) / (self._inner + 2)
        return Mix(projected=2 * share, centre=-share, anchor=1 - share)

    def due(self, iteration: int, residual: float) -> bool:
        """Whether to restart after this iteration, in which z was mixed."""
        rules = self._rules
        self._inner += 1
        if self._inner == 1:
            self._first_residual = residual
            self._last_residual = residual
            return False

        grew = residual > self._last_residual
        self._last_residual = residual
        return (
            residual <= rules.sufficient * self._first_residual
            or (residual <= rules.necessary * self._first_residual and grew)
            or self._inner > rules.artificial * iteration
        )

    def restarted(self, *, distance_x: float, distance_y: float) -> None:
        """Begin anew; w <- (||y_t - y_anchor|| / ||x_t - x_anchor||)^s w^(1 - s), s = smoothing."""
        rules = self._rules
        if distance_x > 0 and distance_y > 0:
            moved = (distance_y / distance_x) ** rules.smoothing * self.weight ** (1 - rules.smoothing)
            self.weight = min(max(moved, self._least_weight), self._largest_weight)
        self._inner = 0
        self._first_residual = math.inf
        self._last_residual = math.inf

    def numbers(self) -> dict[str, float]:
        """For a checkpoint."""
        return {
            "weight": self.weight,
            "inner": self._inner,
            "first_residual": self._first_residual,
            "last_residual": self._last_residual,
        }

    def restore(self, numbers: Mapping[str, float]) -> None:
        self.weight = numbers["weight"]
        self._inner = int(numbers["inner"])
        self._first_residual = numbers["first_residual"]
        self._last_residual = numbers["last_residual"]
