"""What a case needs in the process that runs it: the instance, a warm-up, and the path of harness/solve.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from harness.case import Case
from harness.clock import Stopwatch
from harness.memory import lies_on_disk
from harness.outcome import Outcome, outcome_of
from harness.solve import execute
from instances import InputError, MatchingLP, PerSource, content_hash, generate, stored
from solvers import Status
from solvers.registry import load

Phase = Callable[[str], None]
_WARM_UP_SOURCES, _WARM_UP_SECONDS = 50, 5.0


class InProcess:
    """Runs cases in this process, without limits from outside, for debugging; an instance and warm solvers are kept."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[MatchingLP, float]] = {}
        self._warm: set[tuple[str, ...]] = set()

    def run(self, case: Case, tick: Phase) -> Outcome:
        try:
            lp, generate_seconds = self._instance(case, tick)
        except (InputError, MemoryError) as error:
            return refused(error)
        key = (case.solver, repr(case.settings), str(lp.destinations), str(lp.a.dtype), str(lp.c.dtype))
        outcome = run_case(case, lp, tick, warm=key in self._warm)
        self._warm.add(key)
        return replace(outcome, seconds=replace(outcome.seconds, generate=generate_seconds))

    def stop(self) -> None:
        """Let go of the instance."""
        self._held.clear()

    def _instance(self, case: Case, tick: Phase) -> tuple[MatchingLP, float]:
        if case.spec not in self._held:
            self._held.clear()
            tick("generate")
            self._held[case.spec] = make_instance(case)
        return self._held[case.spec]


def make_instance(case: Case) -> tuple[MatchingLP, float]:
    """The instance of a case, and the seconds that making it took."""
    stopwatch = Stopwatch()
    make = stored if lies_on_disk(case) else generate
    lp = make(case.parsed, threads=case.settings.threads)
    seconds = stopwatch.lap()
    content_hash(lp)  # once, before the processes of the cases are forked from this one
    return lp, seconds


def run_case(case: Case, lp: MatchingLP, phase: Phase, *, warm: bool = False) -> Outcome:
    """Warm up, unless it is `warm`, and run; bad input is an outcome too."""
    try:
        warm_up = None if warm else _warm_up(case, lp, phase)
        result = execute(lp, load(case.card), case.settings, phase)
    except (InputError, MemoryError) as error:
        return refused(error)
    outcome = outcome_of(result, lp, keep_x=case.keep_x)
    return replace(outcome, seconds=replace(outcome.seconds, warm_up=warm_up))


def refused(error: BaseException) -> Outcome:
    """The outcome of a case that could not be tried."""
    status = Status.MEMORY_LIMIT if isinstance(error, MemoryError) else Status.ERROR
    return Outcome(status=status, reason=" ".join(str(error).split()) or "memory ran out")


def _warm_up(case: Case, lp: MatchingLP, phase: Phase) -> float:
    """Seconds of a first solve with these settings on a few sources: imports, and compiling for these types."""
    phase("warm-up")
    stopwatch = Stopwatch(case.settings.device)
    settings = replace(case.settings, time_limit=_WARM_UP_SECONDS)
    execute(first_sources(lp, _WARM_UP_SOURCES), load(case.card), settings)
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
