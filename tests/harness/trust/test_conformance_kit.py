"""The conformance kit finds what it is there to find: each broken promise is caught by the check that is about it."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import subprocess
import threading
import time
import warnings
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.optimize import linprog

from harness import referee
from harness.cli import invoke
from harness.referee import certify
from harness.trust import probes
from harness.trust.conformance import Verdict, check_names, examine, examine_apart, run_check
from instances import Kind, MatchingLP
from solvers import Answer, Availability, Settings, Solver, Status, get_solver
from solvers.base import TracePoint

Good: Any = type(get_solver("scipy-highs-ds"))


class WrongSign(Good):
    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        return replace(answer, dual=-answer.dual)


class ScaledDual(Good):
    """Claims nothing, so that only the known dual can tell."""

    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        return replace(answer, dual=1.5 * answer.dual, status=Status.ITERATION_LIMIT)


class FalseClaim(Good):
    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        return replace(answer, x=np.zeros_like(answer.x), status=Status.SOLVED)


class IgnoresPolytope(Good):
    """Solves every instance as if its sources were '<=', also those of '=' sources."""

    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        kind = lp.per_source.kind
        relaxed = replace(
            lp.per_source, kind=np.where(kind == Kind.SIMPLEX_EQUALITY, Kind.SIMPLEX, kind).astype(np.uint8)
        )
        return super().prepare(replace(lp, polytope=relaxed), settings)


class IgnoresTime(Good):
    def run(self, state: Any) -> Answer:
        time.sleep(2.2)
        return super().run(state)


class IgnoresIterations(Good):
    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        return super().prepare(lp, replace(settings, iteration_limit=None))


class WritesIntoTheInstance(Good):
    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        state = super().prepare(lp, settings)
        lp.c[0] += 1.0
        return state


class Unrepeatable(Good):
    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        return replace(answer, x=answer.x + 1e-12 * np.random.default_rng().random(answer.x.size))


class SetsAnEnvironmentVariable(Good):
    def run(self, state: Any) -> Answer:
        os.environ["OMP_NUM_THREADS"] = "7"
        return super().run(state)


class SeedsTheGlobalGenerator(Good):
    def run(self, state: Any) -> Answer:
        np.random.seed(1)  # noqa: NPY002 - the fault itself
        return super().run(state)


class SilencesWarnings(Good):
    def run(self, state: Any) -> Answer:
        warnings.simplefilter("ignore", FutureWarning)
        return super().run(state)


class LeavesAThread(Good):
    threads: ClassVar[list[threading.Event]] = []

    def run(self, state: Any) -> Answer:
        event = threading.Event()
        self.threads.append(event)
        threading.Thread(target=event.wait, name=f"left-{len(self.threads)}", daemon=True).start()
        return super().run(state)


class Raises(Good):
    def run(self, state: Any) -> Answer:  # noqa: ARG002 - the contract
        raise RuntimeError("no\nway")


class NoRemedy(Good):
    def available(self) -> Availability:
        return Availability(ok=False, reason="not today")


class ClaimsTooLittle(Good):
    """Does not claim boxes, but would take them without a word."""

    polytopes = frozenset({Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY})

    def unsuited(self, lp: MatchingLP) -> str:  # noqa: ARG002 - the contract
        return ""


class NotAnArray:
    """Solves when somebody looks: at no cost to run."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.value, dtype=dtype)


class LazyX(Good):
    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        return replace(answer, x=NotAnArray(answer.x))


class LazyTrace(Good):
    def run(self, state: Any) -> Answer:
        return replace(super().run(state), trace=(point for point in ()))


class LazyWords(Good):
    def run(self, state: Any) -> Answer:
        return replace(super().run(state), raw_status=type("Words", (str,), {})("fine"))


class CountsBackwards(Good):
    def run(self, state: Any) -> Answer:
        return replace(super().run(state), iterations=-1)


class TracesTheFuture(Good):
    def run(self, state: Any) -> Answer:
        return replace(super().run(state), trace=[TracePoint(seconds=1e308, iteration=1, gap=0.1)])


class TracesNothing(Good):
    def run(self, state: Any) -> Answer:
        return replace(super().run(state), trace=[TracePoint(seconds=0.0, iteration=1, gap=float("nan"))])


class ChangesTheSettings(Good):
    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        state = super().prepare(lp, settings)
        object.__setattr__(settings, "tolerance", 1e9)
        return state


class WorksInUnsuited(Good):
    def unsuited(self, lp: MatchingLP) -> str:
        spin(0.2)
        return str(super().unsuited(lp))


class WorksInAvailable(Good):
    def available(self) -> Availability:
        spin(0.2)
        return Availability(ok=True, version="1")


class WorksInPrepare(Good):
    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        spin(1.0)
        return super().prepare(lp, settings)


class RemembersAnswers(Good):
    answers: ClassVar[dict[bytes, Answer]] = {}

    def run(self, state: Any) -> Answer:
        key = state.arguments["c"].tobytes()
        if key not in self.answers:
            spin(0.1)
            self.answers[key] = super().run(state)
        return self.answers[key]


