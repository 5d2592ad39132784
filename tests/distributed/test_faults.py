"""Ranks that die, do not come or do not agree: one clear line, no rank that hangs, and nothing lost that was kept."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from harness.scaling.launch import Launched
from harness.scaling.sharded import ShardedCase
from solvers import Settings, Status

Start = Callable[..., Launched]
Killing = Callable[[int, Callable[[], bool]], AbstractContextManager[None]]
ROOT = Path(__file__).resolve().parents[2]
#: Takes well over a thousand iterations.
SLOW = "unit:sources=66000,destinations=100,degree=4,seed=3"


def finished(folder: Path) -> bool:
    """Whether a whole checkpoint lies there."""
    return any(path.name.isdigit() for path in folder.glob("*"))


def test_a_killed_rank_ends_the_run_with_its_name(
    start: Start, killing: Killing, ranks_alive: Callable[[], dict[int, Any]], tmp_path: Path
) -> None:
    since = time.monotonic()
    with killing(1, lambda: finished(tmp_path)):
        ended = start(SLOW, "blockpdhg", 2, tolerance=1e-8, checkpoint=str(tmp_path), every=0.2)
    assert ended.result is None
    assert ended.status is Status.CRASHED
    assert ended.reason == "rank 1 of 2 was ended by SIGKILL (memory may have run out)"
    assert not ranks_alive()
    assert time.monotonic() - since < 40


def test_restarted_ranks_go_on_from_the_checkpoint(start: Start, killing: Killing, tmp_path: Path) -> None:
    with killing(0, lambda: finished(tmp_path)):
        ended = start(SLOW, "blockpdhg", 2, tolerance=1e-5, checkpoint=str(tmp_path), every=0.2, max_restarts=1)
    assert ended.result is not None
    assert ended.result["restarts"] == 1
    assert ended.result["notes"][0].startswith("went on from iteration ")
    assert ended.result["status"] == "solved"
    assert 0 <= ended.result["certificate"]["gap"] <= 1e-5


def test_a_checkpoint_goes_on_with_another_number_of_ranks(start: Start, tmp_path: Path) -> None:
    place = {"checkpoint": str(tmp_path), "every": 0.0}
    assert start(SLOW, "blockpdhg", 2, tolerance=1e-4, iteration_limit=40, **place).result is not None
    before = start(SLOW, "blockpdhg", 1, tolerance=1e-4, **{**place, "every": 300.0, "resume": True}).result
    assert before is not None
    assert before["notes"] == ["went on from iteration 39"]
    assert before["status"] == "solved"


def environment(rank: int, size: int, port: int) -> dict[str, str]:
    place = {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return {**os.environ, **place, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def member(folder: Path, case: ShardedCase, rank: int, port: int) -> subprocess.Popen[bytes]:
    (folder / f"case-{rank}.json").write_text(case.text)
    command = [sys.executable, "-m", "harness.scaling.member", str(folder / f"case-{rank}.json"), str(folder)]
    return subprocess.Popen(command, env=environment(rank, case.ranks, port))


@pytest.fixture
def case() -> ShardedCase:
    return ShardedCase(spec=SLOW, solver="blockpdhg", settings=Settings(), ranks=2, timeout=3.0, probe=False)


def test_ranks_with_different_specs_say_so(tmp_path: Path, case: ShardedCase) -> None:
    port = free_port()
    other = dataclasses.replace(case, spec=SLOW.replace("seed=3", "seed=4"))
    ranks = [member(tmp_path, case, 0, port), member(tmp_path, other, 1, port)]
    assert [rank.wait(60) for rank in ranks] == [2, 2]
    for rank in range(2):
        assert "differs: rank 0 has" in (tmp_path / f"failure-{rank}.json").read_text()


def test_a_rank_that_reaches_nobody_ends_after_the_timeout(tmp_path: Path, case: ShardedCase) -> None:
    port = free_port()
    assert member(tmp_path, case, 1, port).wait(60) == 3
    assert f"rank 1 cannot join the others at 127.0.0.1:{port}" in (tmp_path / "failure-1.json").read_text()
