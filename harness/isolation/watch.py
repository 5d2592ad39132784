"""Follows one forked process to its result or its end, and ends it where it passes a limit."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.case import Case
from harness.isolation import cgroup, processes
from harness.isolation.child import START
from harness.isolation.forked import Forked
from harness.isolation.limits import Limits, shown
from harness.outcome import Outcome
from solvers import Status

Phase = Callable[[str], None]
_LOOK = 0.05  # seconds between two looks at time and memory
_GENTLE = 2.0  # seconds between SIGTERM and SIGKILL
#: Bytes of memory and swap below which the kernel would soon end processes of its choice: the case is ended instead.
_RESERVE = 256 * 2**20
#: What runtimes print when an allocation is refused.
_NO_MEMORY = ("bad_alloc", "MemoryError", "out of memory", "Cannot allocate memory")


class Watch:
    """One forked process under the limits of a case. group: its cgroup, where it has one."""

    def __init__(self, case: Case, forked: Forked, limits: Limits, group: Path | None = None) -> None:
        self._case, self._forked, self._limits, self._group = case, forked, limits, group
        self._step = START
        self._since = {START: time.monotonic()}
        self._kills = processes.kernel_kills()

    def result(self, tick: Phase, *, to_the_end: bool) -> Any:
        """What the process handed over, or the Outcome of a failure; `to_the_end` waits until it is gone."""
        found: Any = None
        while self._forked.code is None and (found is None or to_the_end):
            tick(self._step)
            for message in self._forked.messages(_LOOK):
                if isinstance(message, str):
                    self._step, self._since[message] = message, time.monotonic()
                else:
                    found = message
            failure = None if self._forked.code is not None else self._past_time() or self._past_memory()
            if failure is not None:
                self._forked.end(_GENTLE)
                return failure if found is None else found
        return self._death() if found is None else found

    def between(self, first: str, last: str) -> float:
        """Seconds between the announcements of two steps; until now where the last did not come."""
        now = time.monotonic()
        return self._since.get(last, now) - self._since.get(first, now)

    def _past_time(self) -> Outcome | None:
        passed = time.monotonic() - self._since[self._step]
        if passed <= self._limits.seconds(self._case, self._step):
            return None
        return self._failure(Status.TIME_LIMIT, f"ended by the harness after {passed:.1f} s of {self._step}")

    def _past_memory(self) -> Outcome | None:
        held, limit, left = self._forked.look(), self._limits.memory, processes.memory_left()
        if limit is not None and held > limit and not self._forked.alone:
            held = self._forked.held_exactly()
        if limit is not None and held > limit:
            reason = f"ended by the harness with {shown(held)} of memory, the limit is {shown(limit)}"
        elif left < _RESERVE:
            reason = f"ended by the harness with {shown(held)} of memory, the machine had {shown(left)} left"
        else:
            return None
        return self._failure(Status.MEMORY_LIMIT, f"{reason}, during {self._step}")

    def _death(self) -> Outcome:
        """Why a process ended without a result: by the kernel's choice, or by a fault of its own."""
        code, words = self._forked.code, self._forked.last_words
        if code == -signal.SIGKILL and self._killed_by_kernel():
            return self._failure(Status.MEMORY_LIMIT, f"ended by the kernel during {self._step}: memory ran out")
        end = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"
        reason = f"the process died during {self._step}: {end}{f' ({words})' if words else ''}"
        refused = self._limits.memory is not None and any(phrase in words for phrase in _NO_MEMORY)
        return self._failure(Status.MEMORY_LIMIT if refused else Status.CRASHED, reason)

    def _killed_by_kernel(self) -> bool:
        return processes.kernel_kills() > self._kills or (self._group is not None and cgroup.kills(self._group) > 0)

    def _failure(self, status: Status, reason: str) -> Outcome:
        return Outcome(status=status, reason=reason, peak_memory={"host": self._forked.peak or None, "device": None})