class HandsOutTheInstance(Good):
    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        return lp, super().prepare(lp, settings)

    def run(self, state: Any) -> Answer:
        lp, inner = state
        return replace(super().run(inner), x=lp.c, status=Status.ITERATION_LIMIT)


class ReusesItsArray(Good):
    x: ClassVar[np.ndarray[Any, Any]] = np.zeros(6)

    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        self.x[:] = answer.x
        return replace(answer, x=self.x)


class DrownsTheCosts(Good):
    def run(self, state: Any) -> Answer:
        answer = super().run(state)
        return replace(answer, dual=answer.dual + 2.0**60)


class WorksOn(Good):
    def run(self, state: Any) -> Answer:
        threading.Thread(target=spin, args=(2.0,), daemon=True).start()
        return super().run(state)


class LeavesAProcess(Good):
    def run(self, state: Any) -> Answer:
        LEFT.append(subprocess.Popen(["sleep", "5"]))
        return super().run(state)


class SpeaksForItself(Good):
    """Finds the channels of its process and tells them how well it did."""

    def run(self, state: Any) -> Answer:
        for channel in (one for one in gc.get_objects() if isinstance(one, Connection) and not one.closed):
            with contextlib.suppress(OSError):
                channel.send("solved")
        return super().run(state)


class CallsItselfOurs(Good):
    id = "blockpdhg"


LEFT: list[subprocess.Popen[bytes]] = []


def spin(seconds: float) -> None:
    """CPU seconds spent, by this thread's own clock."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.mark.parametrize(
    ("broken", "check", "detail"),
    [
        (LazyX, "plain_values", "x is NotAnArray, not an array of NumPy"),
        (LazyTrace, "plain_values", "trace is generator, not a list or tuple"),
        (LazyWords, "plain_values", "raw_status is Words, not str"),
        (CountsBackwards, "plain_values", "iterations=-1: expected None or a count >= 0"),
        (TracesTheFuture, "plain_values", "trace: 1e+308 s in a run of"),
        (TracesNothing, "plain_values", "trace: gap nan"),
        (ChangesTheSettings, "settings_unchanged", "the solver changed settings.tolerance"),
        (WorksInUnsuited, "work_is_in_run", "unsuited() took 0.2"),
        (WorksInAvailable, "work_is_in_run", "available() took 0.2"),
        (RemembersAnswers, "no_memory_of_runs", "it keeps answers from run to run"),
        (HandsOutTheInstance, "own_arrays", "x shares memory with c of the instance"),
        (ReusesItsArray, "own_arrays", "x shares memory with that of the run before"),
        (DrownsTheCosts, "prices_of_equalities", "a price of 1.2e+18 where costs are at most 1"),
        (WorksOn, "nothing_left_working", "threads are left after run"),
        (LeavesAProcess, "nothing_left_working", "1 processes are left after run"),
        (SpeaksForItself, "channels", "it wrote into a channel of the harness"),
        (CallsItselfOurs, "declaration", "id 'blockpdhg' is that of a solver of dualbench"),
        (WrongSign, "simplex", "a false claim"),
        (ScaledDual, "simplex", "dual [1.5, 0.0], expected [1.0, 0.0]"),
        (FalseClaim, "box", "a false claim"),
        (IgnoresPolytope, "simplex_equality", "a false claim"),
        (IgnoresTime, "time_limit", "with a time limit of 0.05 s"),
        (IgnoresIterations, "iteration_limit", "iterations with a limit of 3"),
        (WritesIntoTheInstance, "instance_unchanged", "the solver wrote into c"),
        (Unrepeatable, "repeatable", "x differs from run to run"),
        (SetsAnEnvironmentVariable, "process_state", "environment variables: OMP_NUM_THREADS"),
        (SeedsTheGlobalGenerator, "process_state", "numpy.random changed"),
        (SilencesWarnings, "process_state", "warnings filters changed"),
        (LeavesAThread, "process_state", "left-"),
        (Raises, "simplex", "error: RuntimeError: no way"),
        (NoRemedy, "available", "without a reason or a remedy"),
        (ClaimsTooLittle, "box", "does not claim BOX, but unsuited() says nothing"),
    ],
)
def test_a_broken_promise_is_found(broken: type[Solver], check: str, detail: str) -> None:
    found = run_check(broken(), check)
    for event in LeavesAThread.threads:
        event.set()
    for process in LEFT:
        process.kill()
        process.wait()
    LEFT.clear()
    assert found.verdict is Verdict.FAILED
    assert detail in found.detail


def test_much_work_in_prepare_is_a_warning_with_the_numbers() -> None:
    found = run_check(WorksInPrepare(), "work_is_in_run")
    assert found.verdict is Verdict.WARNED
    assert re.search(r"prepare took 1[.\d]* CPU seconds, run 0\.\d+", found.detail)


#: name: (what is added to a file that conforms, the check, words of what it finds)
APART = {
    "patches-the-judge": ("import harness.referee as r; r.certify = None\n", "meddling", "harness.referee.certify"),
    "patches-the-clock": ("import time; time.perf_counter = time.monotonic\n", "meddling", "time.perf_counter"),
    "patches-a-class": (
        "from solvers import Settings; Settings.__post_init__ = print\n",
        "meddling",
        "Settings.__post",
    ),
    "remembers-on-disk": (
        """
