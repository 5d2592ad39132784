"""Cases in processes of their own: the harness's side."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from harness.case import Case
from harness.inherited import of_children
from harness.isolation import cgroup, delivery, processes
from harness.isolation.forked import Forked
from harness.isolation.limits import Limits
from harness.isolation.messages import Request
from harness.isolation.output import Output, last_words
from harness.isolation.steps import OF_CHILD, OF_HOLDER, OF_JUDGE, Step
from harness.isolation.watch import Phase, Watch, broken_protocol
from harness.isolation.wire import LOST, Line, ProtocolError, ServerError
from harness.outcome import Outcome
from harness.records import Seconds
from instances.mapped import default_cache
from solvers import Status

#: Seconds between the gentle end and the hard one where the harness itself ends.
_HURRIED = 0.3
#: Seconds that loading the libraries may take on a slow disk.
_LOADING = 600.0


class Isolated:
    """Runs each case in a process of its own with `threads` threads and as many cores, and judges it in another one.

    The servers start with the first case and after they were lost; `stop` leaves no process and no temporary file.
    Raises ServerError where they cannot start.
    """

    def __init__(self, threads: int, log: Path, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._threads, self._log = threads, log
        self._server: _Server | None = None
        self._holder: _Holder | None = None

    def run(self, case: Case, tick: Phase) -> Outcome:
        """Run one case; `tick` is called with the current step several times a second."""
        tick(Step.START)
        try:
            holder = self._holder_of(case, tick)
            return holder.failure or _Trial(case, holder, self.limits, self._log).outcome(tick)
        except LOST as error:
            self.stop()
            return Outcome(status=Status.CRASHED, reason=f"the server process was lost ({type(error).__name__})")

    def stop(self) -> None:
        """End every process and remove every temporary file."""
        self._let_go()
        if self._server is not None:
            server, self._server = self._server, None
            server.stop()

    def _let_go(self) -> None:
        if self._holder is not None:
            holder, self._holder = self._holder, None
            holder.stop()

    def _holder_of(self, case: Case, tick: Phase) -> _Holder:
        """The holder of the case's instance. Servers that a case before has stopped cost this one nothing."""
        old = self._server is not None
        try:
            return self._hold(case, tick)
        except LOST:
            if not old:
                raise
        self.stop()
        return self._hold(case, tick)

    def _hold(self, case: Case, tick: Phase) -> _Holder:
        self._server = self._server or _Server(self._threads)
        if self._holder is not None and self._holder.spec == case.spec and self._holder.answers:
            return self._holder
        self._let_go()
        self._holder = _Holder(case, self._server, self._log, self.limits)
        self._holder.make(case, self.limits, tick)
        return self._holder


def try_servers() -> None:
    """Start a server and end it again; ServerError where it cannot start."""
    _Server(threads=1).stop()


class _Trial:
    """One case from its child to the judge of its answer."""

    def __init__(self, case: Case, holder: _Holder, limits: Limits, log: Path) -> None:
        self._case, self._holder, self._limits, self._log = case, holder, limits, log
        self._group: Path | None = None

    def outcome(self, tick: Phase) -> Outcome:
        began = time.monotonic()
        folder = Path(tempfile.mkdtemp(dir=self._holder.folder))
        self._group = None if self._limits.memory is None else cgroup.memory_group(self._limits.memory)
        cache = default_cache() if self._holder.on_disk else None
        with contextlib.ExitStack() as always:
            always.callback(cgroup.remove, self._group)
            always.callback(shutil.rmtree, folder, ignore_errors=True)
            file = always.enter_context(delivery.make_file(cache))
            outcome, working = self._solved(Request(case=self._case, folder=str(folder)), file, tick)
        own = time.monotonic() - began - working
        seconds = replace(outcome.seconds, generate=self._holder.seconds, isolation=own)
        return replace(outcome, seconds=seconds, isolated=True)

    def _solved(self, request: Request, file: IO[bytes], tick: Phase) -> tuple[Outcome, float]:
        """The outcome, and the seconds in which solver and referee were at work."""
        child = self._fork(request, file)
        watch = Watch(self._case, child, self._limits, OF_CHILD, self._group)
        with _ended(child):
            found = watch.result(tick, to_the_end=True)
        measured = _measured(watch)
        working = watch.between(Step.LOAD, Step.ENDING) if watch.has(Step.LOAD) else 0.0
        if isinstance(found, Outcome):
            return replace(found, **measured), working
        try:
            claim = _claim(found, file)
        except ProtocolError as error:
            return replace(broken_protocol(error), **measured), working
        if isinstance(claim, Outcome):
            return replace(claim, **measured), working
        peak = claim["peak"] if child.alone else {**claim["peak"], "host": child.peak}
        outcome, referee = self._judged(replace(request, claim=claim), file, tick)
        seconds = replace(_delivered(measured["seconds"], claim, on_disk=self._holder.on_disk), referee=referee)
        own = {"seconds": seconds, "peak_memory": peak, "disturbance": claim["disturbance"]}
        return replace(outcome, **measured | own), working + referee

    def _judged(self, request: Request, file: IO[bytes], tick: Phase) -> tuple[Outcome, float]:
        """What a process that never loaded the adapter says of the answer, and its seconds."""
        judge = self._fork(request, file)
        watch = Watch(self._case, judge, self._limits, OF_JUDGE, self._group)
        with _ended(judge):
            found = watch.result(tick, to_the_end=True)
        seconds = watch.between(Step.REFEREE, Step.ENDING)
        if isinstance(found, Outcome):
            return found, seconds
        outcome = Outcome(**{**found, "seconds": Seconds()})
        judged = outcome.certificate is not None and outcome.certificate.get("dual_bound") is not None
        dual = delivery.dual(request.claim, file) if judged and request.claim is not None else None
        return replace(outcome, dual=dual), seconds

    def _fork(self, request: Request, file: IO[bytes]) -> Forked:
        group = "" if self._group is None else str(self._group)
        placed = replace(request, allocated=self._limits.allocated, group=group)
        holder, output = self._holder.forked, Output(self._log, self._case.id)
        return Forked(holder.line, holder.pid, placed.packed(), output, self._limits.reply, file.fileno())


