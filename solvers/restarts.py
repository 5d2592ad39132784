"""When blockpdhg restarts, and its primal weight w, which only a restart moves (the rules of r2HPDHG and PDLP)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from solvers.engine.kernel import Mix
from solvers.halpern_state import Options

#: The primal weight stays within this factor of where it started, and of where the largest costs would have it start:
#: near ties it would drift on without end.
_DRIFT = 100.0
_NUMBERS = ("weight", "_first_weight", "_inner", "_first_residual", "_last_residual")


class Restarts:
    """weight: the primal weight; balance, most: ||c|| / ||b|| with the usual costs and with all. The inner count and
    the residuals are those since the last restart.
    """

    def __init__(self, options: Options, balance: float, *, most: float) -> None:
        self._options = options
        self.weight = self._first_weight = options.initial_weight * balance
        self._most_weight = options.initial_weight * most * _DRIFT
        self._inner, self._first_residual, self._last_residual = 0, math.inf, math.inf

    def mix(self) -> Mix:
        """(k + 1)/(k + 2) (2 z_t - z) + 1/(k + 2) z_anchor; z_t at k = 0, where z is the anchor."""
        if self._inner == 0:
            return Mix(projected=1.0, centre=0.0, anchor=0.0)
        share = (self._inner + 1) / (self._inner + 2)
        return Mix(projected=2 * share, centre=-share, anchor=1 - share)

    def due(self, iteration: int, residual: float) -> bool:
        """Whether to restart after this iteration, in which z was mixed."""
        options = self._options
        self._inner += 1
        if self._inner == 1:
            self._first_residual, self._last_residual = residual, residual
            return False
        grew, self._last_residual = residual > self._last_residual, residual
        return (
            residual <= options.restart_sufficient * self._first_residual
            or (residual <= options.restart_necessary * self._first_residual and grew)
            or self._inner > options.restart_artificial * iteration
        )

    def restarted(self, *, away: float, away_y: float) -> None:
        """The weight follows away_y / away = ||y_t - y_anchor|| / ||x_t - x_anchor||."""
        if away > 0 and away_y > 0:
            share = self._options.weight_smoothing
            moved = (away_y / away) ** share * self.weight ** (1 - share)
            self.weight = min(max(moved, self._first_weight / _DRIFT), self._most_weight)
        self._inner, self._first_residual, self._last_residual = 0, math.inf, math.inf

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {name: float(getattr(self, name)) for name in _NUMBERS}

    def restore(self, numbers: Mapping[str, float]) -> None:
        for name in _NUMBERS:
            setattr(self, name, numbers[name])
