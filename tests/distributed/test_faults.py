"""Ranks that die, do not come or do not agree: one clear line, no rank that hangs, and nothing lost that was kept."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyarrow.parquet import read_metadata

from harness.folder import locked
from harness.scaling.launch import Launched
from harness.scaling.sharded import ShardedCase
from instances import InputError, generate, parse_spec, write_parquet
from solvers import Settings, Status
from tests.support.limits import file_limit
from tests.support.rank_cases import free_port, rank_environment, results_of, sharded_case

Start = Callable[..., Launched]
Killing = Callable[[int, Callable[[], bool]], AbstractContextManager[None]]
ROOT = Path(__file__).resolve().parents[2]
#: Takes PDHG alone well over a thousand iterations.
SLOW = "unit:sources=66000,destinations=100,degree=4,seed=3"
ALONE = {"finish": "none"}


def finished(folder: Path) -> bool:
    """Whether a whole checkpoint lies there."""
    return any(path.name.isdigit() for path in folder.glob("*"))


def test_a_killed_rank_ends_the_run_with_its_name(
    start: Start, killing: Killing, ranks_alive: Callable[[], dict[int, Any]], tmp_path: Path
) -> None:
    with killing(1, lambda: finished(tmp_path)):
        ended = start(SLOW, "blockpdhg", 2, tolerance=1e-8, options=ALONE, checkpoint=str(tmp_path), every=0.2)
    assert ended.result is None
    assert ended.status is Status.CRASHED
    assert ended.reason == "rank 1 of 2 was ended by SIGKILL (memory may have run out)"
    assert not ranks_alive()


def test_restarted_ranks_go_on_from_the_checkpoint(start: Start, killing: Killing, tmp_path: Path) -> None:
    with killing(0, lambda: finished(tmp_path)):
        place = {"checkpoint": str(tmp_path), "every": 0.2}
        ended = start(SLOW, "blockpdhg", 2, tolerance=1e-5, options=ALONE, max_restarts=1, **place)
    assert ended.result is not None
    assert ended.result["restarts"] == 1
    assert ended.result["notes"][0].startswith("went on from iteration ")
    assert ended.result["status"] == "solved"
    assert 0 <= ended.result["certificate"]["gap"] <= 1e-5


@pytest.fixture(scope="module")
def begun_and_resumed(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """A run of PDHG alone and one that Newton takes over, on two ranks up to a limit; then both again on one rank."""
    folder = tmp_path_factory.mktemp("kept")
    pdhg: dict[str, Any] = {"tolerance": 1e-4, "options": ALONE, "checkpoint": str(folder / "pdhg")}
    newton: dict[str, Any] = {"tolerance": 1e-8, "checkpoint": str(folder / "newton"), "every": 0.0}
    begun = [
        sharded_case(SLOW, "blockpdhg", 2, iteration_limit=40, every=0.0, **pdhg),
        sharded_case(SLOW, "blockpdhg", 2, iteration_limit=30, **newton),
    ]
    resumed = [
        sharded_case(SLOW, "blockpdhg", 1, every=300.0, resume=True, **pdhg),
        sharded_case(SLOW, "blockpdhg", 1, resume=True, **newton),
    ]
    return [results_of(begun, folder / "two ranks"), results_of(resumed, folder / "one rank")]


def test_a_checkpoint_goes_on_with_another_number_of_ranks(begun_and_resumed: list[list[Any]]) -> None:
    (_, _), (resumed, _) = begun_and_resumed
    assert resumed["notes"] == ["went on from iteration 39"]
    assert resumed["status"] == "solved"


def test_a_run_that_newton_had_taken_over_goes_on_from_its_point(begun_and_resumed: list[list[Any]]) -> None:
    (_, begun), (_, resumed) = begun_and_resumed
    assert "Newton" in begun["raw_status"]
    assert begun["status"] == "iteration_limit"
    went_on = int(resumed["notes"][0].removeprefix("went on from iteration "))
    assert 21 < went_on <= 30
    assert resumed["status"] == "solved"
    assert resumed["iterations"] < went_on + 40


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (signal.SIGKILL, -signal.SIGKILL, ""),
        (signal.SIGINT, 130, "dualbench: interrupted; what was finished is recorded, --resume goes on"),
    ],
)
def test_no_rank_outlives_the_command_that_started_it(tmp_path: Path, number: int, status: int, words: str) -> None:
    place = ["--checkpoint", str(tmp_path / "kept"), "--checkpoint-every", "0.2", "--out", str(tmp_path / "out")]
    chosen = ["--ranks", "2", "--tolerance", "1e-9", "--option", "finish=none", "--no-probe"]
    command = [sys.executable, "-m", "harness", "scale", SLOW, *chosen, *place]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as scale:
        while not finished(tmp_path / "kept"):
            assert scale.poll() is None
            time.sleep(0.05)
        ranks = psutil.Process(scale.pid).children(recursive=True)
        scale.send_signal(number)
        assert (scale.communicate(timeout=60)[1].strip(), scale.returncode) == (words, status)
    assert len(ranks) == 2
    assert psutil.wait_procs(ranks, 10)[1] == []
    with locked(tmp_path / "out"):
        pass


def member(folder: Path, case: ShardedCase, rank: int, port: int, path: str = "") -> subprocess.Popen[bytes]:
    (folder / f"case-{rank}.json").write_text(case.text)
    command = [sys.executable, "-m", "harness.scaling.member", str(folder / f"case-{rank}.json"), str(folder)]
    return subprocess.Popen(command, cwd=folder, env=rank_environment(rank, case.ranks, port, path))


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


def test_ranks_with_different_versions_say_so(tmp_path: Path, case: ShardedCase) -> None:
    other = tmp_path / "other" / "dualbench-0.0.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: dualbench\nVersion: 0.0.9\n")
    port = free_port()
    ranks = [member(tmp_path, case, 0, port), member(tmp_path, case, 1, port, str(other.parent))]
    assert [rank.wait(60) for rank in ranks] == [2, 2]
    assert "or a version of it, differs: rank 0 has" in (tmp_path / "failure-0.json").read_text()


def test_a_full_disk_costs_checkpoints_and_not_the_run(start: Start, tmp_path: Path) -> None:
    with file_limit(200_000):  # the primal of a rank has more than 500,000 bytes
        place = {"checkpoint": str(tmp_path), "every": 0.0}
        ended = start(SLOW, "blockpdhg", 2, tolerance=1e-4, options=ALONE, iteration_limit=40, **place)
    assert ended.result is not None
    assert ended.result["iterations"] == 40
    assert ended.result["checkpoints"] == 0
    assert "was lost (rank 0: no room on the disk" in ended.result["notes"][0]
    assert list(tmp_path.iterdir()) == []


def test_a_changed_shard_ends_the_run_with_its_name(start: Start, tmp_path: Path) -> None:
    write_parquet(generate(parse_spec("unit:sources=9000,destinations=9,degree=3,seed=1")), tmp_path / "stored", "s")
    file = tmp_path / "stored" / "edges.parquet"
    coefficients = read_metadata(file).row_group(1).column(2)
    content = bytearray(file.read_bytes())
    content[coefficients.data_page_offset + coefficients.total_compressed_size - 5] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"rank \d: .*stored is damaged or incomplete"):
        start(f"parquet:path={tmp_path / 'stored'}", "blockpdhg", 2)


def test_a_rank_that_reaches_nobody_ends_after_the_timeout(tmp_path: Path, case: ShardedCase) -> None:
    port = free_port()
    assert member(tmp_path, case, 1, port).wait(60) == 3
    assert f"rank 1 cannot join the others at 127.0.0.1:{port}" in (tmp_path / "failure-1.json").read_text()


CROWDED = """
import resource
import torch.distributed
from solvers.engine.collectives import joined

