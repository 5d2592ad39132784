"""The child process that runs cases, and the parent's handle on it.

A solver may hold the interpreter's lock, ignore its limit or take the process down; from another process the harness
stays alive, shows the time, ends what does not end by itself and starts a new worker for the next case. A worker keeps
the instance it made last and has warmed up each solver once for each kind of instance.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from harness.case import Case
from harness.inherited import THREADS, inherited
from harness.outcome import Outcome, outcome_of
from instances import MatchingLP, PerSource
from solvers import Status

Phase = Callable[[str], None]

#: Seconds for any step but the run; generating and preparing the largest rungs takes minutes.
_SETUP_LIMIT = 3600.0
#: What a child says that cannot run a solver because of a library it has loaded for another.
_RESTART = "restart"
_WARM_UP_SOURCES, _WARM_UP_SECONDS = 50, 5.0


class Worker:
    """A child process with `threads` threads and as many cores; it starts with the first case and after a death."""

    def __init__(self, threads: int, log: Path) -> None:
        self._threads, self._log = threads, log
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def run(self, case: Case, tick: Phase) -> Outcome:
        """Run one case; `tick` is called with the current step several times a second."""
        connection = self._connection if self._alive() and self._connection else self._start()
        connection.send(case)
        step, since = "start", time.monotonic()
        while True:
            tick(step)
            try:
                if connection.poll(0.1):
                    message = connection.recv()
                    if isinstance(message, Outcome):
                        return message
                    if message == _RESTART:
                        connection = self._start()
                        connection.send(case)
                    step, since = message, time.monotonic()
            except (EOFError, ConnectionResetError):
                return Outcome(status=Status.CRASHED, reason=f"the process died during {step}: {self._death()}")
            passed = time.monotonic() - since
            if passed > _limit(case, step):
                self.stop()
                return Outcome(status=Status.TIME_LIMIT, reason=f"ended by the harness after {passed:.1f} s of {step}")

    def stop(self) -> None:
        """End the child and whatever it started."""
        if self._process is not None and self._process.pid is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, number)
                self._process.join(2.0)
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def _start(self) -> Connection:
        self.stop()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._threads, str(self._log)), daemon=True)
        with inherited(dict.fromkeys(THREADS, str(self._threads))):
            self._process.start()
        theirs.close()
        return self._connection

    def _death(self) -> str:
        assert self._process is not None
        self._process.join(5.0)
        code = self._process.exitcode
        self.stop()
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " (memory may have run out)" if name == "SIGKILL" else ""
            return f"signal {name}{hint}"
        return f"exit status {code}"


def _limit(case: Case, step: str) -> float:
    """Seconds a step may take: the run gets half its limit and 30 s of grace, for solvers that look at it rarely."""
    limit = case.settings.time_limit
    return _SETUP_LIMIT if step != "run" else float("inf") if limit is None else 1.5 * limit + 30.0


def _serve(connection: Connection, threads: int, log: str) -> None:
    """The child: one Outcome for every Case, until the parent goes away."""
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, and the parent can end the whole group
    with Path(log).open("ab") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    bench = _Bench(connection.send)
    while True:
        try:
            case = connection.recv()
        except EOFError:
            return
        connection.send(bench.run(case) if _runs_here(case) or bench.fresh else _RESTART)


def _runs_here(case: Case) -> bool:
    from solvers import get_solver

    return get_solver(case.solver).available().ok


class _Bench:
    """Runs cases in this process; keeps the last instance and remembers which solvers are warm."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase
        self._spec, self._generate = "", 0.0
        self._lp: Any = None
        self._warm: set[tuple[str, ...]] = set()
        self.fresh = True

    def run(self, case: Case) -> Outcome:
        from harness.solve import execute
        from instances import InputError
        from solvers import get_solver

        self.fresh = False
        try:
            lp = self._instance(case)
            warm_up = self._warm_up(case, lp)
            result = execute(lp, get_solver(case.solver), case.settings, self._phase)
        except (InputError, MemoryError) as error:
            status = Status.MEMORY_LIMIT if isinstance(error, MemoryError) else Status.ERROR
            return Outcome(status=status, reason=" ".join(str(error).split()) or "memory ran out")
        outcome = outcome_of(result, lp.edges)
        return replace(outcome, seconds=replace(outcome.seconds, generate=self._generate, warm_up=warm_up))

    def _instance(self, case: Case) -> Any:
        from harness.clock import Stopwatch
        from harness.memory import lies_on_disk
        from instances import generate, stored

        if case.spec != self._spec:
            self._spec, self._lp = "", None
            self._phase("generate")
            stopwatch = Stopwatch()
            make = stored if lies_on_disk(case) else generate
            self._lp = make(case.parsed, threads=case.settings.threads)
            self._spec, self._generate = case.spec, stopwatch.lap()
        return self._lp

    def _warm_up(self, case: Case, lp: MatchingLP) -> float | None:
        """Seconds of a first solve with these settings on a few sources, which compiles for the types of this instance;
        None where it was done before.
        """
        from harness.clock import Stopwatch
        from harness.solve import execute
        from solvers import get_solver

        settings = replace(case.settings, time_limit=_WARM_UP_SECONDS)
        key = (case.solver, repr(settings), str(lp.destinations), str(lp.a.dtype), str(lp.c.dtype))
        if key in self._warm:
            return None
        self._phase("warm-up")
        stopwatch = Stopwatch(case.settings.device)
        execute(first_sources(lp, _WARM_UP_SOURCES), get_solver(case.solver), settings)
        self._warm.add(key)
        return stopwatch.lap()


def first_sources(lp: MatchingLP, count: int) -> MatchingLP:
    """The first `count` sources under the budgets of the whole."""
    offsets = lp.offsets[: count + 1]
    kind, radius = lp.per_source.kind[:count], lp.per_source.radius[:count]
    edges = slice(0, int(offsets[-1]))
    return MatchingLP(
        offsets=offsets,
        destination=lp.destination[edges],
        a=lp.a[edges],
        c=lp.c[edges],
        b=lp.b,
        polytope=PerSource(kind=np.array(kind), radius=np.array(radius)),
    )
