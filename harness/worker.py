"""The worker: what a case needs in the process that runs it, which is the instance, a warm-up and harness/solve.py."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from harness.case import Case
from harness.clock import Stopwatch
from harness.memory import lies_on_disk
from harness.result import ArrayFacts, Result, refused
from harness.solve import execute
from harness.steps import OnStep, Step
from instances import InputError, MatchingLP, content_hash, generate, stored
from solvers import Solver, Start
from solvers.registry import load

WARM_UP_SOURCES = 50
_WARM_UP_SECONDS = 5.0


class InProcess:
    """Runs cases in this process, without limits from outside, for debugging; an instance and warm solvers are kept."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[MatchingLP, float]] = {}
        self._warm: set[tuple[str, ...]] = set()

    def run(self, case: Case, on_step: OnStep) -> Result:
        try:
            lp, generate_seconds = self._instance(case, on_step)
        except (InputError, MemoryError) as error:
            return refused(error)
        key = (case.solver, repr(case.settings), *types_of(lp))
        result = run_case(case, lp, on_step, warm=key in self._warm)
        self._warm.add(key)
        return replace(result, seconds=replace(result.seconds, generate=generate_seconds))

    def stop(self) -> None:
        """Free the instance."""
        self._held.clear()

    def _instance(self, case: Case, on_step: OnStep) -> tuple[MatchingLP, float]:
        if case.spec not in self._held:
            self._held.clear()
            on_step(Step.GENERATE)
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


def run_case(case: Case, lp: MatchingLP, on_step: OnStep, *, warm: bool = False) -> Result:
    """Warm up, unless it is `warm`, run and judge in this process; bad input is a result too."""
    try:
        seconds = None
        if not warm:
            on_step(Step.WARM_UP)
            seconds = warm_up(case, few_sources(lp.tightened, WARM_UP_SOURCES), load(case.card))
        result = execute(lp, load(case.card), case.settings, on_step, start=case.warm)
    except (InputError, MemoryError) as error:
        return replace(refused(error), arrays=ArrayFacts.of(lp, None))
    return replace(
        result,
        seconds=replace(result.seconds, warm_up=seconds),
        arrays=ArrayFacts.of(lp, result.answer, case.keep_x),
    )


def warm_up(case: Case, few: MatchingLP, solver: Solver) -> float:
    """Seconds of a first solve with these settings on a few sources: imports, and compiling for these types."""
    stopwatch = Stopwatch(case.settings.device)
    settings = replace(case.settings, time_limit=_WARM_UP_SECONDS)
    execute(few, solver, settings, start=_few_of(case.warm, few.edges))
    return stopwatch.lap()


def _few_of(start: Start | None, edges: int) -> Start | None:
    """The start of the first edges: what a start loads and compiles belongs to the warm-up too."""
    return start if start is None or start.x is None else Start(x=start.x[:edges], dual=start.dual)


def few_sources(lp: MatchingLP, count: int) -> MatchingLP:
    """The first `count` sources of `lp` under all its rows; no array of it leads to the whole one."""
    offsets = np.array(lp.offsets[: count + 1])
    polytopes = lp.per_source.part(0, count, lp.offsets)
    last = int(offsets[-1])
    return MatchingLP(
        offsets=offsets,
        c=lp.c[:last].copy(),
        rows=[copy.deepcopy(family.part(0, last)) for family in lp.rows],
        polytope=copy.deepcopy(polytopes),
    )


def types_of(lp: MatchingLP) -> tuple[str, ...]:
    """What compiled loops depend on: the number of rows and the type of each array."""
    arrays = [getattr(family, name, None) for family in lp.rows for name in ("row", "coefficient", "entry_offsets")]
    return (str(lp.row_count), str(lp.c.dtype), *(str(getattr(array, "dtype", array)) for array in arrays))
