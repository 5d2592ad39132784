"""What every solver on the engine keeps while it runs: limits, the best bound, the trace, and when to try a proof."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from solvers.base import Settings, Status, TracePoint
from solvers.engine.certificate import factor_within, relative_gap
from solvers.engine.job import Job
from solvers.engine.kernel import Pass, as_numpy

#: After a proof that failed, the estimate has to fall to this share of what it was before the next try.
_RETRY = 0.7


class LostNumberError(ArithmeticError):
    """A quantity of the iteration is not finite; the message names both."""


class Progress:
    """Estimates of the gap from the float32 passes, cheap and unproved; certificate.py gives the proof.

    best_dual float64[J] is the dual with the highest estimated bound so far.
    """

    def __init__(self, settings: Settings, b: npt.NDArray[np.float64], job: Job, *, has_equality: bool) -> None:
        self.trace: list[TracePoint] = []
        self.best_bound = -math.inf
        self.best_dual = np.zeros_like(b)
        self._settings = settings
        self._b = b
        self._penalise = has_equality
        self._failed = math.inf
        self._job = job
        job.start()

    def estimate(self, iteration: int, result: Pass, dual: npt.NDArray[np.float64]) -> float:
        """The gap as it looks after a pass at `dual` >= 0, kept in the trace. Raises LostNumberError."""
        sums, loads = as_numpy(result.sums), as_numpy(result.loads)
        for name, array in (("dual", dual), ("objective and bound", sums), ("loads", loads)):
            if not np.isfinite(array).all():
                raise LostNumberError(f"{name} not finite in iteration {iteration}")
        bound = float(sums[0] - self._b @ dual)
        if bound > self.best_bound:
            self.best_bound, self.best_dual = bound, dual.copy()
        gap = relative_gap(self._objective(result, loads, float(sums[3])), self.best_bound)
        self.trace.append(TracePoint(seconds=self._job.seconds, iteration=iteration, gap=gap))
        return gap

    def _objective(self, result: Pass, loads: npt.NDArray[np.float64], value: float) -> float:
        """c'x of the point that scaling repairs, where the pass has values by destination.

        Else, and with '=' sources, which scaling does not repair: c'x and the violation at its price.
        """
        if result.values is None or self._penalise:
            return value + float(self.best_dual @ np.maximum(0.0, loads - self._b))
        mine = float(factor_within(self._b, loads) @ as_numpy(result.values))
        return float(self._job.group.sum(np.array([mine]))[0])

    def worth_proving(self, gap: float) -> bool:
        return gap <= self._settings.tolerance and gap <= _RETRY * self._failed

    def not_proved(self, gap: float) -> None:
        self._failed = max(gap, 1e-3 * self._settings.tolerance)

    def limit(self, iteration: int) -> Status | None:
        """The limit that `iteration` finished iterations have reached."""
        settings = self._settings
        if settings.iteration_limit is not None and iteration >= settings.iteration_limit:
            return Status.ITERATION_LIMIT
        if settings.time_limit is not None and self._job.seconds >= settings.time_limit:
            return Status.TIME_LIMIT
        return None

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps beside best_dual."""
        return {"best_bound": self.best_bound, "failed": self._failed}

    def restore(self, numbers: Mapping[str, float], best_dual: npt.NDArray[np.float64]) -> None:
        self.best_bound, self._failed, self.best_dual = numbers["best_bound"], numbers["failed"], best_dual
