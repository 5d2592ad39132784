"""What came of one case, from the moment it ends until it is a row of the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.arrays import array_hash, write_array
from harness.certificate import Certificate
from harness.instance_form import instance_form
from harness.record import InstanceForm, Seconds
from harness.repair import repaired_point
from harness.staying import Started
from instances import MatchingLP, content_hash
from solvers import Answer, Start, Status


@dataclass(frozen=True, kw_only=True)
class ArrayFacts:
    """What a row says of the arrays of a case, which stay in the process that made them."""

    edges: int | None = None
    """E of the instance; None where the instance was never made."""

    content_hash: str | None = None
    """Of the arrays of the instance (instances.content_hash)."""

    form: InstanceForm | None = None
    """What the instance is, in words."""

    x_hash: str | None = None
    """Of x as the referee got it (harness.arrays.array_hash)."""

    x_kept: bool = False
    """Whether x was written into the file that the case names for it."""

    @staticmethod
    def of(lp: MatchingLP, answer: Answer | None, keep_x: str = "") -> ArrayFacts:
        """Of an instance, and of an answer to it; x goes to the file `keep_x`, if one is named."""
        x = None if answer is None else answer.x
        return ArrayFacts(
            edges=lp.edges,
            content_hash=content_hash(lp),
            form=instance_form(lp),
            x_hash=array_hash(x),
            x_kept=bool(keep_x) and write_array(Path(keep_x), x),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What came of one case."""

    status: Status
    """How the case ended, by the referee's word."""

    reason: str = ""
    """One line for anything but solved."""

    seconds: Seconds = field(default_factory=Seconds)
    """Wall time of each step."""

    answer: Answer | None = None
    """What the solver returned, in plain arrays; None where it returned nothing. Its x is the solver's own, which need
    not satisfy the constraints, and None where another process judged it."""

    certificate: Certificate | None = None
    """What the referee says of the answer; None where nothing was judged."""

    peak_memory: Mapping[str, int | None] = field(default_factory=dict)
    """Bytes at the peak by "host" and "device"."""

    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds of prepare and run, of all processes of the case; read from outside, so empty without isolation."""

    disturbance: Mapping[str, float | None] = field(default_factory=dict)
    """What else the machine did during `run` (harness/disturbance.py)."""

    isolated: bool = False
    """Whether the solver ran in a process of its own, was timed from outside and judged in another process."""

    started: Started | None = None
    """What is known of the start; None for a cold run."""

    arrays: ArrayFacts = field(default_factory=ArrayFacts)
    """What a row says of instance and x."""

    lp: MatchingLP | None = field(default=None, repr=False)
    """The instance that was judged; None where another process holds it."""

    @cached_property
    def x(self) -> npt.NDArray[np.float64] | None:
        """The point float64[E] of the certificate, made when it is first asked for: feasible where it has a
        feasible_objective, near the rows where it only has a row_violation; None where it has neither.
        """
        if self.lp is None or self.answer is None or self.certificate is None:
            return None
        if self.certificate.feasible_objective is None and self.certificate.row_violation is None:
            return None
        return repaired_point(self.lp, self.answer.x)

    @property
    def start(self) -> Start | None:
        """Where a next solve can begin: the solver's own x and dual; None where it gave neither, or not in numbers."""
        answer = self.answer
        given = {} if answer is None else {"x": answer.x, "dual": answer.dual}
        finite = {part: array for part, array in given.items() if array is not None and np.isfinite(array).all()}
        return Start(**finite) if finite else None

    @property
    def raw_status(self) -> str:
        """The solver's own words; "" where it returned nothing."""
        return "" if self.answer is None else self.answer.raw_status

    @property
    def proved_dual(self) -> npt.NDArray[np.float64] | None:
        """The dual float64[R] behind `certificate.dual_bound`; None where no bound is proved."""
        proved = self.certificate is not None and self.certificate.dual_bound is not None
        if not proved or self.answer is None or self.answer.dual is None:
            return None
        return self.answer.dual.astype(np.float64)


def refused(error: BaseException) -> Result:
    """The result of a case that could not be tried: bad input, or no memory for the instance."""
    status = Status.MEMORY_LIMIT if isinstance(error, MemoryError) else Status.ERROR
    return Result(status=status, reason=" ".join(str(error).split()) or "memory ran out")
