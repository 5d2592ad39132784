"""Follows one forked process through its steps to its result, and ends it where it passes a limit."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from harness.case import Case
from harness.isolation import processes
from harness.isolation.forked import Forked
from harness.isolation.limits import Limits, shown
from harness.isolation.wire import ProtocolError
from harness.result import Result
from harness.steps import OnStep, Step
from solvers import Status

_INTERVAL = 0.05  # seconds between two samples of time and memory
_GENTLE = 2.0  # seconds between SIGTERM and SIGKILL
#: The case is ended below so many bytes of memory and swap, before the kernel ends processes of its own choice.
_RESERVE = 256 * 2**20
#: A load or warm-up that computes, but slowly because others do, may take so many times its limit ...
_PATIENCE = 4.0
#: ... if it had at least this share of a core. One that stands still uses none.
_LEAST_SHARE = 0.05
#: What runtimes print when an allocation is refused.
_NO_MEMORY = ("bad_alloc", "MemoryError", "out of memory", "Cannot allocate memory")


class Watch:
    """One forked process under the limits of a case. steps: what it announces."""

    def __init__(self, case: Case, forked: Forked, limits: Limits, steps: Sequence[Step]) -> None:
        self._case = case
        self._forked = forked
        self._limits = limits
        self._expected = list(steps)
        self._step = Step.START
        self._since: dict[Step, float] = {Step.START: time.monotonic()}
        self._cpu: dict[Step, float] = {}
        self._result: Mapping[str, Any] | None = None
        self._sampled = time.monotonic()
        self._sample = (self._sampled, forked.cpu_seconds())
        self._kills = processes.kernel_kills()

    def result(self, tick: OnStep, *, to_the_end: bool) -> Mapping[str, Any] | Result:
        """What the process handed over, or the Result of a failure; `to_the_end` waits until it is gone."""
        while self._forked.code is None and (self._result is None or to_the_end):
            try:
                for message in self._forked.messages(_INTERVAL, listen=not to_the_end):
                    self._take(message.body, message.at)
            except ProtocolError as error:
                self._forked.end(_GENTLE)
                return broken_protocol(error)
            failure = (
                None if self._forked.code is not None or not self._is_time_to_sample() else self._past_limits(tick)
            )
            if failure is not None:
                self._forked.end(_GENTLE)
                return failure if self._result is None else self._result
        return self._death() if self._result is None else self._result

    def between(self, first: Step, last: Step) -> float:
        """Seconds between the announcements of two steps; until now where the last did not come."""
        now = time.monotonic()
        return self._since.get(last, now) - self._since.get(first, now)

    def has(self, step: Step) -> bool:
        """Whether the step was announced."""
        return step in self._since

    def cpu_between(self, first: Step, last: Step) -> float | None:
        """CPU seconds between the announcements of two steps, None where one did not come."""
        if first not in self._cpu or last not in self._cpu:
            return None
        return max(0.0, self._cpu[last] - self._cpu[first])

    def _take(self, body: Mapping[str, Any], at: float) -> None:
        """The next step, or the result after the last one; ProtocolError for anything else."""
        if self._result is not None:
            raise ProtocolError("a message after its result")

        result = body.get("result")
        if isinstance(result, dict) and "failed" not in result and self._expected:
            raise ProtocolError(f"an answer before its time, after {self._step}")
        if isinstance(result, dict):
            self._result = result
            step = Step.ENDING
        elif self._expected and body.get("step") == self._expected[0]:
            step = self._expected.pop(0)
        else:
            expected = self._expected[0] if self._expected else "its result"
            raise ProtocolError(f"{str(body.get('step', sorted(body)))[:80]!r} after {self._step}, expected {expected}")

        self._since[step] = max(at, self._since[self._step])
        self._step = step
        self._cpu[step] = self._cpu_at(self._since[step])

    def _cpu_at(self, at: float) -> float:
        """CPU seconds at a moment since the last sample, interpolated between that sample and now."""
        before, used = self._sample
        now = time.monotonic()
        all_used = self._forked.cpu_seconds()
        share = (at - before) / (now - before) if now > before else 1.0
        return used + min(1.0, max(0.0, share)) * (all_used - used)

    def _is_time_to_sample(self) -> bool:
        """Not after every message, because the solver may share its core with this process."""
        now = time.monotonic()
        if now - self._sampled < _INTERVAL:
            return False
        self._sampled = now
        self._sample = (now, self._forked.cpu_seconds())
        return True

    def _past_limits(self, tick: OnStep) -> Result | None:
        tick(self._step)
        return self._past_time() or self._past_memory()

    def _past_time(self) -> Result | None:
        passed = time.monotonic() - self._since[self._step]
        if passed <= self._limits.seconds(self._case, self._step) or self._is_compiling(passed):
            return None
        return self._failure(Status.TIME_LIMIT, f"ended by the harness after {passed:.1f} s of {self._step}")

    def _is_compiling(self, passed: float) -> bool:
        """Whether a load or warm-up only waits for its turn on a busy machine: within the limit in CPU seconds, and
        slow but not still.
        """
        limit = self._limits.seconds(self._case, self._step)
        used = self._sample[1] - self._cpu.get(self._step, 0.0)
        patient = self._step in (Step.LOAD, Step.WARM_UP) and passed <= _PATIENCE * limit
        return patient and _LEAST_SHARE * passed <= used <= limit

    def _past_memory(self) -> Result | None:
        held = self._forked.sample_memory()
        limit = self._limits.memory
        left = processes.memory_left()
        if limit is not None and held > limit and not self._forked.alone:
            held = self._forked.held_exactly()
        if limit is not None and held > limit:
            reason = f"ended by the harness with {shown(held)} of memory, the limit is {shown(limit)}"
        elif left < _RESERVE:
            reason = f"ended by the harness with {shown(held)} of memory, the machine had {shown(left)} left"
        else:
            return None
        return self._failure(Status.MEMORY_LIMIT, f"{reason}, during {self._step}")

    def _death(self) -> Result:
        """Why a process ended without a result: by the kernel's choice, or by a fault of its own."""
        code = self._forked.code
        words = self._forked.last_words
        if code == -signal.SIGKILL and processes.kernel_kills() > self._kills:
            return self._failure(Status.MEMORY_LIMIT, f"ended by the kernel during {self._step}: memory ran out")
        end = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"
        reason = f"the process died during {self._step}: {end}{f' ({words})' if words else ''}"
        refused = self._limits.memory is not None and any(phrase in words for phrase in _NO_MEMORY)
        return self._failure(Status.MEMORY_LIMIT if refused else Status.CRASHED, reason)

    def _failure(self, status: Status, reason: str) -> Result:
        return Result(status=status, reason=reason, peak_memory={"host": self._forked.peak or None, "device": None})


def broken_protocol(error: ProtocolError) -> Result:
    """The result of a case whose process said what it must not."""
    return Result(status=Status.ERROR, reason=f"the adapter's process broke the protocol: {error}")
