"""Cells that lie on the disk: the same bits as in memory, in a fraction of the memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from instances import InputError, MatchingLP, MatchingSpec, PerSource, generate
from instances.mapped import free_disk
from solvers import Answer, Settings, Status, get_solver
from solvers.engine.cpu import CpuKernel
from solvers.engine.kernel import RESTART, Mix, Pass
from solvers.engine.layout_builder import build_layout
from solvers.engine.points import to_edges
from solvers.engine.storage import RAM, DiskStorage, Storage
from solvers.settings import OptionError
from tests.support.feasible_rows import general_lp
from tests.support.limits import bytes_of_open_files

MIXES = (Mix(projected=1.5, centre=-0.75, anchor=0.25), RESTART, Mix(projected=1.0, centre=0.5, anchor=-0.5))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))
    return tmp_path


def mixed(lp: MatchingLP) -> MatchingLP:
    """The same edges under all kinds of polytopes and many radii."""
    rng = np.random.default_rng(7)
    kind, radius = rng.integers(0, 3, lp.sources).astype(np.uint8), rng.uniform(0, 2, lp.sources)
    return MatchingLP(
        offsets=lp.offsets,
        destination=lp.destination,
        a=lp.a,
        c=lp.c,
        b=4 * lp.b,
        polytope=PerSource(kind=kind, radius=radius),
    )


def passes(lp: MatchingLP, dtype: str, storage: Storage, threads: int) -> tuple[list[Pass], Any, int]:
    """Passes with every mix, x at the end by edge, and the number of bands."""
    layout = build_layout(lp, dtype, storage=storage)
    kernel = CpuKernel(layout, threads)
    x, anchor = kernel.zeros(), kernel.zeros()
    price = torch.linspace(0, 0.3, lp.row_count, dtype=torch.float64)
    made = [kernel.advance(price / k, 3.0, x, anchor, mix, values=True) for k, mix in enumerate(MIXES, 1)]
    made.append(kernel.project(price, 2.0, values=True))
    return made, to_edges(layout, lp, kernel.unload(x), dtype), layout.bands


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_pass_gives_the_same_bits_from_the_disk(cache: Path, dtype: str, threads: int) -> None:
    spec = MatchingSpec.parse("independent:sources=30000,destinations=60,degree=10,seed=3")
    for lp in (generate(spec), mixed(generate(spec))):
        (held, x, bands), (streamed, y, same) = (
            passes(lp, dtype, storage, threads) for storage in (RAM, DiskStorage(cache))
        )
        assert bands == same == 4
        check_same(held, streamed)
        assert x.tobytes() == y.tobytes()


def check_same(held: list[Pass], streamed: list[Pass]) -> None:
    for one, other in zip(held, streamed, strict=True):
        for name in ("loads", "values", "sums"):
            assert torch.equal(getattr(one, name), getattr(other, name))


def test_a_pass_over_families_of_rows_gives_the_same_bits_from_the_disk(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvers.engine.bands._LEAST_EDGES", 64)
    lp = general_lp(3, sources=600)
    (held, x, bands), (streamed, y, same) = (passes(lp, "float64", storage, 1) for storage in (RAM, DiskStorage(cache)))
    assert bands == same == 4
    check_same(held, streamed)
    assert x.tobytes() == y.tobytes()


@pytest.mark.parametrize("kind", ["at most", "mixed"])
def test_the_answer_on_families_of_rows_is_the_same_from_the_disk(kind: str) -> None:
    lp = general_lp(1, kind, sources=20)
    held, streamed = solved(lp, memory="ram"), solved(lp, memory="disk")
    assert held.iterations == streamed.iterations
    assert held.x is not None
    assert streamed.x is not None
    assert held.x.tobytes() == streamed.x.tobytes()
    assert np.array_equal(held.dual, streamed.dual)


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up as Linux has them")
def test_work_space_on_the_disk_has_no_name_and_goes_with_its_array(cache: Path) -> None:
    array = DiskStorage(cache).zeros(1 << 24, np.float32)
    assert not list(cache.iterdir())
    assert bytes_of_open_files(cache) >= array.nbytes
    assert not array.any()
    del array
    assert bytes_of_open_files(cache) == 0


def test_what_is_written_is_read(cache: Path) -> None:
    storage, values = DiskStorage(cache), np.arange(5000, dtype=np.float64)
    array, found = storage.zeros(20_000, np.float64), np.empty(5000)
    storage.write(array, 700, values)
    assert (array[700:5700] == values).all()
    storage.read(array, 700, found)
    assert (found == values).all()


def test_a_disk_without_room_is_one_line_that_says_what_to_change(cache: Path) -> None:
    with pytest.raises(InputError, match=r"GiB of disk in .*GiB are free: set DUALBENCH_CACHE to a folder"):
        DiskStorage(cache).zeros(free_disk(cache), np.float64)


def solved(lp: MatchingLP, solver_id: str = "blockpdhg", **options: Any) -> Answer:
    solver, alone = get_solver(solver_id), {"finish": "none"} if solver_id == "blockpdhg" else {}
    settings = Settings(tolerance=1e-3, iteration_limit=400, options={**alone, **options})
    return solver.run(solver.prepare(lp, settings))


@pytest.mark.parametrize(
    ("solver", "polytope"),
    [
        ("blockpdhg", "simplex"),
        ("blockpdhg", "simplex-eq"),
        ("blockpdhg", "box,radius=0.5"),
        ("dualip", "simplex"),
        ("dualip-restarted", "simplex"),
    ],
)
def test_the_answer_is_the_same_from_the_disk(solver: str, polytope: str) -> None:
    text = f"dualip:sources=30000,destinations=30,degree=10,seed=5,polytope={polytope}"
    lp = generate(MatchingSpec.parse(text))
    held, streamed = solved(lp, solver, memory="ram"), solved(lp, solver, memory="disk")
    assert held.status is streamed.status
    assert (held.status is Status.SOLVED) == (solver != "dualip")
    assert held.x is not None
    assert streamed.x is not None
    assert held.x.tobytes() == streamed.x.tobytes()
    assert np.array_equal(held.dual, streamed.dual)
    assert held.iterations == streamed.iterations
    assert (held.raw_status + " from disk") == streamed.raw_status


def test_a_state_can_run_twice_from_the_disk() -> None:
    lp = generate(MatchingSpec.parse("dualip:sources=30000,destinations=30,degree=10,seed=5"))
    solver = get_solver("blockpdhg")
    state = solver.prepare(lp, Settings(options={"memory": "disk"}))
    first, second = solver.run(state), solver.run(state)
    assert np.array_equal(first.dual, second.dual)


def test_an_unknown_memory_lists_the_known() -> None:
    lp = generate(MatchingSpec.parse("dualip:sources=300,destinations=3,degree=2,seed=5"))
    with pytest.raises(OptionError, match="memory='tape': expected auto, ram, host or disk"):
        solved(lp, memory="tape")


LIMITED = """
import hashlib, json, os, resource, sys
os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
from harness import memory
from harness.solve import execute
from instances import generate, parse_spec, stored
from solvers import Settings, get_solver

