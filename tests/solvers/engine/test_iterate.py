"""The one loop of the methods: how a run ends, goes on, and is saved, with a method whose gap is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from instances import InputError, MatchingLP
from solvers.base import Answer, Status
from solvers.engine.certificate import Certificate
from solvers.engine.checkpoint import CheckpointStore, Snapshot
from solvers.engine.collectives import LOCAL
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts
from solvers.engine.iterate import Assessment, Finish, Loop, Method, MethodState, Problem
from solvers.engine.progress import NonFiniteError
from solvers.engine.row_bounds import row_bounds
from solvers.settings import Settings

LP = MatchingLP(offsets=np.array([0, 1]), destination=np.array([0]), a=np.ones(1), c=-np.ones(1), b=np.ones(1))


class Told(Method):
    """Its gap is 1 / passes. successor: takes over after three passes; lost: the pass that loses a number."""

    def __init__(self, *, proved: Mapping[int, float] | None = None, lost: int = 0, successor: Method | None = None):
        self.passes = 0
        self.lasts: list[bool] = []
        self._proved, self._lost, self._successor = proved or {}, lost, successor

    @property
    def remark(self) -> str:
        return f"{len(self.lasts)} passes of its own"

    def step(self, iteration: int, *, last: bool) -> Assessment:
        self.passes = iteration
        self.lasts.append(last)
        if iteration == self._lost:
            raise NonFiniteError(f"dual not finite in iteration {iteration}")
        return Assessment(gap=1 / iteration, worth_proving=iteration in self._proved)

    def finish(self, *, last: bool) -> Finish:  # noqa: ARG002
        gap = self._proved.get(self.passes, math.inf)
        return Finish(certificate=Certificate(bound=-1.0, objective=gap - 1), x=lambda: np.full(1, float(self.passes)))

    def advance(self, iteration: int) -> Method:
        return self._successor if self._successor is not None and iteration == 3 else self

    def snapshot(self) -> MethodState | None:
        return MethodState(numbers={"passes": self.passes}, shared={}) if self.passes % 2 == 0 else None

    def restore(self, state: MethodState) -> None:
        self.passes = int(state.numbers["passes"])


def solve(method: Method, *, checkpoints: CheckpointStore | None = None, **settings: float | None) -> Answer:
    problem = Problem(
        lp=LP,
        costs=WorkingCosts(lp=LP, offset=0.0, norm=None, usual=1.0, largest=1.0),
        settings=Settings(**settings),  # type: ignore[arg-type]  # fields by name
        context=SolveContext(checkpoints=checkpoints),
        bounds=row_bounds(LP),
        has_equality=False,
        repairable=True,
        objective_upper_bound=math.inf,
    )
    return Loop(problem, kernel="told").solve(method)


def store(folder: Path, every: float) -> CheckpointStore:
    return CheckpointStore(folder, LOCAL, identity={}, edges=LP.edges, every=every)


def test_a_proved_gap_ends_a_run_as_solved() -> None:
    answer = solve(Told(proved={4: 1e-5}), tolerance=1e-4)
    assert (answer.status, answer.iterations) == (Status.SOLVED, 4)
    assert answer.x == 4.0
    assert answer.raw_status == "certified gap 1.00e-05, 4 passes of its own; kernel told"


def test_a_proof_that_fails_does_not_end_a_run() -> None:
    answer = solve(Told(proved={4: 1.0, 6: 1e-3, 7: 1e-9}), tolerance=1e-4)
    assert (answer.status, answer.iterations) == (Status.SOLVED, 7)


def test_the_pass_at_a_limit_knows_that_it_is_the_last_and_gives_the_answer() -> None:
    method = Told()
    answer = solve(method, iteration_limit=3)
    assert (answer.status, answer.iterations) == (Status.ITERATION_LIMIT, 3)
    assert method.lasts == [False, False, True]
    assert answer.x == 3.0


def test_a_tolerance_proved_at_a_limit_is_solved() -> None:
    assert solve(Told(proved={3: 1e-9}), iteration_limit=3).status is Status.SOLVED


def test_a_number_that_is_not_finite_ends_a_run_as_an_error_without_an_answer() -> None:
    answer = solve(Told(lost=2), iteration_limit=3)
    assert (answer.status, answer.iterations, answer.x, answer.dual) == (Status.ERROR, 2, None, None)
    assert answer.raw_status.startswith("dual not finite in iteration 2")


def test_a_successor_goes_on_with_the_count() -> None:
    later = Told()
    answer = solve(Told(successor=later), iteration_limit=5)
    assert answer.iterations == later.passes == 5
    assert later.lasts == [False, True]
    assert "2 passes of its own" in answer.raw_status


def test_a_run_goes_on_from_the_last_pass_that_could_be_saved(tmp_path: Path) -> None:
    solve(Told(), checkpoints=store(tmp_path, every=0.0), iteration_limit=6)
    method = Told()
    assert solve(method, checkpoints=store(tmp_path, every=1e9), iteration_limit=6).iterations == 6
    assert (
        len(method.lasts) == 2
    )  # passes 5 and 6: pass 5 had nothing to save, and the last pass of a run saves nothing


def test_a_checkpoint_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    foreign = Snapshot(iteration=5, seconds=1.0, numbers={"closer": 0.0}, shared={"_y": np.zeros(1)})
    store(tmp_path, every=0.0).save(foreign)
    with pytest.raises(
        InputError, match="checkpoint of iteration 5 lacks 'passes', another version wrote it"
    ) as refusal:
        solve(Told(), checkpoints=store(tmp_path, every=0.0))
    assert "\n" not in str(refusal.value)
