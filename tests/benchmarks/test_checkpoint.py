"""Seconds of one checkpoint of 1e7 edges, and the share of a run that checkpoints take at the default interval.

Bringing x and the anchor from cells into the order of the edges comes before and is not counted.

pytest -s tests/benchmarks/test_checkpoint.py --benchmark-columns=median
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from instances import generate, parse_spec
from solvers import Settings, get_solver
from solvers.engine.checkpoint import EVERY, SHARE, CheckpointStore, Snapshot
from solvers.engine.collectives import LOCAL
from solvers.engine.context import SolveContext
from solvers.sharded import ShardedSolver

SPEC = "dualip:sources=1000000,destinations=400,degree=10,seed=42"


class _Kept(CheckpointStore):
    """Keeps what is to be saved, too."""

    def save(self, state: Snapshot) -> None:
        self.state = state
        super().save(state)


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_checkpoint(benchmark: Any, capsys: pytest.CaptureFixture[str], solver: str, tmp_path: Path) -> None:
    lp, made = generate(parse_spec(SPEC)), get_solver(solver)
    assert isinstance(made, ShardedSolver)
    checkpoints = _Kept(tmp_path, LOCAL, identity={}, edges=lp.edges, every=0.0)
    made.run(made.prepare(lp, Settings(threads=2, iteration_limit=2), SolveContext(checkpoints=checkpoints)))
    benchmark.pedantic(checkpoints.save, (checkpoints.state,), rounds=5, warmup_rounds=1)
    seconds = benchmark.stats.stats.median
    share = seconds / max(EVERY, SHARE * seconds)
    benchmark.extra_info.update(spec=SPEC, share=share)
    with capsys.disabled():
        sys.stdout.write(f"\n{solver}: {seconds:.3f} s a checkpoint, {share:.2%} of a run\n")
