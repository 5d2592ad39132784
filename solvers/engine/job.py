"""One solve by one or many ranks: each holds its own sources, and every pass ends in a sum over the ranks.

J destinations. Prices, duals and steps are the same bits on every rank, so each makes the same decision by itself and
nothing but this sum travels: loads[J] and six scalars, 4 J + 24 bytes with wire="float32". Newton's method
(solvers.proximal) sums in float64 whatever the wire, and between the passes as well.
"""

from __future__ import annotations

import abc
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import OptionError, Settings, Solver, Vector
from solvers.engine.collectives import LOCAL, Group
from solvers.engine.kernel import Kernel, Mix, Pass, Tensor
from solvers.engine.magnitudes import beyond_range

if TYPE_CHECKING:
    from solvers.engine.certificate import Certificate
    from solvers.engine.checkpoint import Keeper, Saved

#: Below this tolerance a float32 sum on the wire would show in the estimate of the gap.
_FLOAT32_TOLERANCE = 1e-5
_SCALARS = 6


class Job:
    """The group a solver works in, the clock that its ranks agree on, and where it keeps checkpoints.

    wire: type of the numbers that travel, "auto" for float32 where the tolerance allows it. steps: seconds of each
    pass on this rank, one (from the end of the pass before, in collectives) a pass, for who wants to know.
    """

    def __init__(self, group: Group = LOCAL, *, wire: str = "auto", keeper: Keeper | None = None) -> None:
        if wire not in ("auto", "float32", "float64"):
            raise OptionError(f"wire={wire!r}: expected auto, float32 or float64")
        self.group, self.wire, self.keeper = group, wire, keeper
        self.steps: list[tuple[float, float]] = []
        self.certificate: Mapping[str, float] = {}
        self.start()

    def start(self, already: float = 0.0) -> None:
        """The clock of a run starts, `already` seconds into it where it goes on from a checkpoint."""
        self._began = time.perf_counter() - already
        self._agreed: Tensor = already
        self._last = (time.perf_counter(), self.group.seconds)
        self.steps.clear()

    @property
    def seconds(self) -> float:
        """Since the start; over several ranks their mean at the last pass, the same number on each."""
        return time.perf_counter() - self._began if self.group.size == 1 else float(self._agreed)

    def packed_bytes(self, destinations: int, settings: Settings) -> int:
        """Bytes that a rank contributes to the sum of a pass."""
        return (destinations + _SCALARS) * (4 if self.wire_type(settings) == "float32" else 8)

    def share(self, result: Pass, wire: str) -> Pass:
        """The pass summed over the ranks in the type `wire`; `values` stay those of this rank."""
        if self.group.size > 1:
            result = self._summed(result, wire)
        now, spent = time.perf_counter(), self.group.seconds
        self.steps.append((now - self._last[0], spent - self._last[1]))
        self._last = (now, spent)
        return result

    def _summed(self, result: Pass, wire: str) -> Pass:
        import torch

        elapsed = result.sums.new_full((1,), time.perf_counter() - self._began)
        packed = torch.cat((result.loads, result.sums, elapsed, torch.ones_like(elapsed)))
        packed = packed.to(getattr(torch, wire))
        self.group.reduce(packed)
        packed = packed.double()
        size = result.loads.numel()
        self._agreed = packed[-2] / packed[-1]
        return replace(result, loads=packed[:size], sums=packed[size:-2])

    def share_exactly(self, result: Pass) -> Pass:
        """The pass with its values summed over the ranks in float64."""
        import torch

        if self.group.size == 1:
            return result
        packed = torch.cat((result.loads, result.values, result.sums))
        self.group.reduce(packed)
        size = result.loads.numel()
        return Pass(loads=packed[:size], values=packed[size : 2 * size], sums=packed[2 * size :])

    def total(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """values[n] summed over the ranks in float64, with the clock; for what is evaluated between two passes."""
        elapsed = time.perf_counter() - self._began
        packed = self.group.sum(np.concatenate((values, (elapsed, 1.0))))
        self._agreed = packed[-2] / packed[-1]
        return packed[:-2]

    def anywhere(self, fact: bool) -> bool:  # noqa: FBT001
        """Whether it holds on some rank."""
        return bool(self.group.max(np.array([float(fact)]))[0])

    def judged(self, certificate: Certificate) -> float:
        """Keep the last certificate over all ranks; its gap."""
        gap = certificate.gap
        self.certificate = {"dual_bound": certificate.bound, "feasible_objective": certificate.objective, "gap": gap}
        return gap

    def checkpoint_due(self) -> bool:
        return self.keeper is not None and self.keeper.due(self.seconds)

    def save(self, state: Saved) -> None:
        if self.keeper is not None:
            self.keeper.save(state)

    def load(self) -> Saved | None:
        """The checkpoint to go on from, None to start; the clock goes on where it stopped."""
        saved = None if self.keeper is None else self.keeper.load()
        if saved is not None:
            self.start(saved.seconds)
        return saved

    def wire_type(self, settings: Settings) -> str:
        """float32 or float64, what travels."""
        if self.wire != "auto":
            return self.wire
        return "float32" if settings.tolerance >= _FLOAT32_TOLERANCE else "float64"


class ShardedSolver(Solver):
    """A solver that takes the sources of one rank as its LP and works with the other ranks through a Job.

    The arrays of the LP are those of its own sources, b that of the whole; `Answer.x` is of its own sources as well.
    One that `streams` has the option `memory` of solvers.engine.room.
    """

    def unsuited(self, lp: MatchingLP) -> str:
        """Beside the reasons that any solver has, numbers whose products leave float64."""
        return super().unsuited(lp) or beyond_range(lp)

    @abc.abstractmethod
    def prepare(self, lp: MatchingLP, settings: Settings, job: Job | None = None) -> Any:
        """As in Solver; without a job the LP is the whole instance."""


class SharedKernel:
    """A kernel on the sources of this rank whose passes are those of all ranks; see solvers.engine.kernel.Kernel."""

    def __init__(self, kernel: Kernel, job: Job, settings: Settings) -> None:
        self._kernel, self._job, self._wire = kernel, job, job.wire_type(settings)
        self.name, self.device, self.destinations = kernel.name, kernel.device, kernel.destinations
        self.terms = kernel.terms

    def zeros(self) -> Tensor:
        return self._kernel.zeros()

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        return self._kernel.load(cells)

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return self._kernel.unload(primal)

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        return self._job.share(self._kernel.project(price, step, values=values), self._wire)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        return self._job.share(self._kernel.advance(price, step, x, anchor, mix, values=values), self._wire)

    def judge(self, price: Tensor, x: Tensor) -> Pass:
        return self._job.share_exactly(self._kernel.judge(price, x))

    def answer(self, x: Tensor, factor: Tensor, dtype: str, room: Tensor) -> Vector:
        return self._kernel.answer(x, factor, dtype, room)