@contextlib.contextmanager
def _ended(forked: Forked) -> Any:
    """A process that is gone, with what it left, on leaving."""
    with contextlib.ExitStack() as always:
        always.callback(forked.close)
        always.callback(forked.end, _HURRIED)
        yield


def _measured(watch: Watch) -> dict[str, Any]:
    """What was seen from outside of the steps that the child announced."""
    steps = {
        "prepare": (Step.PREPARE, Step.RUN),
        "run": (Step.RUN, Step.DELIVER),
        "deliver": (Step.DELIVER, Step.CHECK),
    }
    seconds = {name: watch.between(*ends) for name, ends in steps.items() if all(map(watch.has, ends))}
    if watch.has(Step.PREPARE):
        seconds["warm_up"] = watch.between(Step.LOAD, Step.PREPARE)
    cpu = {name: watch.cpu_between(*steps[name]) for name in ("prepare", "run")}
    return {
        "seconds": Seconds(**seconds),
        "cpu_seconds": {name: used for name, used in cpu.items() if used is not None},
    }


def _delivered(seconds: Seconds, claim: Mapping[str, Any], *, on_disk: bool) -> Seconds:
    """An adapter that said too early that it had ended: what delivering cannot have taken is part of run."""
    run, deliver = seconds.run or 0.0, seconds.deliver or 0.0
    beyond = delivery.beyond_delivery(claim, deliver, on_disk=on_disk)
    return replace(seconds, run=run + beyond, deliver=deliver - beyond)


def _claim(found: Mapping[str, Any], file: IO[bytes]) -> Mapping[str, Any] | Outcome:
    """The claim of a child, or the outcome where it says that it failed; ProtocolError for anything else."""
    if "failed" not in found:
        delivery.require_claim(found, file)
        return found
    try:
        status, reason = found["failed"]
        peak = found.get("peak", {})
        fits = status in _FAILURES and isinstance(reason, str) and all(map(_is_size, peak.values()))
    except (TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise ProtocolError("a failure that does not have the form of one")
    return Outcome(status=status, reason=reason[:_LONGEST_REASON], peak_memory=peak)


_FAILURES = (Status.ERROR, Status.MEMORY_LIMIT, Status.SKIPPED)
_LONGEST_REASON = 500
_MOST_BYTES = 1e18


def _is_size(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value <= _MOST_BYTES)


class _Holder:
    """The process that holds an instance. seconds: of making it; failure: why it could not be made.

    on_disk: whether its arrays lie in the store. folder: for temporary files of its cases.
    """

    def __init__(self, case: Case, server: _Server, log: Path, limits: Limits) -> None:
        self.spec, self.folder = case.spec, server.folder
        self.seconds: float | None = None
        self.on_disk = False
        self.failure: Outcome | None = None
        request = Request(case=case, folder=str(server.folder))
        output = Output(log, case.spec)
        self.forked = Forked(server.control, server.process.pid, request.packed(), output, limits.reply)

    def make(self, case: Case, limits: Limits, tick: Phase) -> None:
        found = Watch(case, self.forked, limits, OF_HOLDER).result(tick, to_the_end=False)
        if isinstance(found, Outcome):
            self.failure = found
        elif "failed" in found:
            status, reason = found["failed"]
            self.failure = Outcome(status=status, reason=reason)
        else:
            self.seconds, self.on_disk = found["made"], found["on_disk"]

    @property
    def answers(self) -> bool:
        """Whether it is there and has not been stopped by a signal."""
        return self.failure is not None or not processes.is_stopped(self.forked.pid)

    def stop(self) -> None:
        """End it, the gentle way by closing its line."""
        self.forked.line.close()
        if not self.forked.ended_within(_HURRIED):
            with contextlib.suppress(*LOST):
                self.forked.end(_HURRIED)
        self.forked.close()


class _Server:
    """The server process, and the folder for temporary files of everything below it."""

    def __init__(self, threads: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dualbench-"))
        self.control, theirs = Line.pair()
        # -P: a working folder with packages named as ours is not where they are looked for
        command = [sys.executable, "-P", "-m", "harness.isolation", str(theirs.fileno()), str(self.folder)]
        with tempfile.TemporaryFile() as output:
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own module
                    command,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **of_children(threads)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C reaches the harness alone
                )
                theirs.close()
                self.control.receive(_LOADING)
            except (OSError, EOFError, ProtocolError) as error:
                self.control.close()
                self._end()
                output.seek(0)
                words = last_words(output.read()) or str(error) or type(error).__name__
                raise ServerError(f"the server process of the cases cannot start: {words}") from error

    def stop(self) -> None:
        """It ends by itself when the harness goes away; what takes too long is killed."""
        self.control.close()
        self._end()

    def _end(self) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self, "process", None)
        if process is not None:
            try:
                process.wait(_HURRIED)
            except subprocess.TimeoutExpired:
                processes.signal_all([*processes.descendants(process.pid), process.pid], signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
