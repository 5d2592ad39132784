"""Plans: memory and time before anything is made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.scaling.devices import DEVICES
from harness.scaling.disk import measured_speed
from harness.scaling.needs import device_bytes, host_bytes, most_ranks, shape_of, solve_bytes, streaming_bytes
from harness.scaling.plan import from_disk, least_ranks, plan
from instances import InputError, generate, parse_spec
from solvers.engine.sizes import Shape

GIGA = "dualip:sources=100000000,destinations=10000,degree=10"


def test_dual_ascent_needs_less_memory_and_time() -> None:
    spec = parse_spec(GIGA)
    ascent, pdhg = (plan(spec, solver=solver, device="h200", ranks=4) for solver in ("dualip", "blockpdhg"))
    assert ascent.device_bytes < pdhg.device_bytes
    assert ascent.per_iteration < pdhg.per_iteration


def test_more_ranks_hold_less_each_and_are_faster() -> None:
    spec = parse_spec(GIGA)
    one, eight = (plan(spec, solver="blockpdhg", device="h200", ranks=ranks) for ranks in (1, 8))
    assert one.fits
    assert eight.edges_of_rank == pytest.approx(one.edges_of_rank / 8, rel=1e-2)
    assert eight.per_iteration < one.per_iteration / 7


def test_time_to_the_gap_is_only_told_where_iterations_are_known() -> None:
    spec = parse_spec(GIGA.replace("dualip", "uniform"))
    assert plan(spec, solver="blockpdhg", device="h200", ranks=1).to_gap is None
    known = plan(spec, solver="blockpdhg", device="h200", ranks=1, iterations=100)
    assert known.to_gap == pytest.approx(100 * known.per_iteration)


@pytest.mark.parametrize("device", ["h200", "a100"])
@pytest.mark.parametrize("sources", [10**9, 3 * 10**9, 10**11])
def test_the_least_number_of_devices_fits_and_one_less_does_not(device: str, sources: int) -> None:
    spec = parse_spec(f"dualip:sources={sources},destinations=10000,degree=10")
    ranks = least_ranks(spec, solver="blockpdhg", device=device)
    needed = [device_bytes(solve_bytes(spec, number, "blockpdhg")) for number in (ranks, ranks - 1)]
    assert needed[0] <= DEVICES[device].memory < needed[1]


def test_ranks_on_one_machine_share_its_memory(memory_left: Callable[[float], None]) -> None:
    spec = parse_spec("dualip:sources=70000,destinations=20,degree=3,seed=1")
    need = host_bytes(spec, solve_bytes(spec, 2, "dualip"), cells_on_host=True)
    for times, fits in ((1.5, False), (2.5, True)):
        memory_left(times * need)
        assert plan(spec, solver="dualip", device="cpu", ranks=2).fits is fits


@pytest.mark.parametrize("family", ["dualip", "volume", "pacing", "exposure", "coupons", "paths", "transport"])
def test_the_families_of_rows_are_known_before_an_edge_is_made(family: str) -> None:
    spec = parse_spec(f"{family}:sources=3000,destinations=30,degree=4,seed=1")
    planned, made = shape_of(spec, 1), Shape.of(generate(spec))
    assert planned.rows == made.rows
    assert planned.further_bytes(index=2, value=4) == pytest.approx(made.further_bytes(index=2, value=4), rel=0.25)


@pytest.mark.parametrize("ranks", [0, 6105])
def test_ranks_beyond_the_blocks_are_refused(ranks: int) -> None:
    assert most_ranks(parse_spec(GIGA)) == 6104
    with pytest.raises(InputError, match="use at most 6104"):
        shape_of(parse_spec(GIGA), ranks)


def test_unknown_devices_are_named() -> None:
    with pytest.raises(InputError, match="unknown device 'abacus': use cpu or one of h200, h100, a100"):
        plan(parse_spec(GIGA), solver="dualip", device="abacus", ranks=1)


PEAK = """
import json, os, sys
os.environ["NUMBA_NUM_THREADS"] = "1"
from harness.scaling.sharded import ShardedCase, take_part
from solvers import Settings
settings = Settings(tolerance=1e-5, iteration_limit=10)
case = ShardedCase(spec=sys.argv[1], solver=sys.argv[2], settings=settings, ranks=1, probe=False)
print(json.dumps(take_part(case)["per_rank"][0]["peak_memory"]["host"]))
"""


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_memory_is_within_a_tenth_of_the_peak(solver: str) -> None:
    spec = parse_spec("dualip:sources=400000,destinations=200,degree=10,seed=42")
    command, small = [sys.executable, "-c", PEAK], spec.text.replace("400000", "400")
    subprocess.run([*command, small, solver], capture_output=True, check=True, timeout=300)  # compiles
    done = subprocess.run([*command, spec.text, solver], capture_output=True, text=True, check=True, timeout=300)
    expected = host_bytes(spec, solve_bytes(spec, 1, solver), cells_on_host=True)
    assert expected == pytest.approx(json.loads(done.stdout), rel=0.1)


STREAMED_PEAK = """
import contextlib, json, os, sys, threading
from pathlib import Path
os.environ["NUMBA_NUM_THREADS"] = "1"
from harness import memory
from instances import parse_spec, stored
from solvers import Settings, get_solver