taken = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmData"))
stack = max(1 << 21, resource.getrlimit(resource.RLIMIT_STACK)[0])
resource.setrlimit(resource.RLIMIT_DATA, (taken + 7 * stack // 2,) * 2)
with joined("cpu", 60.0):
    print("joined")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is that of Linux")
def test_a_rank_without_memory_for_the_threads_of_its_group_says_so() -> None:
    """Gloo starts three of its four; then it aborts, or waits for ever."""
    environ = rank_environment(0, 1, free_port())
    command = [sys.executable, "-c", CROWDED]
    child = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (child.returncode, child.stdout) == (1, "")
    words = "MemoryError: rank 0 cannot join the others: can't start new thread: raise the limit of its memory"
    assert child.stderr.splitlines()[-1].startswith(words)


def test_ranks_that_all_stand_still_are_ended(
    start: Start, ranks_alive: Callable[[], dict[int, Any]], tmp_path: Path
) -> None:
    def stop_all() -> None:
        while not finished(tmp_path):
            time.sleep(0.05)
        for rank in ranks_alive().values():
            rank.suspend()

    stopping = threading.Thread(target=stop_all, daemon=True)
    stopping.start()
    place = {"checkpoint": str(tmp_path), "every": 0.2}
    ended = start(SLOW, "blockpdhg", 2, tolerance=1e-8, options=ALONE, timeout=5.0, **place)
    stopping.join()
    assert ended.status is Status.CRASHED
    assert ended.reason == "all 2 ranks were stopped by a signal for 5 s, and were ended"
    assert not ranks_alive()


def test_the_rank_that_cannot_join_is_named_and_not_the_one_that_was_ended_for_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "nosuch0")
    ended = start(SLOW, "dualip", 2, iteration_limit=5)
    assert ended.status is Status.CRASHED
    assert "cannot join the others" in ended.reason
    assert "nosuch0" in ended.reason
