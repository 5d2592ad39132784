"""Observation of a solve in this process: a progress callback, and the time spent compiling.

A watch is not a setting, so records do not hold it. Ranks are not watched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from solvers.base import TracePoint

#: Called with (seconds, iteration, gap) as the solver estimates them; a true result asks the solver to stop.
Callback = Callable[[TracePoint], Any]
#: Least seconds between two calls, so that a callback takes a negligible share of the run.
EVERY = 0.1


@dataclass(kw_only=True)
class Watch:
    callback: Callback | None = None

    compiles: Callable[[], None] = lambda: None
    """Called when compiling begins."""

    stopped: bool = False
    """Whether the callback asked the solver to stop."""

    compiling: float = 0.0
    """Seconds that compiling has taken so far."""

    _last_call: float = field(default=-EVERY)
    _depth: int = 0
    """Nested compilations now running."""

    _began: float = 0.0

    def tell(self, point: TracePoint) -> None:
        """Call the callback, unless the last call was a moment ago."""
        if self.callback is None or point.seconds - self._last_call < EVERY:
            return
        self._last_call = point.seconds
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
    """The innermost watch."""
    return _watches[-1]


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Put `watch` over everything that is solved and compiled inside."""
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)
