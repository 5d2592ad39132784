"""The context of one solve: the ranks that take part, the clock they agree on, and the checkpoints of the run.

J destinations. Each rank holds its own sources, and every pass ends in a sum over the ranks. Prices, duals and steps
are the same bits on every rank, so each rank makes the same decision by itself and nothing but this sum travels:
loads[J] and six scalars, 4 J + 24 bytes with reduce_dtype="float32". Newton's method (solvers.proximal) sums in float64
whatever the reduce_dtype, and between the passes as well.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from solvers.engine.certificate import Certificate
from solvers.engine.checkpoint import CheckpointStore, Snapshot
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.kernel import Pass, Tensor
from solvers.settings import OptionError, Settings

#: Below this tolerance the rounding of a float32 sum would show in the estimate of the gap.
_FLOAT32_TOLERANCE = 1e-5
#: Beside the loads: four sums of a pass, the seconds of a rank, and 1 to count the ranks.
_SCALARS = 6


class SolveContext:
    """The ranks that solve together, their common clock, and the store of their checkpoints.

    group: the ranks. reduce_dtype: type of the numbers that are summed over the ranks, "auto" for float32 where the
    tolerance allows it. checkpoints: where snapshots of the run are kept, None without.
    """

    steps: list[tuple[float, float]]
    """steps[k] = (seconds since the previous pass of this rank ended, seconds of that in collectives)."""

    certificate: Mapping[str, float]
    """The last certificate over all ranks, as a record shows it."""

    def __init__(
        self, group: Communicator = LOCAL, *, reduce_dtype: str = "auto", checkpoints: CheckpointStore | None = None
    ) -> None:
        if reduce_dtype not in ("auto", "float32", "float64"):
            raise OptionError(f"reduce_dtype={reduce_dtype!r}: expected auto, float32 or float64")
        self.group = group
        self.checkpoints = checkpoints
        self.steps = []
        self.certificate = {}
        self._reduce_dtype = reduce_dtype
        self.start()

    def start(self, already: float = 0.0) -> None:
        """Start the clock of a run, `already` seconds into it where the run goes on from a checkpoint."""
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
        return (destinations + _SCALARS) * (4 if self.reduce_dtype(settings) == "float32" else 8)

    def reduce_dtype(self, settings: Settings) -> str:
        """float32 or float64: the type in which passes are summed over the ranks."""
        if self._reduce_dtype != "auto":
            return self._reduce_dtype
        return "float32" if settings.tolerance >= _FLOAT32_TOLERANCE else "float64"

    def sum_pass(self, result: Pass, reduce_dtype: str) -> Pass:
        """The pass summed over the ranks in the type `reduce_dtype`; `values` stay those of this rank."""
        if self.group.size > 1:
            result = self._summed(result, reduce_dtype)
        now, in_collectives = time.perf_counter(), self.group.seconds
        self.steps.append((now - self._last[0], in_collectives - self._last[1]))
        self._last = (now, in_collectives)
        return result

    def _summed(self, result: Pass, reduce_dtype: str) -> Pass:
        import torch

        elapsed = result.sums.new_full((1,), time.perf_counter() - self._began)
        packed = torch.cat((result.loads, result.sums, elapsed, torch.ones_like(elapsed)))
        packed = packed.to(getattr(torch, reduce_dtype))
        self.group.reduce(packed)
        packed = packed.double()
        size = result.loads.numel()
        self._agreed = packed[-2] / packed[-1]
        return replace(result, loads=packed[:size], sums=packed[size:-2])

    def sum_pass_exactly(self, result: Pass) -> Pass:
        """The pass with its values summed over the ranks in float64."""
        import torch

        if self.group.size == 1:
            return result
        packed = torch.cat((result.loads, result.values, result.sums))
        self.group.reduce(packed)
        size = result.loads.numel()
        return Pass(loads=packed[:size], values=packed[size : 2 * size], sums=packed[2 * size :])

    def total(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """values[n] summed over the ranks in float64, with the clock; for evaluations between two passes."""
        elapsed = time.perf_counter() - self._began
        packed = self.group.sum(np.concatenate((values, (elapsed, 1.0))))
        self._agreed = packed[-2] / packed[-1]
        return packed[:-2]

    def anywhere(self, fact: bool) -> bool:  # noqa: FBT001
        """Whether it holds on some rank."""
        return bool(self.group.max(np.array([float(fact)]))[0])

    def record_certificate(self, certificate: Certificate) -> float:
        """Keep the last certificate over all ranks; its gap."""
        gap = certificate.gap
        self.certificate = {"dual_bound": certificate.bound, "feasible_objective": certificate.objective, "gap": gap}
        return gap

    def checkpoint_due(self) -> bool:
        return self.checkpoints is not None and self.checkpoints.due(self.seconds)

    def save(self, snapshot: Snapshot) -> None:
        if self.checkpoints is not None:
            self.checkpoints.save(snapshot)

    def load(self) -> Snapshot | None:
        """The snapshot to go on from, None to start; the clock goes on where it stopped."""
        snapshot = None if self.checkpoints is None else self.checkpoints.load()
        if snapshot is not None:
            self.start(snapshot.seconds)
        return snapshot
