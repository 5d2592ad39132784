"""Cases in processes of their own: the harness's side."""

from __future__ import annotations

from pathlib import Path

from harness.case import Case
from harness.isolation.holder import Holder, Server
from harness.isolation.limits import Limits
from harness.isolation.trial import Trial
from harness.isolation.wire import LOST
from harness.result import ArrayFacts, Result
from harness.steps import OnStep, Step
from solvers import Status


class Isolated:
    """Runs each case in a process of its own with `threads` threads and as many cores, and judges it in another one.

    The servers start with the first case and after they were lost; `stop` leaves no process and no temporary file.
    Raises ServerError where they cannot start.
    """

    def __init__(self, threads: int, log: Path, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._threads = threads
        self._log = log
        self._server: Server | None = None
        self._holder: Holder | None = None

    def run(self, case: Case, tick: OnStep) -> Result:
        """Run one case; `tick` is called with the current step several times a second."""
        tick(Step.START)
        try:
            holder = self._holder_of(case, tick)
            return holder.failure or Trial(case, holder, self.limits, self._log).result(tick)
        except LOST as error:
            made = None if self._holder is None else self._holder.made
            self.stop()
            return Result(
                status=Status.CRASHED,
                reason=f"the server process was lost ({type(error).__name__})",
                arrays=ArrayFacts() if made is None else made.facts,
            )

    def stop(self) -> None:
        """End every process and remove every temporary file."""
        self._stop_holder()
        if self._server is not None:
            server = self._server
            self._server = None
            server.stop()

    def _stop_holder(self) -> None:
        if self._holder is not None:
            holder = self._holder
            self._holder = None
            holder.stop()

    def _holder_of(self, case: Case, tick: OnStep) -> Holder:
        """The holder of the case's instance. Servers that a case before has stopped cost this one nothing."""
        old = self._server is not None
        try:
            return self._hold(case, tick)
        except LOST:
            if not old:
                raise
        self.stop()
        return self._hold(case, tick)

    def _hold(self, case: Case, tick: OnStep) -> Holder:
        self._server = self._server or Server(self._threads)
        if self._holder is not None and self._holder.spec == case.spec and self._holder.answers:
            return self._holder
        self._stop_holder()
        self._holder = Holder(case, self._server, self._log, self.limits)
        self._holder.make(case, self.limits, tick)
        return self._holder
