"""The limits of a run: iterations, seconds, a watcher that asks for the end, and a gap that no longer falls."""

from __future__ import annotations

import math
from collections.abc import Mapping

from solvers.base import Status
from solvers.engine.context import SolveContext
from solvers.settings import Settings
from solvers.watching import current

#: A gain is a gap smaller by this share, or a bound higher by this share of the tolerance.
_GAIN = 1e-3
#: A run without limits ends after this many times the iterations of its last gain ...
_STRETCH = 9
#: ... and this many more, which a short run may need before its first gain.
_PATIENCE = 10_000
#: A proof may pass the time limit by this share of it.
_GRACE = 0.02


class Limits:
    """When a run has to end, whatever its gap. Alike on all ranks, because the clock is."""

    def __init__(self, settings: Settings, context: SolveContext) -> None:
        self._settings = settings
        self._context = context
        self._watch = current()
        self._last_gain = 0
        self._lowest_gap = math.inf
        self._highest_bound = -math.inf
        self._given_up = False

    def reached(self, iteration: int) -> Status | None:
        """The limit that `iteration` finished iterations have reached."""
        settings = self._settings
        if self.stalled(iteration):
            return Status.ITERATION_LIMIT
        if settings.iteration_limit is not None and iteration >= settings.iteration_limit:
            return Status.ITERATION_LIMIT
        if settings.time_limit is not None and self._context.seconds >= settings.time_limit:
            return Status.TIME_LIMIT
        return Status.TIME_LIMIT if self._watch.stopped else None

    @property
    def remaining(self) -> float:
        """Seconds that a last proof may take: those to the time limit, a few more where it is reached."""
        limit = self._settings.time_limit
        if limit is None:
            return math.inf
        return max(_GRACE * limit, limit - self._context.seconds)

    def note(self, iteration: int, gap: float, bound: float) -> None:
        """Remember whether the iteration gained anything."""
        rise = _GAIN * self._settings.tolerance * max(1.0, abs(bound))
        if gap < (1 - _GAIN) * self._lowest_gap or bound > self._highest_bound + rise:
            self._last_gain = iteration
            self._lowest_gap = min(gap, self._lowest_gap)
            self._highest_bound = bound

    def give_up(self) -> None:
        """The method knows by itself that more iterations gain nothing."""
        self._given_up = True

    def stalled(self, iteration: int) -> bool:
        """Whether the run gains nothing any more: the method says so, or a run without limits would never end.

        A run that has a limit goes on to it, because gains may be rarer than this.
        """
        settings = self._settings
        limited = settings.iteration_limit is not None or settings.time_limit is not None
        return self._given_up or (not limited and iteration > _PATIENCE + _STRETCH * self._last_gain)

    def numbers(self) -> dict[str, float]:
        """For a checkpoint."""
        return {
            "last_gain": self._last_gain,
            "lowest_gap": self._lowest_gap,
            "highest_bound": self._highest_bound,
        }

    def restore(self, numbers: Mapping[str, float]) -> None:
        self._last_gain = int(numbers["last_gain"])
        self._lowest_gap = numbers["lowest_gap"]
        self._highest_bound = numbers["highest_bound"]
