"""What the CUDA kernel needs beyond the numbers that test_kernels.py compares."""

import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from instances import InputError, MatchingLP, PerSource, Simplex, generate, parse_spec
from solvers import get_solver
from solvers.base import Status
from solvers.blockpdhg import BlockPDHG
from solvers.engine.context import SolveContext
from solvers.engine.kernel import RESTART, Mix, Pass
from solvers.engine.layout_builder import build_layout
from solvers.engine.placement import choose_storage
from solvers.engine.repair import repair
from solvers.engine.storage import RAM, HostStorage, Storage
from solvers.engine.warm_up import rehearse
from solvers.settings import OptionError, Settings
from tests.support.feasible_rows import general_lp

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed: pip install triton"
)
ROOT = Path(__file__).parents[3]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def test_every_launch_compiles_to_machine_code(tmp_path: Path) -> None:
    child = dict(os.environ, TRITON_CACHE_DIR=str(tmp_path))
    child.pop("TRITON_INTERPRET", None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.solvers.engine.compile_for_hopper"],
        cwd=ROOT,
        env=child,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == 3 * [
        "one_pass",
        "one_pass",
        "evaluate_feasible",
        "answer",
    ]


@pytest.mark.parametrize("polytope", [Simplex(), Simplex(equality=True)], ids=str)
def test_a_whole_run_on_the_kernel(polytope: Simplex, monkeypatch: pytest.MonkeyPatch) -> None:
    lp = generate(parse_spec("dualip:sources=300,destinations=6,degree=4,seed=3"))
    if polytope.equality:
        used = np.flatnonzero(lp.degrees())
        offsets = np.concatenate(([0], np.cumsum(lp.degrees()[used])))
        lp = MatchingLP(offsets=offsets, destination=lp.destination, a=lp.a, c=lp.c, b=5 * lp.b + 1, polytope=polytope)
    else:  # nothing of the size of the edges leaves the device but the answer
        monkeypatch.delattr("solvers.engine.cuda.CudaKernel.unload")
    settings = Settings(tolerance=1e-2, device=DEVICE, options={"kernel": "cuda", "finish": "none"})
    solver = BlockPDHG()
    monkeypatch.setattr("solvers.blockpdhg.warm_up", lambda *_: None)
    state = solver.prepare(lp, settings)
    rehearse(state.kernel, "float32")
    answer = solver.run(state)
    assert answer.status is Status.SOLVED, answer.raw_status
    assert repair(lp, answer.x.copy(), answer.dual).gap <= 1e-2 * (1 + 1e-6)


def test_a_whole_run_on_families_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    lp = general_lp(1, "at most", sources=6)
    monkeypatch.setattr("solvers.blockpdhg.warm_up", lambda *_: None)
    settings = Settings(tolerance=0.05, device=DEVICE, options={"kernel": "cuda", "finish": "none"})
    solver = BlockPDHG()
    answer = solver.run(solver.prepare(lp, settings))
    assert answer.status is Status.SOLVED, answer.raw_status
    assert repair(lp, answer.x.copy(), answer.dual).gap <= 0.05 * (1 + 1e-6)


PINNED = torch.cuda.is_available()
MIXES = (Mix(projected=1.5, centre=-0.75, anchor=0.25), RESTART, Mix(projected=1.0, centre=0.5, anchor=-0.5))


def passes(lp: MatchingLP, dtype: str, storage: Storage) -> tuple[list[Pass], list[np.ndarray], str]:
    """Every kind of pass, with x and the answer at the end."""
    from solvers.engine.cuda import CudaKernel

    kernel = CudaKernel(build_layout(lp, dtype, storage=storage, one_band=True), DEVICE)
    x, anchor = kernel.zeros(), kernel.zeros()
    price = torch.linspace(0, 0.3, lp.row_count, dtype=torch.float64, device=DEVICE)
    made = [kernel.advance(price / k, 3.0, x, anchor, mix, values=True) for k, mix in enumerate(MIXES, 1)]
    made += [kernel.project(price, 2.0, values=True), kernel.evaluate_feasible(price, x)]
    vectors = [np.array(kernel.unload(vector)) for vector in (x, anchor)]
    return made, [*vectors, kernel.answer(x, 1 / (1 + price), dtype, anchor)], kernel.name


@pytest.mark.parametrize(("dtype", "cells"), [("float32", 100), ("float64", 1)])
def test_blocks_from_the_host_give_what_cells_on_the_device_do(dtype: str, cells: int) -> None:
    lp, rng = generate(parse_spec("dualip:sources=90,destinations=7,degree=3,seed=3")), np.random.default_rng(7)
    kinds = PerSource(kind=rng.integers(0, 3, lp.sources).astype(np.uint8), radius=rng.uniform(0, 2, lp.sources))
    lp = MatchingLP(offsets=lp.offsets, destination=lp.destination, a=lp.a, c=lp.c, b=lp.b, polytope=kinds)
    held, vectors, _ = passes(lp, dtype, RAM)
    streamed, same, name = passes(lp, dtype, HostStorage(pinned=PINNED, cells=cells))
    assert name == "cuda from host"
    for one, other in zip(held, streamed, strict=True):
        for part in ("loads", "values", "sums"):
            np.testing.assert_allclose(getattr(one, part).cpu(), getattr(other, part).cpu(), rtol=1e-12, atol=1e-12)
    for mine, theirs in zip(vectors[:2], same[:2], strict=True):
        assert mine.tobytes() == theirs.tobytes()
    np.testing.assert_allclose(vectors[2], same[2], rtol=1e-6)


def test_families_from_the_host_give_what_they_do_on_the_device() -> None:
    lp = general_lp(5, sources=12)
    held, vectors, _ = passes(lp, "float64", RAM)
    streamed, same, _ = passes(lp, "float64", HostStorage(pinned=PINNED, cells=100))
    for one, other in zip(held, streamed, strict=True):
        for part in ("loads", "sums"):
            np.testing.assert_allclose(getattr(one, part).cpu(), getattr(other, part).cpu(), rtol=1e-12, atol=1e-12)
    for mine, theirs in zip(vectors, same, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip-restarted"])
def test_a_whole_run_from_the_host(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lp = generate(parse_spec("dualip:sources=80,destinations=4,degree=3,seed=3"))
    monkeypatch.setattr("solvers.engine.placement.HostStorage", functools.partial(HostStorage, cells=100))
    options = {"kernel": "cuda", "memory": "host", **({"finish": "none"} if solver == "blockpdhg" else {})}
    for name in ("blockpdhg.warm_up", "ridge.warm_up_ascent"):
        monkeypatch.setattr(f"solvers.{name}", lambda *_: None)
    made = get_solver(solver)
    answer = made.run(made.prepare(lp, Settings(tolerance=1e-2, device=DEVICE, options=options)))
    assert answer.status is Status.SOLVED, answer.raw_status
    assert answer.raw_status.endswith("cuda from host")
    assert repair(lp, answer.x.copy(), answer.dual).gap <= 1e-2 * (1 + 1e-6)


def test_what_fits_no_device_goes_to_the_host_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    lp = generate(parse_spec("dualip:sources=300,destinations=6,degree=4,seed=3"))
    settings, free = Settings(device="cuda"), {"cuda": 2.0**40, "cpu": 2.0**40}
    for module in ("memory", "placement"):
        monkeypatch.setattr(f"solvers.engine.{module}.free_bytes", lambda device, **_: free[device])

    def storage(memory: str) -> Storage:
        return choose_storage(lp, settings, memory, SolveContext(), "blockpdhg", vectors=2)

    assert storage("auto") is RAM
    assert isinstance(storage("host"), HostStorage)
    with pytest.raises(OptionError, match="memory='disk' with device='cuda': use memory='host', or device='cpu'"):
        storage("disk")
    free["cuda"] = 1000.0
    with pytest.raises(InputError, match=r"blockpdhg needs 0\.00 GiB on cuda, 0.00 GiB are free"):
        storage("auto")
    free["cpu"] = 1000.0
    with pytest.raises(InputError, match=r"blockpdhg from the host's memory needs .* GiB on cpu, 0.00 GiB are free"):
        storage("auto")


@pytest.mark.skipif(DEVICE == "cpu", reason="needs a CUDA device")
def test_newton_finishes_on_the_host_what_the_device_has_begun() -> None:
    lp = generate(parse_spec("volume:sources=2000,destinations=40,degree=8,seed=4"))
    solver = BlockPDHG()
    answer = solver.run(solver.prepare(lp, Settings(tolerance=1e-6, device=DEVICE)))
    assert answer.status is Status.SOLVED, answer.raw_status
    assert "finished by" in answer.raw_status
