"""Who watches a solve in this process: told of progress while it runs, and of loops that are compiled.

Nothing of it is a setting, so records hold none of it. Only a solve in one process is watched, ranks are not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from solvers.base import TracePoint

#: Is told (seconds, iteration, gap) as the solver sees them; a true value asks it to stop.
Callback = Callable[[TracePoint], Any]
#: Seconds between two calls at least: a callback costs a share of the run that does not show.
EVERY = 0.1


@dataclass(kw_only=True)
class Watch:
    """stopped: a callback asked for the end. compiling: seconds that compiling has taken so far."""

    callback: Callback | None = None
    compiles: Callable[[], None] = lambda: None
    stopped: bool = False
    compiling: float = 0.0
    _told: float = field(default=-EVERY)
    _depth: int = 0
    _began: float = 0.0

    def tell(self, point: TracePoint) -> None:
        """Call the callback, unless that was done a moment ago."""
        if self.callback is None or point.seconds - self._told < EVERY:
            return
        self._told = point.seconds
        self.stopped = bool(self.callback(point)) or self.stopped

    def compile_began(self) -> None:
        if self._depth == 0:
            self._began = time.perf_counter()
            self.compiles()
        self._depth += 1

    def compile_ended(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.compiling += time.perf_counter() - self._began


_watches: list[Watch] = [Watch()]


def current() -> Watch:
    return _watches[-1]


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """`watch` is told of everything that is solved and compiled inside."""
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)
