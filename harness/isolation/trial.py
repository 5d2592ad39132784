"""One case, from its child to the judge of its answer."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from harness.case import Case
from harness.certificate import Certificate
from harness.isolation import delivery
from harness.isolation.forked import Forked
from harness.isolation.holder import HURRIED, Holder
from harness.isolation.limits import Limits
from harness.isolation.messages import Judged, Request
from harness.isolation.output import Output
from harness.isolation.watch import Watch, broken_protocol
from harness.isolation.wire import ProtocolError
from harness.record import Seconds
from harness.result import ArrayFacts, Result
from harness.staying import Started
from harness.steps import OF_CHILD, OF_JUDGE, OnStep, Step
from instances.mapped import default_cache
from solvers import Status

#: The steps whose seconds are those between two announcements.
_BETWEEN = {
    "prepare": (Step.PREPARE, Step.RUN),
    "run": (Step.RUN, Step.DELIVER),
    "deliver": (Step.DELIVER, Step.CHECK),
}
_FAILURES = (Status.ERROR, Status.MEMORY_LIMIT, Status.SKIPPED)
_LONGEST_REASON = 500
_MOST_BYTES = 1e18


class Trial:
    """One case on the instance of `holder`."""

    def __init__(self, case: Case, holder: Holder, limits: Limits, log: Path) -> None:
        self._case = case
        self._holder = holder
        self._limits = limits
        self._log = log

    def result(self, tick: OnStep) -> Result:
        """Run the case and judge its answer."""
        made = self._holder.made
        assert made is not None
        began = time.monotonic()
        folder = Path(tempfile.mkdtemp(dir=self._holder.folder))
        with contextlib.ExitStack() as always:
            always.callback(shutil.rmtree, folder, ignore_errors=True)
            file = always.enter_context(delivery.make_file(default_cache() if made.on_disk else None))
            result, working = self._solved(Request(case=self._case, folder=str(folder)), file, tick)

        isolation = time.monotonic() - began - working
        return replace(
            result,
            seconds=replace(result.seconds, generate=made.seconds, isolation=isolation),
            arrays=replace(made.facts, x_hash=result.arrays.x_hash, x_kept=result.arrays.x_kept),
            isolated=True,
        )

    def _solved(self, request: Request, file: IO[bytes], tick: OnStep) -> tuple[Result, float]:
        """The result, and the seconds in which solver and referee were at work."""
        child = self._fork(request, file)
        watch = Watch(self._case, child, self._limits, OF_CHILD)
        with _ended(child):
            message = watch.result(tick, to_the_end=True)
        seconds = _seconds(watch)
        cpu_seconds = _cpu_seconds(watch)
        working = watch.between(Step.LOAD, Step.ENDING) if watch.has(Step.LOAD) else 0.0

        claim = message if isinstance(message, Result) else _claim(message, file)
        if isinstance(claim, Result):
            return replace(claim, seconds=seconds, cpu_seconds=cpu_seconds), working

        result, referee = self._judged(request, claim, file, tick)
        seconds = _delivered(seconds, claim, on_disk=self._on_disk)
        result = replace(
            result,
            seconds=replace(seconds, referee=referee),
            cpu_seconds=cpu_seconds,
            peak_memory=claim["peak"] if child.alone else {**claim["peak"], "host": child.peak},
            disturbance=claim["disturbance"],
        )
        return result, working + referee

    def _judged(
        self, request: Request, claim: Mapping[str, Any], file: IO[bytes], tick: OnStep
    ) -> tuple[Result, float]:
        """What a process that never loaded the adapter says of the answer, and its seconds."""
        judge = self._fork(replace(request, claim=claim), file)
        watch = Watch(self._case, judge, self._limits, OF_JUDGE)
        with _ended(judge):
            message = watch.result(tick, to_the_end=True)
        seconds = watch.between(Step.REFEREE, Step.ENDING)
        if isinstance(message, Result):
            return message, seconds

        judged = Judged(**message)
        result = Result(
            status=Status(judged.status),
            reason=judged.reason,
            answer=delivery.without_x(claim, file),
            certificate=Certificate(**judged.certificate),
            started=None if judged.started is None else Started(**judged.started),
            arrays=ArrayFacts(x_hash=judged.x_hash, x_kept=judged.x_kept),
        )
        return result, seconds

    def _fork(self, request: Request, file: IO[bytes]) -> Forked:
        placed = replace(request, allocated=self._limits.allocated)
        holder = self._holder.forked
        output = Output(self._log, self._case.id)
        return Forked(holder.line, holder.pid, placed.packed(), output, self._limits.reply, file.fileno())

    @property
    def _on_disk(self) -> bool:
        return self._holder.made is not None and self._holder.made.on_disk


@contextlib.contextmanager
def _ended(forked: Forked) -> Iterator[None]:
    """A process that is gone, with what it left, on leaving."""
    with contextlib.ExitStack() as always:
        always.callback(forked.close)
        always.callback(forked.end, HURRIED)
        yield


def _seconds(watch: Watch) -> Seconds:
    """Seconds of the steps that the child announced, as seen from outside."""
    seconds = {name: watch.between(*ends) for name, ends in _BETWEEN.items() if all(map(watch.has, ends))}
    if watch.has(Step.PREPARE):
        seconds["warm_up"] = watch.between(Step.LOAD, Step.PREPARE)
    return Seconds(**seconds)


def _cpu_seconds(watch: Watch) -> dict[str, float]:
    """CPU seconds of prepare and run, as seen from outside."""
    cpu = {name: watch.cpu_between(*_BETWEEN[name]) for name in ("prepare", "run")}
    return {name: used for name, used in cpu.items() if used is not None}


def _delivered(seconds: Seconds, claim: Mapping[str, Any], *, on_disk: bool) -> Seconds:
    """An adapter that said too early that it had ended: what delivering cannot have taken is part of run."""
    run = seconds.run or 0.0
    deliver = seconds.deliver or 0.0
    beyond = delivery.beyond_delivery(claim, deliver, on_disk=on_disk)
    return replace(seconds, run=run + beyond, deliver=deliver - beyond)


def _claim(message: Mapping[str, Any], file: IO[bytes]) -> Mapping[str, Any] | Result:
    """The claim of a child, or the result where it says that it failed or says something else."""
    try:
        if "failed" in message:
            return _failure(message)
        delivery.require_claim(message, file)
    except ProtocolError as error:
        return broken_protocol(error)
    return message


def _failure(message: Mapping[str, Any]) -> Result:
    """The result of a child that says that it failed; ProtocolError where the message has another form."""
    try:
        status, reason = message["failed"]
        peak = message.get("peak", {})
        fits = status in _FAILURES and isinstance(reason, str) and all(map(_is_size, peak.values()))
    except (TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise ProtocolError("a failure that does not have the form of one")
    return Result(status=Status(status), reason=reason[:_LONGEST_REASON], peak_memory=peak)


def _is_size(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value <= _MOST_BYTES)
