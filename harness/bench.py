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
from solvers import Solver, Status
from solvers.registry import load

Phase = Callable[[str], None]
WARM_UP_SOURCES = 50
_WARM_UP_SECONDS = 5.0


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
    """Warm up, unless it is `warm`, and run and judge in this process; bad input is an outcome too."""
    try:
        seconds = None
        if not warm:
            phase("warm-up")
            seconds = warm_up(case, few_sources(lp.tightened, WARM_UP_SOURCES), load(case.card))
        result = execute(lp, load(case.card), case.settings, phase)
    except (InputError, MemoryError) as error:
        return refused(error)
    outcome = outcome_of(result, lp, keep_x=case.keep_x)
    return replace(outcome, seconds=replace(outcome.seconds, warm_up=seconds))


def refused(error: BaseException) -> Outcome:
    """The outcome of a case that could not be tried."""
    status = Status.MEMORY_LIMIT if isinstance(error, MemoryError) else Status.ERROR
    return Outcome(status=status, reason=" ".join(str(error).split()) or "memory ran out")


def warm_up(case: Case, few: MatchingLP, solver: Solver) -> float:
    """Seconds of a first solve with these settings on a few sources: imports, and compiling for these types."""
    stopwatch = Stopwatch(case.settings.device)
    settings = replace(case.settings, time_limit=_WARM_UP_SECONDS)
    execute(few, solver, settings)
    return stopwatch.lap()


def few_sources(lp: MatchingLP, count: int) -> MatchingLP:
    """The first `count` sources of `lp` under its budgets; no array of it leads to the whole one."""
    offsets = np.array(lp.offsets[: count + 1])
    polytopes = lp.per_source.part(0, count)
    edges = slice(0, int(offsets[-1]))
    return MatchingLP(
        offsets=offsets,
        destination=lp.destination[edges].copy(),
        a=lp.a[edges].copy(),
        c=lp.c[edges].copy(),
        b=lp.b.copy(),
        polytope=PerSource(kind=np.array(polytopes.kind), params=np.array(polytopes.params)),
    )
