"""One solver on one instance, timed: shared by notebooks, pytest-benchmark and the child of a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness import disturbance
from harness.answers import Plain, availability, plain
from harness.clock import Stopwatch
from harness.starts import NoWarmStartError, require_start, started
from harness.steps import OnStep, Step, ignore_step
from instances import InputError, MatchingLP
from solvers import OptionError, Settings, Solver, Start, Status
from solvers.nvidia import cuda_devices
from solvers.settings import parse_options

#: Calls the solver's run; pytest-benchmark puts its own clock here.
Call = Callable[[Callable[[], Plain]], Plain]
_LONGEST_REASON = 500


class UnavailableError(InputError):
    """The solver cannot run here; the text says what to install."""


class InstanceChangedError(RuntimeError):
    """The solver has changed the instance that the referee would judge."""


class UnsuitedError(Exception):
    """The solver says that it cannot take this instance; the text is its reason."""


@dataclass(kw_only=True)
class Measured:
    """Measurements of an attempt, also of a failed one. seconds: prepare and run."""

    seconds: dict[str, float] = field(default_factory=dict)
    disturbance: dict[str, float | None] = field(default_factory=dict)


def check_runnable(solver: Solver, settings: Settings, start: Start | None = None) -> None:
    """Raise where the solver is not available here, not on the device asked for, does not know an option, or would
    leave the start aside.
    """
    able = availability(solver)
    if not able.ok:
        raise UnavailableError(f"{solver.id}: {able.reason}; {able.remedy}")
    device = settings.device.partition(":")[0]
    if device not in solver.devices:
        raise OptionError(f"{solver.id} does not run on {settings.device}: use {' or '.join(solver.devices)}")
    if device == "cuda" and cuda_devices() == 0:
        raise OptionError(f"device={settings.device!r}: this machine shows no CUDA device, use device='cpu'")
    parse_options(solver.Options, settings)
    require_start(solver, settings, start)


def attempt(
    lp: MatchingLP,
    solver: Solver,
    settings: Settings,
    measured: Measured,
    on_step: OnStep = ignore_step,
    call: Call = lambda run: run(),
    deliver: Callable[[Plain], None] = lambda _: None,
    start: Start | None = None,
) -> Plain:
    """Prepare, run and `deliver`, and fill in `measured`; what the solver held is free again on return.

    `unsuited` belongs to prepare, `warm_start` and making the answer plain to run: nothing that the adapter does on the
    instance or the start is outside the clock. `on_step` is called as each step begins, where the clock is read.
    """
    stopwatch = Stopwatch(settings.device)

    on_step(Step.PREPARE)
    unsuited = solver.unsuited(lp)
    if unsuited:
        raise UnsuitedError(" ".join(str(unsuited).split())[:_LONGEST_REASON])
    state = solver.prepare(lp, settings)
    measured.seconds["prepare"] = stopwatch.lap()

    before = disturbance.read()
    stopwatch = Stopwatch(settings.device)
    on_step(Step.RUN)
    checked = call(lambda: plain(solver.run(started(solver, state, start, lp)), lp))
    measured.seconds["run"] = stopwatch.lap()

    on_step(Step.DELIVER)
    deliver(checked)
    measured.disturbance |= disturbance.between(before, disturbance.read())
    return checked


def failure(error: BaseException) -> tuple[Status, str]:
    """Status and reason of a case in which the adapter raised; InputError speaks for itself."""
    if isinstance(error, (UnsuitedError, NoWarmStartError)):
        return Status.SKIPPED, str(error)
    try:
        text = " ".join(str(error).split())
    except Exception as other:  # noqa: BLE001 - an exception of the solver's own making may fail at this too
        text = f"its text raised {type(other).__name__}"
    if not isinstance(error, InputError):
        text = f"{type(error).__name__}: {text}"
    return Status.MEMORY_LIMIT if isinstance(error, MemoryError) else Status.ERROR, text[:_LONGEST_REASON]