from pathlib import Path
import hashlib, pickle

class Remembers(Mine):
    def run(self, state):
        kept = Path(__file__).with_name(hashlib.sha256(state[0].c.tobytes()).hexdigest())
        if not kept.exists():
            kept.write_bytes(pickle.dumps(super().run(state)))
        return pickle.loads(kept.read_bytes())

Mine = None
""",
        "no_memory_on_disk",
        "it keeps answers from run to run",
    ),
    "honest-where-it-is-watched": (
        """
import sys
from solvers import Status

class Watched(Mine):
    def run(self, state):
        answer = super().run(state)
        if "harness.trust.promises" in sys.modules:
            return answer
        return Answer(x=0 * answer.x, dual=0 * answer.dual, status=Status.SOLVED)

Mine = None
""",
        "same_unwatched",
        "iteration_limit here, inaccurate in a run",
    ),
    "ends-the-process": ("    def run(self, state): import os; os._exit(0)\n", "simplex", "nothing was told"),
    "crashes": ("    def run(self, state): import os; os.abort()\n", "simplex", "the process was ended by SIGABRT"),
}


@pytest.mark.parametrize("name", APART)
def test_a_trick_of_another_process_is_found(name: str, tmp_path: Path) -> None:
    assert invoke(["new-solver", "mine", "--out", str(tmp_path)]) == 0
    adapter = tmp_path / "mine.py"
    added, check, words = APART[name]
    before = (time.perf_counter, referee.certify)
    adapter.write_text(f"{adapter.read_text()}{added}")
    (found,) = examine_apart(str(adapter), only=[check])
    assert found.verdict is Verdict.FAILED
    assert words in found.detail
    assert (time.perf_counter, referee.certify) == before


def test_a_slow_import_is_a_warning(tmp_path: Path) -> None:
    assert invoke(["new-solver", "mine", "--out", str(tmp_path)]) == 0
    adapter = tmp_path / "mine.py"
    slow = "began = time.process_time()\nwhile time.process_time() < began + 1.2: pass\n"
    adapter.write_text(f"{adapter.read_text()}{slow}")
    (found,) = examine_apart(str(adapter), only=["loading"])
    assert found.verdict is Verdict.WARNED
    assert "CPU seconds to import" in found.detail


def test_a_good_adapter_passes_every_check() -> None:
    found = list(examine(Good()))
    assert [one.check for one in found] == check_names()
    assert {one.verdict for one in found} == {Verdict.PASSED}


def test_an_unavailable_solver_is_not_tried_further() -> None:
    assert [one.check for one in examine(NoRemedy())] == ["available", "declaration"]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("make", [probes.known_optimum, probes.twice_as_large, probes.with_gaps])
def test_the_known_optima_and_duals_are_right(make: Any, kind: Kind) -> None:
    probe = make(kind)
    if make is probes.with_gaps and kind is Kind.SIMPLEX_EQUALITY:
        pytest.skip("an empty '=' source has no feasible x")
    assert optimum(probe.lp) == pytest.approx(probe.optimum)
    assert certify(probe.lp, None, np.array(probe.dual)).dual_bound == pytest.approx(probe.optimum)


def test_the_known_optimum_of_several_kinds_is_their_sum() -> None:
    probe = probes.several_kinds(list(Kind))
    assert optimum(probe.lp) == pytest.approx(probe.optimum) == pytest.approx(-18.95)
    assert certify(probe.lp, None, np.array(probe.dual)).dual_bound == pytest.approx(probe.optimum)


def optimum(lp: MatchingLP) -> float:
    explicit = lp.to_explicit()
    rows, equality = explicit.matrix.toarray(), explicit.row_lower == explicit.row_upper
    result = linprog(
        explicit.c,
        A_ub=rows[~equality],
        b_ub=explicit.row_upper[~equality],
        A_eq=rows[equality],
        b_eq=explicit.row_upper[equality],
        bounds=np.column_stack((np.zeros(lp.edges), explicit.upper)),
    )
    assert result.status == 0, result.message
    return float(result.fun)


def test_check_takes_a_path_and_its_exit_status_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["new-solver", "mine", "--out", str(tmp_path)]) == 0
    adapter = tmp_path / "mine.py"
    assert invoke(["check", str(adapter)]) == 0
    assert "conforms" in capsys.readouterr().out
    broken = tmp_path / "broken.py"
    broken.write_text(adapter.read_text().replace("ok=True", "ok=False"))
    assert invoke(["check", str(broken)]) == 1
    assert "1 checks failed" in capsys.readouterr().out
    broken.write_text(adapter.read_text().replace("dual=dual,", "dual=-dual,"))
    (found,) = examine_apart(str(broken), only=["simplex"])
    assert found.verdict is Verdict.FAILED
    assert invoke(["check", "nosuch"]) == 2
