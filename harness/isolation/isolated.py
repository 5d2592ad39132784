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
from dataclasses import replace
from multiprocessing.connection import Pipe
from pathlib import Path

from harness.case import Case
from harness.inherited import of_children
from harness.isolation import cgroup, processes
from harness.isolation.child import ENDING, START, Made, Request
from harness.isolation.forked import LOST, Forked
from harness.isolation.limits import Limits
from harness.isolation.output import Output
from harness.isolation.watch import Phase, Watch
from harness.outcome import Outcome
from solvers import Status

#: Seconds between the gentle end and the hard one where the harness itself ends.
_HURRIED = 0.3


class Isolated:
    """Runs each case in a process of its own with `threads` threads and as many cores.

    The servers start with the first case and after they were lost; `stop` leaves no process and no temporary file.
    """

    def __init__(self, threads: int, log: Path, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._threads, self._log = threads, log
        self._server: _Server | None = None
        self._holder: _Holder | None = None

    def run(self, case: Case, tick: Phase) -> Outcome:
        """Run one case; `tick` is called with the current step several times a second."""
        tick(START)
        try:
            server = self._server = self._server or _Server(self._threads)
            if self._holder is None or self._holder.spec != case.spec:
                self._let_go()
                self._holder = _Holder(case, server, self._log)
                self._holder.make(case, self.limits, tick)
            holder = self._holder
            return holder.failure or self._in_child(case, server, holder, tick)
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

    def _in_child(self, case: Case, server: _Server, holder: _Holder, tick: Phase) -> Outcome:
        began = time.monotonic()
        folder = tempfile.mkdtemp(dir=server.folder)
        group = None if self.limits.memory is None else cgroup.memory_group(self.limits.memory)
        request = Request(
            case=case, folder=folder, allocated=self.limits.allocated, group="" if group is None else str(group)
        )
        child = Forked(holder.forked.channel, holder.forked.pid, request, Output(self._log, case.id))
        watch = Watch(case, child, self.limits, group)
        try:
            outcome: Outcome = watch.result(tick, to_the_end=True)
        finally:
            with contextlib.ExitStack() as always:
                always.callback(cgroup.remove, group)
                always.callback(shutil.rmtree, folder, ignore_errors=True)
                always.callback(child.close)
                child.end(_HURRIED)
        peak = outcome.peak_memory if child.alone else {**outcome.peak_memory, "host": child.peak}
        own = time.monotonic() - began - watch.between(START, ENDING)
        seconds = replace(outcome.seconds, generate=holder.seconds, isolation=own)
        return replace(outcome, seconds=seconds, peak_memory=peak)


class _Holder:
    """The process that holds an instance. seconds: of making it; failure: why it could not be made."""

    def __init__(self, case: Case, server: _Server, log: Path) -> None:
        self.spec = case.spec
        self.seconds: float | None = None
        self.failure: Outcome | None = None
        request = Request(case=case, folder=str(server.folder))
        self.forked = Forked(server.control, server.process.pid, request, Output(log, case.spec))

    def make(self, case: Case, limits: Limits, tick: Phase) -> None:
        made = Watch(case, self.forked, limits).result(tick, to_the_end=False)
        if isinstance(made, Made):
            self.seconds = made.seconds
        else:
            self.failure = made

    def stop(self) -> None:
        """End it, the gentle way by closing its channel."""
        self.forked.channel.close()
        if not self.forked.ended_within(_HURRIED):
            with contextlib.suppress(*LOST):
                self.forked.end(_HURRIED)
        self.forked.close()


class _Server:
    """The server process, and the folder for temporary files of everything below it."""

    def __init__(self, threads: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dualbench-"))
        self.control, theirs = Pipe()
        command = [sys.executable, "-P", "-m", "harness.isolation.server", str(theirs.fileno()), str(self.folder)]
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **of_children(threads)},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches the harness alone
            )
        finally:
            theirs.close()
        self.control.recv()

    def stop(self) -> None:
        """It ends by itself when the harness goes away; what takes too long is killed."""
        self.control.close()
        try:
            self.process.wait(_HURRIED)
        except subprocess.TimeoutExpired:
            processes.signal_all([*processes.descendants(self.process.pid), self.process.pid], signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
