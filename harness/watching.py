"""What `solve` prints on standard error while it works: that loops are compiled, and the progress of the solver."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from harness.records import Seconds
from solvers import Solver
from solvers.base import TracePoint
from solvers.watching import Callback, Watch

_LINE_EVERY = 1.0  # seconds between lines


def watch_for(solver: Solver, callback: Callback | None, *, verbose: bool, quiet: bool) -> Watch:
    """quiet, or DUALBENCH_QUIET in the environment: nothing is printed unless `verbose` asks for it."""
    quiet = quiet or os.environ.get("DUALBENCH_QUIET", "0") not in ("", "0")
    if (callback is not None or verbose) and not _reports(solver):
        _say(f"{solver.id} reports no progress: there are no calls of the callback and no lines")
    return Watch(
        callback=_Progress(callback) if verbose else callback,
        compiles=(lambda: None) if quiet else _Notice(),
    )


def booked(seconds: Seconds, compiling: float) -> Seconds:
    """`seconds`, with the compile time counted under warm_up instead of prepare."""
    if not compiling or seconds.prepare is None:
        return seconds
    return replace(seconds, warm_up=compiling, prepare=max(0.0, seconds.prepare - compiling))


class _Notice:
    """Says that loops are compiled, once."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self) -> None:
        if not self._said:
            self._said = True
            where = "once on this machine: up to a minute (DUALBENCH_QUIET=1 leaves this line out)"
            _say(f"compiling the loops of the engine, {where}")


class _Progress:
    """Prints a line a second at most, and calls the user's own callback."""

    def __init__(self, callback: Callback | None) -> None:
        self._callback = callback
        self._printed = -_LINE_EVERY

    def __call__(self, point: TracePoint) -> bool:
        if point.seconds - self._printed >= _LINE_EVERY:
            self._printed = point.seconds
            _say(f"{point.seconds:8.1f} s   iteration {point.iteration:>7}   gap {point.gap:.2e}")
        return bool(self._callback(point)) if self._callback is not None else False


def _reports(solver: Solver) -> bool:
    from solvers.sharded import ShardedSolver

    return isinstance(solver, ShardedSolver)


def _say(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"dualbench: {line}\n")
        sys.stderr.flush()
