"""One solver on one instance, timed and judged: the path that a notebook, the worker and pytest-benchmark share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import disturbance, memory
from harness.answers import availability, checked, fingerprint
from harness.arguments import require_problem
from harness.clock import Stopwatch
from harness.records import Seconds
from harness.referee import Certificate, certify
from harness.repair import repaired_point
from harness.verdict import verdict
from instances import InputError, MatchingLP
from solvers import Answer, OptionError, Settings, Solver, Status, get_solver
from solvers.base import parse_options

Phase = Callable[[str], None]
#: Calls the solver's run; pytest-benchmark puts its own clock here.
Call = Callable[[Callable[[], Answer]], Answer]


class UnavailableError(InputError):
    """The solver cannot run here; the text says what to install."""


class InstanceChangedError(RuntimeError):
    """What the referee would judge is no longer what the solver was given."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What came of one case. `answer` is None where the solver gave none, `certificate` where nothing was judged.

    disturbance: what else the machine did during `run` (harness/disturbance.py). lp: the instance that was judged.
    """

    status: Status
    reason: str
    seconds: Seconds
    answer: Answer | None = None
    certificate: Certificate | None = None
    peak_memory: Mapping[str, int | None] = field(default_factory=dict)
    disturbance: Mapping[str, float | None] = field(default_factory=dict)
    lp: MatchingLP | None = field(default=None, repr=False)

    @cached_property
    def x(self) -> npt.NDArray[np.float64] | None:
        """The feasible point float64[E] of `certificate.feasible_objective`, made when it is first asked for.

        None where the referee found none. `answer.x` is the solver's own, which need not satisfy the constraints.
        """
        if self.lp is None or self.answer is None or self.certificate is None:
            return None
        if self.certificate.feasible_objective is None:
            return None
        return repaired_point(self.lp, self.answer.x)


def solve(lp: MatchingLP, solver_id: str, **settings: Any) -> Result:
    """Solve `lp` with a registered solver and let the referee judge the answer.

    settings: fields of solvers.Settings (tolerance, time_limit, iteration_limit, threads, device, dtype, seed,
    options). Raises InputError for an unknown solver, setting or option, and where the solver is not available.
    """
    require_problem(lp, solver_id)
    known = Settings.__dataclass_fields__
    for name in settings:
        if name not in known:
            raise OptionError(f"unknown setting {name!r}: known settings are {', '.join(known)}")
    return execute(lp, get_solver(solver_id), Settings(**settings))


def execute(
    lp: MatchingLP,
    solver: Solver,
    settings: Settings,
    phase: Phase = lambda _: None,
    call: Call = lambda run: run(),
) -> Result:
    """Prepare, run through `call`, and judge; `phase` is told the name of each step before it starts.

    A solver that raises, answers something else than an Answer or changes the instance becomes a Result with status
    error: failures are data. Bad input still raises. The solver gets `lp.tightened`, made outside its time.
    """
    check_runnable(solver, settings)
    lp = lp.tightened
    memory.reset_peak()
    seconds: dict[str, float] = {}
    disturbed: dict[str, float | None] = {}
    try:
        unsuited = solver.unsuited(lp)
        if unsuited:
            return Result(status=Status.SKIPPED, reason=str(unsuited), seconds=Seconds())
        before = fingerprint(lp)
        answer = checked(_attempt(lp, solver, settings, seconds, disturbed, phase, call))
        changed = [name for name, value in fingerprint(lp).items() if value != before[name]]
        if changed:
            raise InstanceChangedError(f"the solver wrote into {', '.join(changed)} of the instance, which all share")
    except InputError:
        raise
    except MemoryError as error:
        return _failed(Status.MEMORY_LIMIT, error, seconds)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the one border that turns whatever is raised into a row
        return _failed(Status.ERROR, error, seconds)
    peak = memory.peak()
    phase("referee")
    stopwatch = Stopwatch()
    certificate, complaint = _judge(lp, answer, settings)
    seconds["referee"] = stopwatch.lap()
    status, reason = verdict(answer, certificate, settings.tolerance, lp, threads=settings.threads)
    return Result(
        status=status,
        reason=complaint or reason,
        seconds=Seconds(**seconds),
        answer=answer,
        certificate=certificate,
        peak_memory=peak,
        disturbance=disturbed,
        lp=lp,
    )


def _attempt(
    lp: MatchingLP,
    solver: Solver,
    settings: Settings,
    seconds: dict[str, float],
    disturbed: dict[str, float | None],
    phase: Phase,
    call: Call,
) -> Answer:
    """Prepare and run, and fill in `seconds` and `disturbed`; what the solver held is free again on return."""
    stopwatch = Stopwatch(settings.device)
    phase("prepare")
    state = solver.prepare(lp, settings)
    seconds["prepare"] = stopwatch.lap()
    phase("run")
    before = disturbance.read()
    stopwatch = Stopwatch(settings.device)
    answer = call(lambda: solver.run(state))
    seconds["run"] = stopwatch.lap()
    disturbed |= disturbance.between(before, disturbance.read())
    return answer


def check_runnable(solver: Solver, settings: Settings) -> None:
    """Raise where the solver is not available here, not on the device asked for, or does not know an option."""
    found = availability(solver)
    if not found.ok:
        raise UnavailableError(f"{solver.id}: {found.reason}; {found.remedy}")
    if settings.device.partition(":")[0] not in solver.devices:
        raise OptionError(f"{solver.id} does not run on {settings.device}: use {' or '.join(solver.devices)}")
    parse_options(solver.Options, settings)


def _judge(lp: MatchingLP, answer: Answer, settings: Settings) -> tuple[Certificate, str]:
    try:
        return certify(lp, answer.x, answer.dual, threads=settings.threads), ""
    except (ArithmeticError, ValueError) as error:  # an answer of the wrong shape or size is the solver's failure
        return Certificate(reason=str(error)), str(error)


def _failed(status: Status, error: BaseException, seconds: dict[str, float]) -> Result:
    try:
        text = " ".join(str(error).split())
    except Exception as other:  # noqa: BLE001 - an exception of the solver's own making may fail at this too
        text = f"its text raised {type(other).__name__}"
    return Result(
        status=status,
        reason=f"{type(error).__name__}: {text}"[:500],
        seconds=Seconds(**seconds),
        peak_memory=memory.peak(),
    )