def solve(text):
    solver, settings = get_solver(sys.argv[1]), Settings(tolerance=1e-3, iteration_limit=20, options={"memory": "disk"})
    solver.run(solver.prepare(stored(parse_spec(text), threads=1), settings))

def taken(folder):
    files = {}
    for path in (*Path("/proc/self/fd").iterdir(), *Path(folder).rglob("*.npy")):
        with contextlib.suppress(OSError):  # closed meanwhile
            if os.path.realpath(path).startswith(folder):
                found = path.stat()
                files[found.st_ino] = 512 * found.st_blocks
    return sum(files.values())

def watch(folder, most, ended):
    while not ended.wait(0.01):
        most[0] = max(most[0], taken(folder))

solve("dualip:sources=500,destinations=4000,degree=10")
most, ended = [0], threading.Event()
watcher = threading.Thread(target=watch, args=(os.environ["DUALBENCH_CACHE"], most, ended))
watcher.start()
memory.reset_peak()
solve(sys.argv[2])
ended.set()
watcher.join()
print(json.dumps({"memory": memory.peak()["host"], "disk": most[0]}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts as Linux does")
@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_what_streaming_needs_is_within_a_tenth_of_what_it_takes(
    solver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))
    spec = parse_spec("dualip:sources=1000000,destinations=4000,degree=10,seed=42")
    command = [sys.executable, "-c", STREAMED_PEAK, solver]
    small = "dualip:sources=500,destinations=4000,degree=10"
    subprocess.run([*command, small], capture_output=True, check=True, timeout=600)  # compiles
    (tmp_path / "large").mkdir()
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path / "large"))
    done = subprocess.run([*command, spec.text], capture_output=True, text=True, check=True, timeout=600)
    found = json.loads(done.stdout)
    solve = solve_bytes(spec, 1, solver)
    needed = streaming_bytes(spec, solve, threads=1)
    assert needed == pytest.approx(found["memory"], rel=0.1)
    assert needed < host_bytes(spec, solve, cells_on_host=True) / 1.4
    assert solve.disk == pytest.approx(found["disk"], rel=0.1)


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_ranks_share_a_disk(solver: str) -> None:
    spec = parse_spec(GIGA)
    one, two = (
        from_disk(spec, solve_bytes(spec, ranks, solver), ranks=ranks, threads=1, disk_speed=1e9) for ranks in (1, 2)
    )
    assert one.edges_per_second == pytest.approx(2 * two.edges_per_second)
    assert one.edges_per_second == pytest.approx(1e9 / solve_bytes(spec, 1, solver).pass_moved)
    assert one.disk_bytes == pytest.approx(2 * two.disk_bytes, rel=1e-3)
    assert one.host_bytes < host_bytes(spec, solve_bytes(spec, 1, solver), cells_on_host=True) / 5


def test_the_slower_of_pass_and_disk_decides_how_long_an_iteration_takes(
    monkeypatch: pytest.MonkeyPatch, memory_left: Callable[[float], None]
) -> None:
    monkeypatch.setattr("harness.scaling.plan.edges_per_second", lambda *_, **__: 1e8)
    memory_left(2**33)
    spec = parse_spec(GIGA)
    slow, fast = (plan(spec, solver="blockpdhg", device="cpu", ranks=1, disk_speed=v) for v in (1e8, 1e12))
    assert not slow.fits
    assert slow.streamed is not None
    assert slow.per_iteration > 100
    assert fast.per_iteration == pytest.approx(10, rel=1e-3)


def test_what_no_device_holds_streams_over_the_link_of_its_host() -> None:
    spec = parse_spec("dualip:sources=100000000000,destinations=10000,degree=10")
    solve = solve_bytes(spec, 100, "blockpdhg")
    made = plan(spec, solver="blockpdhg", device="h200", ranks=100)
    assert made.streamed is not None
    assert (made.fits, made.streamed.fits, made.streamed.place) == (False, True, "host")
    assert made.streamed.device_bytes < made.device_bytes / 10
    assert made.streamed.host_bytes > made.device_bytes
    assert made.per_iteration == pytest.approx(solve.shape.edges * solve.pass_read / 5e10, rel=1e-2)
    assert "50 GB/s assumed between a host and its device" in made.source
    twice = plan(spec, solver="blockpdhg", device="h200", ranks=100, host_speed=1e11)
    assert twice.per_iteration == pytest.approx(made.per_iteration / 2, rel=1e-2)
    assert "100 GB/s given" in twice.source


def test_the_speed_of_the_disk_is_measured(tmp_path: Path) -> None:
    assert 1e6 < measured_speed(tmp_path) < 1e12
    assert not list(tmp_path.iterdir())
