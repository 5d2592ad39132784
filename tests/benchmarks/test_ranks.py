"""One rank under torch.distributed against the plain call, and two against one: seconds a pass, run in turn.

pytest tests/benchmarks/test_ranks.py --benchmark-columns=median --benchmark-json ranks.json
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch.distributed as dist

from harness.scaling.launch import launch
from harness.scaling.sharded import ShardedCase
from instances import MatchingLP, generate, parse_spec
from solvers import Settings, get_solver
from solvers.engine.collectives import LOCAL, Communicator, TorchCommunicator
from solvers.engine.context import SolveContext
from solvers.sharded import ShardedSolver

SPEC = "dualip:sources=1000000,destinations=400,degree=10,seed=42"
ROUNDS = 5
#: 1e7 edges with several families of rows.
WIDE = "volume:sources=1000000,destinations=1000,degree=10,seed=42"
#: Runs of one rank and of two, and passes of each.
TURNS = 2
PASSES = 80
#: Of the seconds of the passes of a run: low, because other work on the machine only ever adds to them.
SHARE = 0.1


@pytest.fixture(scope="module")
def lp() -> MatchingLP:
    return generate(parse_spec(SPEC))


@pytest.fixture(scope="module")
def alone() -> Iterator[Communicator]:
    """A real Gloo group of this process."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield TorchCommunicator()
    dist.destroy_process_group()


class Timed:
    """A prepared solve that is run again and again; seconds a pass of each run."""

    def __init__(self, solver: str, lp: MatchingLP, context: SolveContext, tolerance: float) -> None:
        made = get_solver(solver)
        assert isinstance(made, ShardedSolver)
        settings = Settings(threads=1, tolerance=tolerance, iteration_limit=40)
        self._solver, self._state, self._context = made, made.prepare(lp, settings, context), context
        self.passes: list[float] = []

    def run(self) -> None:
        self._solver.run(self._state)
        self.passes.append(statistics.median(step for step, _ in self._context.steps[1:]))


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_one_rank_against_the_plain_call(benchmark: Any, lp: MatchingLP, alone: Communicator, solver: str) -> None:
    plain, ranked = Timed(solver, lp, SolveContext(LOCAL), 1e-5), Timed(solver, lp, SolveContext(alone), 1e-5)

    def both() -> None:
        plain.run()
        ranked.run()

    benchmark.pedantic(both, rounds=ROUNDS, warmup_rounds=1)
    overhead = [b / a - 1 for a, b in zip(plain.passes, ranked.passes, strict=True)][1:]
    benchmark.extra_info.update(spec=SPEC, overhead=statistics.median(overhead), overheads=overhead)
    print(f"\n{solver}: {statistics.median(overhead):+.2%} ({min(overhead):+.2%} to {max(overhead):+.2%})")  # noqa: T201


def pass_seconds(ranks: int) -> float:
    """The quantile SHARE of the passes of PDHG on so many ranks of one thread each; the slowest rank counts."""
    settings = Settings(threads=1, tolerance=1e-6, iteration_limit=PASSES, options={"finish": "none"})
    launched = launch(ShardedCase(spec=WIDE, solver="blockpdhg", ranks=ranks, settings=settings, probe=False))
    assert launched.result is not None, launched.reason
    return float(np.quantile(np.diff(launched.result["trace"]["seconds"]), SHARE))


def test_two_ranks_against_one_on_several_families(benchmark: Any) -> None:
    """Wants two cores that are free; the load before each run is kept with the seconds."""
    found: dict[int, list[float]] = {1: [], 2: []}
    load: list[float] = []

    def in_turn() -> None:
        for ranks in found:
            load.append(os.getloadavg()[0])
            found[ranks].append(pass_seconds(ranks))

    benchmark.pedantic(in_turn, rounds=TURNS)
    ratio = statistics.median(found[1]) / statistics.median(found[2])
    benchmark.extra_info.update(spec=WIDE, ratio=ratio, seconds=found, load=load)
    print(f"\n{WIDE}: two ranks are {ratio:.2f} times faster than one; load {min(load):.1f} to {max(load):.1f}")  # noqa: T201
