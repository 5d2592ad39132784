"""Estimates of the gap after each pass, the best dual so far, the trace, and when a proof is worth its passes.

R coupling rows, E edges. The estimates come from float32 passes, cheap and unproved; proof.py and certificate.py prove.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from solvers.base import Status, TracePoint
from solvers.engine.certificate import ROUNDING, Certificate, relative_gap
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Pass, Tensor
from solvers.engine.limits import Limits
from solvers.engine.row_bounds import RowBounds
from solvers.engine.tensors import as_numpy, dot, factor_within, upload
from solvers.engine.vertex import Search
from solvers.settings import Settings
from solvers.watching import current

#: After a proof that failed, the estimate has to fall to this share of its value then before the next try.
_RETRY = 0.7
#: A point that leaves rows by this much more than the tolerance may be brought within them by a proof.
_MENDED = 10.0
#: A proof that failed at a smaller estimate than this share of the tolerance counts as one at this share: else the
#: estimate, which cannot fall below rounding, might never be small enough for another try.
_LEAST_FAILED = 1e-3
#: The names of Pass.sums, in order: SUPPORT, MOVEMENT, DISTANCE and VALUE of arrays.py.
_SUMS = ("support", "movement", "distance", "value")


class NonFiniteError(ArithmeticError):
    """A quantity of the iteration is NaN or infinite; the message names both."""


def host_scalars(sums: Tensor, scalars: Mapping[str, Tensor]) -> dict[str, float]:
    """The sums of a pass and other scalars of its device by name, read with one synchronisation."""
    import torch

    values = as_numpy(torch.cat((sums, torch.stack(tuple(scalars.values()))))).tolist()
    return dict(zip((*_SUMS, *scalars), values, strict=True))


class Progress:
    """What is known of the gap while a run goes on. Duals, float64[R], may lie on the host or on the passes' device.

    offset: what every objective and bound of a pass lacks (see costs.py). repairable: scaling edges down makes any x
    feasible (see instance.is_repairable), so that rows which x violates are no obstacle.
    """

    def __init__(
        self,
        settings: Settings,
        bounds: RowBounds,
        context: SolveContext,
        *,
        repairable: bool,
        offset: float = 0.0,
    ) -> None:
        self.trace: list[TracePoint] = []
        self.limits = Limits(settings, context)
        self.best_bound = -math.inf
        self.promise = math.inf
        """The gap that a proof may find at the last pass: as estimated, where what leaves rows can be mended."""
        self._bounds = bounds.on("cpu")
        self._best_dual: Tensor = upload(np.zeros(bounds.rows), "cpu")
        self._tolerance = settings.tolerance
        self._repairable = repairable
        self._offset = offset
        self._failed_gap = math.inf
        self._context = context
        self._watch = current()
        context.start()

    @property
    def best_dual(self) -> npt.NDArray[np.float64]:
        """float64[R]: the dual with the highest bound so far, as estimated or as proved."""
        return as_numpy(self._best_dual)

    def estimate(self, iteration: int, result: Pass, dual: npt.NDArray[np.float64] | Tensor) -> float:
        """The gap as it looks after a pass at `dual`, kept in the trace. Raises NonFiniteError."""
        gap, _ = self.measure(iteration, result, dual)
        return gap

    def measure(
        self, iteration: int, result: Pass, dual: npt.NDArray[np.float64] | Tensor, **extra: Tensor
    ) -> tuple[float, dict[str, float]]:
        """`estimate`, with all scalars of the pass and the `extra` ones: the host waits for the device once."""
        dual = self._to_device(dual, result)
        scalars = host_scalars(result.sums, {**self._scalars(result, dual), **extra})
        _require_finite(iteration, scalars)

        bound = scalars["support"] - scalars["dual_cost"] + self._offset
        best_violation = scalars["best_violation"]
        if bound > self.best_bound:
            self.best_bound = bound
            self._best_dual = dual.clone()
            best_violation = scalars["violation"]

        objective = self._objective(scalars, best_violation)
        # At the optimum rounding may put the objective below the bound: the gap is then as small as can be seen.
        gap = relative_gap(max(objective, 2 * self.best_bound - objective), self.best_bound)
        violation = scalars.get("row_violation", 0.0)
        self.promise = max(gap, violation / _MENDED)
        gap = max(gap, violation)
        self._record(iteration, gap)
        return gap, scalars

    def _to_device(self, dual: npt.NDArray[np.float64] | Tensor, result: Pass) -> Tensor:
        """`dual` on the device of the pass, where the sides of the rows and the best dual follow."""
        import torch

        device = result.sums.device
        if self._best_dual.device != device:
            self._bounds = self._bounds.on(device)
        self._best_dual = torch.as_tensor(self._best_dual, device=device)
        return torch.as_tensor(dual, device=device)

    def _scalars(self, result: Pass, dual: Tensor) -> dict[str, Tensor]:
        """What the sides of the rows make of both duals and of the loads, and c'x after scaling each edge by
        min(1, b_j / (A x)_j).

        The last only where the pass has values by destination and scaling repairs x. The first two sums only show
        numbers that are not finite.
        """
        bounds = self._bounds
        scalars = {
            "dual_sum": dual.sum(),
            "loads_sum": result.loads.sum(),
            "dual_cost": bounds.cost(dual),
            "violation": bounds.priced_violation(dual, result.loads),
            "best_violation": bounds.priced_violation(self._best_dual, result.loads),
        }
        if not bounds.ceilings:
            scalars["penalty"] = bounds.penalty(result.loads)
        elif result.values is not None and self._repairable:
            scalars["scaled_value"] = dot(factor_within(bounds.upper, result.loads), result.values)
        if not self._repairable and not bounds.ceilings:
            scalars["row_violation"] = bounds.violation(result.loads)
        return scalars

    def _objective(self, scalars: Mapping[str, float], best_violation: float) -> float:
        """That of the scaled point where it is known, otherwise c'x with what it violates at the prices of the rows."""
        if "scaled_value" in scalars:
            mine = np.array([scalars["scaled_value"]])  # the values of a pass are those of this rank alone
            return float(self._context.group.sum(mine)[0]) + self._offset
        return scalars["value"] + scalars.get("penalty", 0.0) + best_violation + self._offset

    def _record(self, iteration: int, gap: float) -> None:
        self.limits.note(iteration, gap, self.best_bound)
        self.trace.append(TracePoint(seconds=self._context.seconds, iteration=iteration, gap=gap))
        if self._context.group.size == 1:
            self._watch.tell(self.trace[-1])

    def proved(self, bound: float, dual: Tensor) -> None:
        """`bound` is proved for `dual`, and the best there is: estimates in float32 may have been above the truth."""
        self.best_bound = bound
        self._best_dual = dual.clone()

    def forget_bound(self) -> None:
        """Let the next pass set the bound, because float32 passes may have put it above the truth."""
        self.best_bound = -math.inf

    def worth_proving(self, gap: float, reach: float = 1.0) -> bool:
        """Whether `gap` is within the tolerance, for the first proof within `reach` times that, and has fallen well
        since a proof failed.
        """
        within = self._tolerance * (reach if self._failed_gap == math.inf else 1.0)
        return gap <= min(within, _RETRY * self._failed_gap)

    def not_proved(self, gap: float) -> None:
        """A proof failed at this estimate."""
        self._failed_gap = max(gap, _LEAST_FAILED * self._tolerance)

    def limit(self, iteration: int) -> Status | None:
        """The limit that `iteration` finished iterations have reached."""
        return self.limits.reached(iteration)

    @property
    def search(self) -> Search:
        """What a proof may look for: a point within the tolerance, before the time limit."""
        return Search(seconds=self.limits.remaining, enough=self._tolerance)

    def words(self, iteration: int, proved: Certificate) -> str:
        """How to report a run that ends after this iteration with this certificate."""
        stalled = self.limits.stalled(iteration) and proved.gap > self._tolerance
        why = "no more progress at a " if stalled else ""
        gap = "certified gap" if proved.violation <= ROUNDING else "priced gap and violation of"
        return f"{why}{gap} {proved.gap:.2e}"

    def numbers(self) -> dict[str, float]:
        """For a checkpoint, beside best_dual."""
        return {"best_bound": self.best_bound, "failed_gap": self._failed_gap, **self.limits.numbers()}

    def restore(self, numbers: Mapping[str, float], best_dual: npt.NDArray[np.float64]) -> None:
        self.limits.restore(numbers)
        self.best_bound = numbers["best_bound"]
        self._failed_gap = numbers["failed_gap"]
        self._best_dual = upload(best_dual, "cpu")


def _require_finite(iteration: int, scalars: Mapping[str, float]) -> None:
    checks = {
        "dual": scalars["dual_sum"],
        "objective and bound": sum(scalars[name] for name in _SUMS),
        "loads": scalars["loads_sum"],
    }
    for name, number in checks.items():
        if not math.isfinite(number):
            raise NonFiniteError(f"{name} not finite in iteration {iteration}")
