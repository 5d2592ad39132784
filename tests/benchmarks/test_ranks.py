"""One rank under torch.distributed against the plain call: seconds a pass, run in turn.

pytest tests/benchmarks/test_ranks.py --benchmark-columns=median --benchmark-json ranks.json
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import pytest
import torch.distributed as dist

from instances import MatchingLP, generate, parse_spec
from solvers import Settings, get_solver
from solvers.engine.collectives import LOCAL, Communicator, TorchCommunicator
from solvers.engine.context import SolveContext
from solvers.sharded import ShardedSolver

SPEC = "dualip:sources=1000000,destinations=400,degree=10,seed=42"
ROUNDS = 5


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
