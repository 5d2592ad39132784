"""What every solver on the engine keeps while it runs: limits, the best bound, the trace, and when to try a proof."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from solvers.base import Settings, Status, TracePoint
from solvers.engine.certificate import relative_gap
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Pass, Tensor, as_numpy, dot, share_within, upload
from solvers.watching import current

#: After a proof that failed, the estimate has to fall to this share of what it was before the next try.
_RETRY = 0.7
#: Progress is a gap smaller by this share, or a bound that rose by this share of the tolerance.
_GAIN = 1e-3
#: No progress up to this multiple of the last iteration that made some, and so many more, is none any more.
_STRETCH, _PATIENCE = 9, 10_000
#: By this share of the time limit a proof may pass it.
_GRACE = 0.02


class LostNumberError(ArithmeticError):
    """A quantity of the iteration is not finite; the message names both."""


class Progress:
    """Estimates of the gap from the float32 passes, cheap and unproved; proof.py and certificate.py give the proof.

    The duals, float64[J], may lie on the host or on the device of the passes. offset: what every objective and bound of
    a pass lacks (see costs.py).
    """

    def __init__(
        self,
        settings: Settings,
        b: npt.NDArray[np.float64],
        context: SolveContext,
        *,
        has_equality: bool,
        offset: float = 0.0,
    ) -> None:
        self.trace: list[TracePoint] = []
        self.best_bound = -math.inf
        self._best: Tensor = upload(np.zeros_like(b), "cpu")
        self._b = upload(b, "cpu")
        self._settings = settings
        self._penalise = has_equality
        self._offset = offset
        self._failed = math.inf
        self._gained, self._least_gap, self._least_bound = 0, math.inf, -math.inf
        self._context = context
        self._watch = current()
        context.start()

    @property
    def best_dual(self) -> npt.NDArray[np.float64]:
        """float64[J]: the dual with the highest bound so far, as estimated or as proved."""
        return as_numpy(self._best)

    def estimate(self, iteration: int, result: Pass, dual: npt.NDArray[np.float64] | Tensor) -> float:
        """The gap as it looks after a pass at `dual` >= 0, kept in the trace. Raises LostNumberError."""
        return self.look(iteration, result, dual)[0]

    def look(
        self, iteration: int, result: Pass, dual: npt.NDArray[np.float64] | Tensor, *also: Tensor
    ) -> tuple[float, list[float]]:
        """`estimate`, and the numbers `also` of the device: the host waits for it once.

        The objective is that of the point that scaling repairs, where the pass has values by destination; else, and
        with '=' sources, which scaling does not repair, it is c'x and the violation at its price.
        """
        import torch

        device = result.sums.device
        self._b, self._best, dual = (torch.as_tensor(v, device=device) for v in (self._b, self._best, dual))
        over = (result.loads - self._b).clamp(min=0)
        numbers = (dual.sum(), result.loads.sum(), dot(self._b, dual), dot(dual, over), dot(self._best, over))
        by_price = result.values is None or self._penalise
        repaired = () if by_price else (dot(share_within(self._b, result.loads), result.values),)
        heard = as_numpy(torch.cat((result.sums, torch.stack((*numbers, *repaired, *also))))).tolist()
        least, _, _, value, of_dual, of_loads, budget, violation, best_violation, *rest = heard
        for name, number in (("dual", of_dual), ("objective and bound", sum(heard[:4])), ("loads", of_loads)):
            if not math.isfinite(number):
                raise LostNumberError(f"{name} not finite in iteration {iteration}")
        bound = least - budget + self._offset
        if bound > self.best_bound:
            self.best_bound, self._best, best_violation = bound, dual.clone(), violation
        objective = value + best_violation + self._offset
        if repaired:
            objective = float(self._context.group.sum(np.array([rest.pop(0)]))[0]) + self._offset
        # at the optimum rounding may put the objective below the bound: that is as near as one can see
        gap = relative_gap(max(objective, 2 * self.best_bound - objective), self.best_bound)
        self._note_gain(iteration, gap)
        self.trace.append(TracePoint(seconds=self._context.seconds, iteration=iteration, gap=gap))
        if self._context.group.size == 1:
            self._watch.tell(self.trace[-1])
        return gap, rest

    def proved(self, bound: float, dual: Tensor) -> None:
        """`bound` is proved for `dual`, and the best there is: estimates in float32 may have been above the truth."""
        self.best_bound, self._best = bound, dual.clone()

    def worth_proving(self, gap: float, reach: float = 1.0) -> bool:
        """Whether `gap` is within the tolerance, for the first proof within `reach` times that, and has fallen well
        since a proof failed.
        """
        within = self._settings.tolerance * (reach if self._failed == math.inf else 1.0)
        return gap <= min(within, _RETRY * self._failed)

    def not_proved(self, gap: float) -> None:
        self._failed = max(gap, 1e-3 * self._settings.tolerance)

    def _note_gain(self, iteration: int, gap: float) -> None:
        rise = _GAIN * self._settings.tolerance * max(1.0, abs(self.best_bound))
        if gap < (1 - _GAIN) * self._least_gap or self.best_bound > self._least_bound + rise:
            self._gained, self._least_gap, self._least_bound = iteration, min(gap, self._least_gap), self.best_bound

    def stalled(self, iteration: int) -> bool:
        """Whether a run without limits would never end: its gap has not fallen for most of a long run.

        A run that has a limit goes on to it, for progress may be slower than this.
        """
        settings = self._settings
        limited = settings.iteration_limit is not None or settings.time_limit is not None
        return not limited and iteration > _PATIENCE + _STRETCH * self._gained

    def limit(self, iteration: int) -> Status | None:
        """The limit that `iteration` finished iterations have reached; one without progress any more is at its end."""
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
        return math.inf if limit is None else max(_GRACE * limit, limit - self._context.seconds)

    def words(self, iteration: int, proved: float) -> str:
        """What a run says that ends after this iteration with the gap `proved`."""
        why = "no more progress at a " if self.stalled(iteration) and proved > self._settings.tolerance else ""
        return f"{why}certified gap {proved:.2e}"

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps beside best_dual."""
        gained = {"gained": self._gained, "least_gap": self._least_gap, "least_bound": self._least_bound}
        return {"best_bound": self.best_bound, "failed": self._failed, **gained}

    def restore(self, numbers: Mapping[str, float], best_dual: npt.NDArray[np.float64]) -> None:
        self.best_bound, self._failed = numbers["best_bound"], numbers["failed"]
        self._gained = int(numbers["gained"])
        self._least_gap, self._least_bound = numbers["least_gap"], numbers["least_bound"]
        self._best = upload(best_dual, "cpu")
