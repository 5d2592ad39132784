"""One solver on one instance, timed and judged: the path that a notebook, the worker and pytest-benchmark share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import memory
from harness.answers import Plain, fingerprint
from harness.arguments import require_problem
from harness.attempt import (
    Call,
    InstanceChangedError,
    Measured,
    attempt,
    check_runnable,
    failure,
)
from harness.certificate import Certificate
from harness.clock import Stopwatch
from harness.record import Seconds
from harness.referee import certify
from harness.result import Result
from harness.starts import read_start
from harness.staying import judged_start, started_of, stay_verdict
from harness.steps import OnStep, Step, ignore_step
from harness.verdict import verdict
from harness.watching import booked, watch_for
from instances import InputError, MatchingLP
from solvers import OptionError, Settings, Solver, Start, Status, get_solver
from solvers.watching import Callback, watched


def solve(
    lp: MatchingLP,
    solver_id: str,
    *,
    start: Start | Path | str | None = None,
    callback: Callback | None = None,
    verbose: bool = False,
    quiet: bool = False,
    **settings: Any,
) -> Result:
    """Solve `lp` with a registered solver and let the referee judge the answer.

    settings: fields of solvers.Settings (tolerance, time_limit, iteration_limit, threads, device, dtype, seed, stay,
    options). start: where the solver begins, such as `result.start` of an earlier result, or a file of `write_start`;
    an error for a solver that cannot. callback: called while a solver of the engine runs, ten times a second at most,
    with a TracePoint (seconds, iteration, gap as the solver sees it); where it returns something true the run ends as
    at a time limit. verbose: a line of that a second on standard error. Compiling is said there, once, unless `quiet`
    or DUALBENCH_QUIET=1 is given, and is booked as seconds.warm_up.

    Raises InputError for an unknown solver, setting or option, and where the solver is not available.
    """
    require_problem(lp, solver_id)
    if callback is not None and not callable(callback):
        raise InputError(f"callback={callback!r}: expected a function of one TracePoint")
    asked = settings_from(settings)
    solver = get_solver(solver_id)
    begin = start if start is None or isinstance(start, Start) else read_start(start)
    watch = watch_for(solver, callback, verbose=verbose, quiet=quiet)
    compiling: dict[Step, float] = {}
    with watched(watch):
        result = execute(lp, solver, asked, lambda step: compiling.update({step: watch.compiling}), start=begin)
    return replace(result, seconds=booked(result.seconds, compiling.get(Step.RUN, watch.compiling)))


def settings_from(given: Mapping[str, Any]) -> Settings:
    """Settings by name; OptionError for one that is unknown or out of range."""
    known = Settings.__dataclass_fields__
    for name in given:
        if name not in known:
            raise OptionError(f"unknown setting {name!r}: known settings are {', '.join(known)}")
    return Settings(**given)


def execute(
    lp: MatchingLP,
    solver: Solver,
    settings: Settings,
    on_step: OnStep = ignore_step,
    call: Call = lambda run: run(),
    start: Start | None = None,
) -> Result:
    """Prepare, run through `call`, and judge, all in this process; `on_step` is called as each step begins.

    A solver that raises, answers something else than an Answer or changes the instance becomes a Result with status
    error: failures are data. Bad input still raises. The solver gets `lp.tightened`, made outside its time.
    """
    check_runnable(solver, settings, start)
    lp = lp.tightened
    before = fingerprint(lp)

    memory.reset_peak()
    measured = Measured()
    try:
        checked = attempt(lp, solver, settings, measured, on_step, call, start=start)
        require_unchanged(before, fingerprint(lp))
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the one border that turns whatever is raised into a row
        status, reason = failure(error)
        seconds = Seconds() if status is Status.SKIPPED else Seconds(**measured.seconds)
        return Result(
            status=status, reason=reason, seconds=seconds, peak_memory=memory.peak(), started=started_of(start)
        )

    peak = memory.peak()
    on_step(Step.REFEREE)
    judged = judge(lp, checked, settings, start)
    return replace(
        judged,
        seconds=replace(judged.seconds, **measured.seconds),
        peak_memory=peak,
        disturbance=measured.disturbance,
    )


def judge(lp: MatchingLP, checked: Plain, settings: Settings, start: Start | None = None) -> Result:
    """What the referee says of an answer to `lp`, and the status that follows from it."""
    answer = checked.answer
    complaint = checked.complaint
    stopwatch = Stopwatch()
    try:
        certificate = certify(lp, answer.x, answer.dual, threads=settings.threads)
    except (ArithmeticError, ValueError) as error:  # numbers that no certificate can be made of are its failure
        complaint = complaint or str(error)
        certificate = Certificate(reason=complaint)

    started = None if start is None else judged_start(lp, answer, certificate, settings, start)
    seconds = Seconds(referee=stopwatch.lap())
    status, reason = verdict(answer, certificate, settings.tolerance, lp, threads=settings.threads)
    if settings.stay and started is not None and answer.status is Status.SOLVED and status is not Status.ERROR:
        status, reason = stay_verdict(answer, started, settings)
    return Result(
        status=status,
        reason=complaint or reason,
        seconds=seconds,
        answer=answer,
        certificate=certificate,
        started=started,
        lp=lp,
    )


def require_unchanged(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """InstanceChangedError where two fingerprints of an instance differ."""
    changed = [name for name, value in after.items() if value != before[name]]
    if changed:
        raise InstanceChangedError(f"the solver wrote into {', '.join(changed)} of the instance, which all share")
