"""The conformance kit finds what it is there to find: each broken promise is caught by the check that is about it."""

from __future__ import annotations

import os
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from harness.cli import invoke
from harness.referee import certify
from harness.trust import probes
from harness.trust.conformance import Verdict, check_names, examine, examine_apart, run_check
from instances import Kind, MatchingLP
from instances.polytopes import polytope_kinds
from solvers import Answer, Availability, Settings, Solver, Start, Status, get_solver
from tests.support.optimum import optimum

Good: Any = type(get_solver("scipy-highs-ds"))
Started: Any = type(get_solver("blockpdhg"))


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


class IgnoresItsStart(Started):
    def warm_start(self, state: Any, start: Start) -> Any:  # noqa: ARG002 - the contract
        return state


class CountsNothing(Started):
    def run(self, state: Any) -> Answer:
        return replace(super().run(state), iterations=None)


class ClaimsNothing(Started):
    """Good, though nothing but the certified gap shows that it uses its start."""

    def run(self, state: Any) -> Answer:
        return replace(super().run(state), status=Status.ITERATION_LIMIT, iterations=None)


class ClaimsNothingAndIgnoresItsStart(IgnoresItsStart, ClaimsNothing): ...


class TakesTheStartForTheAnswer(Started):
    """Says that whatever it is given is the optimum."""

    def warm_start(self, state: Any, start: Start) -> Any:
        return state, start

    def run(self, state: Any) -> Answer:
        if not isinstance(state, tuple):
            return super().run(state)
        return Answer(x=state[1].x, dual=state[1].dual, status=Status.SOLVED, iterations=0)


@pytest.mark.parametrize(
    ("broken", "check", "detail"),
    [
        (IgnoresItsStart, "warm_start", "iterations from its own answer"),
        (CountsNothing, "warm_start", "counts no iterations"),
        (ClaimsNothingAndIgnoresItsStart, "warm_start", "iterations from its own answer"),
        (TakesTheStartForTheAnswer, "warm_start", "a false claim from nonsense"),
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
    assert found.verdict is Verdict.FAILED
    assert detail in found.detail


def test_a_good_adapter_passes_every_check() -> None:
    found = list(examine(Good()))
    assert [one.check for one in found] == check_names()
    assert {one.check for one in found if one.verdict is Verdict.SKIPPED} == {"warm_start"}  # it takes none
    assert {one.verdict for one in found} == {Verdict.PASSED, Verdict.SKIPPED}


def test_a_solver_that_claims_nothing_shows_by_its_gap_that_it_uses_its_start() -> None:
    found = run_check(ClaimsNothing(), "warm_start")
    assert found.verdict is Verdict.PASSED
    assert "after 3 iterations from its own answer" in found.detail


def test_an_unavailable_solver_is_not_tried_further() -> None:
    assert [one.check for one in examine(NoRemedy())] == ["available", "declaration"]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("make", [probes.known_optimum, probes.twice_as_large, probes.with_gaps])
def test_the_known_optima_and_duals_are_right(make: Any, kind: Kind) -> None:
    probe = make(kind)
    if make is probes.with_gaps and polytope_kinds()[kind].equality:
        pytest.skip("an empty '=' source has no feasible x")
    assert optimum(probe.lp) == pytest.approx(probe.optimum)
    assert certify(probe.lp, None, np.array(probe.dual)).dual_bound == pytest.approx(probe.optimum)


def test_the_known_optimum_of_several_kinds_is_their_sum() -> None:
    probe = probes.several_kinds(list(Kind))
    assert optimum(probe.lp) == pytest.approx(probe.optimum) == pytest.approx(-29.3)
    assert certify(probe.lp, None, np.array(probe.dual)).dual_bound == pytest.approx(probe.optimum)


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
