"""CPU seconds of a process and its children, by a clock that was taken before any adapter was loaded."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from instances import MatchingLP
from solvers import Settings, Solver

#: Taken now: an adapter that replaces the clock of its process replaces its own.
_usage = resource.getrusage
_SELF = resource.RUSAGE_SELF
_CHILDREN = resource.RUSAGE_CHILDREN


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one solve took in CPU seconds, verb by verb."""

    available: float
    """Of available()."""

    unsuited: float
    """Of unsuited()."""

    prepare: float
    """Of prepare()."""

    run: float
    """Of run()."""

    answer: Any
    """What run() returned, untouched."""

    @property
    def whole(self) -> float:
        return self.available + self.unsuited + self.prepare + self.run


def cpu_seconds() -> float:
    """Of this process and of those children that have ended."""
    own = _usage(_SELF)
    children = _usage(_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def spend(solver: Solver, lp: MatchingLP, settings: Settings) -> Spent:
    """Solve, the answer as it comes."""
    available, _ = _timed(solver.available)
    unsuited, _ = _timed(lambda: solver.unsuited(lp))
    prepare, state = _timed(lambda: solver.prepare(lp, settings))
    run, answer = _timed(lambda: solver.run(state))
    return Spent(available=available, unsuited=unsuited, prepare=prepare, run=run, answer=answer)


def _timed(verb: Callable[[], Any]) -> tuple[float, Any]:
    before = cpu_seconds()
    result = verb()
    return cpu_seconds() - before, result
