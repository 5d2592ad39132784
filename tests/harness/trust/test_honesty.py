"""The kit finds the tricks that make an adapter look better than it is, each by the check that is about it."""

from __future__ import annotations

import contextlib
import gc
import re
import subprocess
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from harness import referee
from harness.cli import invoke
from harness.trust.conformance import Verdict, examine_apart, run_check
from instances import MatchingLP
from solvers import Answer, Availability, Settings, Solver, Status, get_solver
from solvers.base import TracePoint

Good: Any = type(get_solver("scipy-highs-ds"))


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
        for channel in (one for one in gc.get_objects() if type(one) is Connection and not one.closed):
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
    ],
)
def test_a_trick_is_found(broken: type[Solver], check: str, detail: str) -> None:
    found = run_check(broken(), check)
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
    "ends-the-process": ("    def run(self, state): import os; os._exit(0)\n", "simplex", "it reported nothing"),
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
