"""A source with more edges than a thread's stack has room for, among ordinary ones: solved on the CPU kernel."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from instances import Box, Kind, MatchingLP, PerSource, Simplex
from instances.polytopes import polytope_kinds
from solvers.base import Status
from solvers.engine.constants import STACK_CELLS
from solvers.engine.kernel import Mix
from solvers.engine.kernels import make_kernel
from solvers.engine.layout_builder import build_layout
from solvers.engine.polytopes.kinds import ENGINE_KINDS
from solvers.registry import get_solver
from solvers.settings import Settings

SMALL_STACK = """
import json, resource, threading
resource.setrlimit(resource.RLIMIT_STACK, (512 << 10, 512 << 10))
threading.stack_size(512 << 10)
from tests.solvers.test_huge_sources import hub
from solvers import Settings, get_solver

found = []
def go():
    for name in ("blockpdhg", "dualip-restarted"):
        solver = get_solver(name)
        answer = solver.run(solver.prepare(hub(65_000), Settings(tolerance=1e-3, time_limit=20.0, threads=2)))
        found.append(answer.status.value)

thread = threading.Thread(target=go)
thread.start()
thread.join()
print(json.dumps(found))
"""


def hub(edges: int, polytope: Simplex | Box | PerSource | None = None) -> MatchingLP:
    """One source with so many edges and 200 with five."""
    rng = np.random.default_rng(0)
    offsets = np.concatenate(([0, edges], edges + 5 * np.arange(1, 201)))
    total = int(offsets[-1])
    return MatchingLP(
        offsets=offsets,
        destination=rng.integers(0, 50, total),
        a=np.ones(total, np.float32),
        c=-rng.random(total).astype(np.float32),
        b=np.full(50, 5.0),
        polytope=polytope or Simplex(),
    )


@pytest.mark.parametrize("solver_id", ["blockpdhg", "dualip-restarted"])
@pytest.mark.parametrize(
    "polytope", [Simplex(), Simplex(equality=True), Simplex(z=np.concatenate(([100.0], np.ones(200))))]
)
def test_a_huge_source_is_solved(solver_id: str, polytope: Simplex) -> None:
    solver, lp = get_solver(solver_id), hub(70_000, polytope)
    answer = solver.run(solver.prepare(lp, Settings(tolerance=1e-3, time_limit=30.0, threads=2)))
    assert answer.status is Status.SOLVED, answer.raw_status
    assert "kernel cpu" in answer.raw_status


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", sorted(ENGINE_KINDS))
def test_the_loops_for_huge_sources_agree_with_the_reference(dtype: str, kind: Kind) -> None:
    limits = np.stack((np.concatenate(([30.0], np.ones(200))), np.full(201, 0.75)))
    params = limits[: polytope_kinds()[kind].parameters]
    lp = hub(STACK_CELLS + 100, PerSource(kind=np.full(201, kind, dtype=np.uint8), params=params))
    layout, settings = build_layout(lp, dtype), Settings(dtype=dtype)
    rng = np.random.default_rng(1)
    cells, price = rng.random(layout.cells), torch.from_numpy(rng.random(50))
    mix, passes = Mix(projected=1.2, centre=-0.5, anchor=0.3), []
    for name in ("cpu", "reference"):
        kernel = make_kernel(layout, settings, name)
        x, anchor = kernel.load(cells), kernel.load(0.5 * cells)
        found = [kernel.project(price, 2.0, values=True), kernel.advance(price, 0.7, x, anchor, mix, values=True)]
        passes.append([*found, kernel.evaluate_feasible(price, x)])
        passes[-1].append(kernel.answer(x, torch.ones(50, dtype=torch.float64), "float64", anchor))
    near = {"rtol": 2e-3 if dtype == "float32" else 1e-9, "atol": 1e-3 if dtype == "float32" else 1e-9}
    for mine, other in zip(passes[0][:-1], passes[1][:-1], strict=True):
        for name in ("loads", "values", "sums"):
            np.testing.assert_allclose(getattr(mine, name), getattr(other, name), **near)
    np.testing.assert_allclose(passes[0][-1], passes[1][-1], **near)


def test_a_small_stack_is_enough() -> None:
    done = subprocess.run([sys.executable, "-c", SMALL_STACK], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == ["solved", "solved"]
