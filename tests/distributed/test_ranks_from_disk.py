"""Ranks whose parts of the instance, cells and vectors lie on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import solve, write_start
from harness.referee import certify
from harness.scaling.sharded import ShardedCase
from instances import generate, parse_spec
from solvers import Settings
from tests.support.rank_cases import results_of, sharded_case

SPEC = "dualip:sources=66000,destinations=40,degree=3,seed=5"
LARGE = "dualip:sources=700000,destinations=100,degree=10,seed=2"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DUALBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Of an ascent in memory and from the disk, and of PDHG from the disk: straight, from its checkpoint, and from an
    answer in memory.
    """
    kept = {
        "tolerance": 1e-3,
        "options": {"finish": "none", "memory": "disk"},
        "checkpoint": str(tmp_path_factory.mktemp("kept") / "points"),
        "every": 0.0,
    }
    ascents = [
        sharded_case(SPEC, "dualip-restarted", 2, tolerance=1e-3, options={"memory": memory})
        for memory in ("ram", "disk")
    ]
    kept_cases = [sharded_case(SPEC, "blockpdhg", 2, resume=resume, **kept) for resume in (False, True)]
    warm = sharded_case(SPEC, "blockpdhg", 2, tolerance=1e-3, options=kept["options"])
    folder = tmp_path_factory.mktemp("ranks")
    begin = solve(generate(parse_spec(SPEC)), "blockpdhg", tolerance=1e-3).start
    assert begin is not None
    write_start(folder / "start.npz", begin)
    cases = [*ascents, *kept_cases, warm]
    results = results_of(cases, folder, {len(cases) - 1: folder / "start.npz"})
    assert [result["status"] for result in results] == ["solved"] * len(cases)
    return results


def check_same(held: Any, streamed: Any) -> None:
    """The same bits; the proofs add the same numbers in another order."""
    assert streamed["raw_status"].endswith("cpu from disk")
    for name in ("dual", "iterations", "digest", "edges"):
        assert held[name] == streamed[name]
    assert held["trace"]["gap"] == streamed["trace"]["gap"]
    assert held["certificate"]["dual_bound"] == pytest.approx(streamed["certificate"]["dual_bound"], rel=1e-12)


def test_dual_ascent_on_two_ranks_gives_the_same_bits_from_the_disk(results: list[Any], cache: Path) -> None:
    held, streamed, *_ = results
    check_same(held, streamed)
    assert not list(cache.iterdir())


def test_ranks_from_the_disk_go_on_from_a_checkpoint(results: list[Any]) -> None:
    *_, straight, resumed, _ = results
    assert any("went on from iteration" in note for note in resumed["notes"])
    assert resumed["dual"] == straight["dual"]


def test_ranks_from_the_disk_begin_from_an_earlier_answer(results: list[Any]) -> None:
    *_, straight, _, warm = results
    assert warm["raw_status"].endswith("cpu from disk")
    assert warm["iterations"] <= straight["iterations"] / 2


LIMITED = """
import json, os, resource, sys
from harness import memory
from harness.scaling.sharded import ShardedCase, take_part
from instances import generate, parse_spec
from solvers import Settings, get_solver

case, limit = ShardedCase.parse(sys.argv[1]), int(sys.argv[2])
solver = get_solver(case.solver)

def held(name):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name))

small = generate(parse_spec("dualip:sources=500,destinations=100,degree=10,seed=2"), threads=1)
settings = Settings(options={**case.settings.options, "memory": "disk" if limit else "ram"})
solver.run(solver.prepare(small, settings))  # imports and compiles
taken = held("VmRSS")
if limit and os.environ["RANK"] == "1":
    # the stacks of the threads count whole from their start: three of Gloo, one at a time of a pool; 2 MiB unless set
    stacks = 4 * max(1 << 21, resource.getrlimit(resource.RLIMIT_STACK)[0])
    resource.setrlimit(resource.RLIMIT_DATA, (held("VmData") + stacks + limit,) * 2)
result = take_part(case)
if result is not None:
    for rank in result["per_rank"]:
        rank["beyond"] = rank["peak_memory"]["host"] - taken
    print(json.dumps(result))
"""


def limited(memory: str, limit: int) -> subprocess.CompletedProcess[str]:
    """Two ranks of torchrun, the second with so many bytes for what it allocates after its imports, beside stacks."""
    case = ShardedCase(
        spec=LARGE,
        solver="blockpdhg",
        settings=Settings(tolerance=1e-3, options={"finish": "none", "memory": memory}),
        ranks=2,
        probe=False,
        timeout=60.0,  # well before that of the command: a rank that waits says so
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    return subprocess.run(
        [*command, sys.executable, "-c", LIMITED, case.text, str(limit)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="the limit and the peak are those of Linux")
def test_where_one_rank_has_less_memory_than_it_needs_all_stream_and_give_the_same_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    limit = 45_000_000
    found = []
    for memory, bound in (("ram", 0), ("auto", limit)):
        done = limited(memory, bound)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    held, streamed = found
    assert streamed["raw_status"].endswith("cpu from disk")
    for name in ("status", "dual", "iterations", "digest"):
        assert held[name] == streamed[name]
    assert max(rank["beyond"] for rank in streamed["per_rank"]) < limit
    assert min(rank["beyond"] for rank in held["per_rank"]) > 2 * limit
    bound = certify(generate(parse_spec(LARGE)), dual=np.array(streamed["dual"]))
    assert bound.dual_bound == pytest.approx(streamed["certificate"]["dual_bound"], rel=1e-10)
