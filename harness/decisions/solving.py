"""Solve a problem over tables: read, choose a solver, solve, and certify the decisions themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.attempt import check_runnable
from harness.clock import Stopwatch
from harness.decisions.choice import AUTO, choose
from harness.decisions.outcome import Float64
from harness.decisions.solution import Solution
from harness.decisions.tables import decision_columns
from harness.decisions.whole import check_meetable
from harness.decisions.words import started_in_words
from harness.decisions.yesterday import Earlier, Yesterday, earlier_summary, find_again
from harness.general.bound import into_intervals
from harness.general.layers import sides_of
from harness.integral.decide import decided_wholly
from harness.referee import certify
from harness.result import Result
from harness.solve import settings_from, solve
from harness.staying import judged_start, stay_verdict
from harness.verdict import verdict
from instances import InputError
from instances.available import memory_limited
from instances.cpus import usable_threads
from instances.tables import Problem, Stated
from solvers import Settings, Status, get_solver
from solvers.whole.rounding import EFFORT


class NoDecisionsError(InputError):
    """The solver gave no x, or none that lies in the polytopes of its sources; the text says why."""


def solve_problem(
    problem: Problem | Path | str,
    solver: str = AUTO,
    *,
    columns: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
    memory_limit: int | None = None,
    start: Earlier | None = None,
    whole: bool = False,
    effort: float | None = None,
    **settings: Any,
) -> Solution:
    """Decisions for a problem over tables, or the problem.toml at a path.

    solver: its id, the path of an adapter, or `auto`. columns: of the edges, to stand beside x. progress: told each
    phase in a few words; with it the gap goes to standard error as well, once a second. memory_limit: bytes for this
    process; an LP that needs more lies on the disk, from which `blockpdhg` and the referee work. settings: those of
    `solve` (tolerance, time_limit, device, ...); all threads that may be used where threads= does not say how many.
    start: an earlier solution, or the folder that one was written into, from which the solve begins; with stay=RHO > 0
    the decisions stay near it: objective + (RHO / 2) ||x - x_start||^2 is minimised. whole: x of whole numbers, made of
    the LP's answer, of which status and reason speak. effort: of making them, moves that are looked at for each edge
    (harness.whole_decisions).

    Raises InputError for a problem that makes no LP, NoDecisionsError where there is nothing to decide by.
    """
    say = progress or _ignore
    problem = problem if isinstance(problem, Problem) else Problem.read(problem)
    names = decision_columns(problem, columns)
    settings = {"threads": usable_threads(), **settings}
    asked = settings_from(settings)
    _check_request(asked, solver, start, whole=whole, effort=effort)
    with memory_limited(memory_limit):
        stopwatch = Stopwatch()
        stated = problem.build(threads=asked.threads, memory_limit=memory_limit, progress=progress)
        seconds = {"read": stopwatch.lap()}
        stated.edge_columns(names, np.zeros(0, np.int64))  # an unknown one is refused before there is anything to lose
        for note in stated.notes:
            say(note)
        if whole:
            check_meetable(stated)

        begun = None if start is None else find_again(start, stated)
        if begun is not None:
            seconds["start"] = stopwatch.lap()
            say(started_in_words(begun.figures))

        choice = choose(stated.lp, solver)
        say(f"solving with {choice.solver.id} ({choice.why})")
        first = None if begun is None else begun.start
        result = solve(stated.lp, choice.name, start=first, verbose=progress is not None, **settings)
        seconds |= {name: value for name in ("warm_up", "prepare", "run") if (value := getattr(result.seconds, name))}

        say("making the decisions whole, and judging them" if whole else "repairing and judging the decisions")
        stopwatch.lap()
        known: dict[str, Any] = {"choice": choice, "columns": names, "settings": asked, "seconds": seconds}
        moves = (EFFORT if effort is None else effort) if whole else None
        solution = judged(stated, result, begun, effort=moves, **known)
        seconds["referee"] = (result.seconds.referee or 0.0) + stopwatch.lap() - seconds.get("whole", 0.0)
        return solution


def _check_request(asked: Settings, solver: str, start: Earlier | None, *, whole: bool, effort: float | None) -> None:
    """InputError for what cannot be asked for together, or of this solver, before anything is read."""
    if effort is not None and not whole:
        raise InputError(f"effort={effort:g} is of whole decisions: ask for whole, or leave effort out")
    if effort is not None and not effort >= 0:
        raise InputError(f"effort={effort:g}: expected a number from 0")
    if asked.stay and start is None:
        raise InputError(f"stay={asked.stay:g} asks for an earlier output to stay near: give it as start")
    if start is not None:
        earlier_summary(start)
    if solver != AUTO:
        check_runnable(get_solver(solver), asked)


def judged(
    stated: Stated, result: Result, begun: Yesterday | None = None, *, effort: float | None = None, **known: Any
) -> Solution:
    """The solution with the certificate of the point and the prices that it holds; effort: of whole decisions."""
    threads = known["settings"].threads
    x = result.x
    if x is None or result.answer is None:
        raise NoDecisionsError(f"no decisions, {result.status}: {result.reason or result.status.sentence}")
    dual = _prices(stated, result)
    certificate = certify(stated.lp, x, dual, threads=threads)
    decided = replace(result.answer, x=x, dual=dual)
    status, reason = verdict(decided, certificate, known["settings"].tolerance, stated.lp, threads=threads)
    near = None
    if begun is not None:
        near = judged_start(stated.lp, decided, certificate, known["settings"], begun.start)
        if known["settings"].stay and decided.status is Status.SOLVED and status is not Status.ERROR:
            status, reason = stay_verdict(decided, near, known["settings"])
    made = None
    if effort is not None:
        made = decided_wholly(stated.lp, result.answer.x, dual, certificate, effort=effort, threads=threads)
        x, certificate = made.x, made.certificate
        known["seconds"]["whole"] = made.seconds
    return Solution(
        stated=stated,
        status=status,
        reason=reason,
        certificate=certificate,
        x=x,
        dual=dual,
        iterations=result.answer.iterations,
        start=None if begun is None or near is None else begun.told(stated.lp, x, near),
        whole=None if made is None else made.figures,
        effort=effort,
        **known,
    )


def _prices(stated: Stated, result: Result) -> Float64 | None:
    """The solver's dual in the intervals of the rows, as the bound takes it."""
    proved = result.proved_dual
    return None if proved is None else into_intervals(sides_of(stated.lp), proved)


def _ignore(_: str) -> None: ...
