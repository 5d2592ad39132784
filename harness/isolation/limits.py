"""The limits of a case: seconds of each step, and bytes of its processes together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.case import Case
from harness.steps import Step
from instances import memory_bytes
from instances.errors import InputError

#: Seconds of an import, and of a warm-up, which may compile.
_WARM_UP_LIMIT = 300.0
#: Seconds of a step that works through a whole instance; the largest instances take minutes.
_SETUP_LIMIT = 3600.0
#: Seconds for writing an answer, and for reading an instance once, beside the size at so many bytes per second.
_COPYING_LIMIT = 30.0
_COPYING_RATE = 2e7
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
#: An interpreter with NumPy and PyTorch takes more: a smaller limit is a mistyped unit.
_LEAST_MEMORY = 512 * 2**20
#: RLIMIT_DATA, a backstop for growth between two samples: so many times the memory limit, and so many bytes.
_ALLOCATED_FACTOR = 2
_ALLOCATED_EXTRA = 2**30


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of the cases of a suite."""

    grace: float | None = None
    """Seconds of run beyond the time limit; None for half of the limit and 30 s."""

    memory: int | None = None
    """Bytes of all processes of a case together; None without limit."""

    reply: float = 30.0
    """Seconds for a server to fork a process or to report its end, and for a process to end after its result."""

    def seconds(self, case: Case, step: Step) -> float:
        """Seconds that a step may take before the harness ends the case."""
        if step is Step.RUN:
            return self._run(case.settings.time_limit)
        if step in (Step.LOAD, Step.WARM_UP):
            return _WARM_UP_LIMIT
        if step in (Step.DELIVER, Step.CHECK):
            return _COPYING_LIMIT + memory_bytes(case.parsed) / _COPYING_RATE
        if step in (Step.START, Step.ENDING):
            return self.reply
        return _SETUP_LIMIT

    def _run(self, limit: float | None) -> float:
        if limit is None:
            return float("inf")
        return limit + (0.5 * limit + 30.0 if self.grace is None else self.grace)

    @property
    def allocated(self) -> int | None:
        """Bytes of private memory that one process may allocate (RLIMIT_DATA)."""
        return None if self.memory is None else _ALLOCATED_FACTOR * self.memory + _ALLOCATED_EXTRA


def parse_bytes(text: str) -> int | None:
    """Bytes of "4GiB", "500 MB" or "4294967296"; None for an empty text."""
    if not text.strip():
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise InputError(f"memory_limit={text!r}: expected a size such as 4GiB or 500MB")
    size = round(float(match[1]) * unit)
    if size < _LEAST_MEMORY:
        raise InputError(f"memory_limit={text!r}: expected at least 512MiB, which an empty process may take")
    return size


def shown(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