solver, large, small, memory_option, limit = *sys.argv[1:5], int(sys.argv[5])
alone = {"finish": "none"} if solver == "blockpdhg" else {}

def solve(text, options):
    lp = (generate if memory_option == "ram" else stored)(parse_spec(text), threads=1)
    settings = Settings(tolerance=1e-3, iteration_limit=30, options={**alone, **options})
    return execute(lp, get_solver(solver), settings)

def held(name):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name))

solve(small, {"memory": "ram" if memory_option == "ram" else "disk"})  # imports and compiles
resident = held("VmRSS")
if limit:
    resource.setrlimit(resource.RLIMIT_DATA, (held("VmData") + limit,) * 2)
memory.reset_peak()
result = solve(large, {"memory": memory_option})
peak = memory.peak()["host"] - resident
dual, x = (hashlib.sha256(v).hexdigest() for v in (result.answer.dual, result.answer.x))
print(json.dumps({
    "peak": peak, "words": result.answer.raw_status, "status": result.status,
    "dual": dual, "x": x, "bound": result.certificate.dual_bound, "gap": result.certificate.certified_gap,
}))
"""


def in_a_child(solver: str, memory: str, limit: int) -> subprocess.CompletedProcess[str]:
    specs = [f"dualip:sources={sources},destinations=100,degree=10,seed=2" for sources in (600_000, 500)]
    command = [sys.executable, "-c", LIMITED, solver, *specs, memory, str(limit)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit and the peak are those of Linux")
@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_an_instance_several_times_larger_than_the_memory_gives_the_same_answer(solver: str) -> None:
    limit = 40_000_000
    if solver == "blockpdhg":
        refused = in_a_child(solver, "ram", limit)
        assert refused.returncode != 0
        assert "are available" in refused.stderr
    held, streamed = (in_a_child(solver, memory, bound) for memory, bound in (("ram", 0), ("auto", limit)))
    assert (held.returncode, streamed.returncode) == (0, 0), held.stderr + streamed.stderr
    in_memory, on_disk = json.loads(held.stdout), json.loads(streamed.stdout)
    assert on_disk["words"].endswith("from disk")
    assert on_disk["peak"] < limit < in_memory["peak"] / 4
    for name in ("dual", "x", "bound", "gap", "status"):
        assert in_memory[name] == on_disk[name]


ENDLESS = """
from instances import generate, parse_spec
from solvers import Settings, get_solver

lp = generate(parse_spec("dualip:sources=30000,destinations=30,degree=10,seed=5"), threads=1)
solver = get_solver("blockpdhg")
state = solver.prepare(lp, Settings(tolerance=1e-15, options={"memory": "disk"}))
print("prepared", flush=True)
solver.run(state)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up as Linux has them")
def test_a_run_that_is_killed_leaves_no_file(cache: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "prepared\n"
        links = [str(link.readlink()) for link in Path(f"/proc/{process.pid}/fd").iterdir() if link.exists()]
        named = list(cache.rglob("*"))
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert sum(link.startswith(str(cache)) for link in links) > 5, links
    assert not named
    assert not list(cache.rglob("*"))
