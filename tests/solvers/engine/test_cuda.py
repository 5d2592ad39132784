"""What the CUDA kernel needs beyond the numbers that test_kernels.py compares."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from instances import MatchingLP, Simplex, generate, parse_spec
from solvers.base import Settings, Status
from solvers.blockpdhg import BlockPDHG
from solvers.engine.certificate import repair
from solvers.engine.setup import rehearse

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed: pip install triton"
)
HERE = Path(__file__).parent
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def test_every_launch_compiles_to_machine_code(tmp_path: Path) -> None:
    child = dict(os.environ, TRITON_CACHE_DIR=str(tmp_path))
    child.pop("TRITON_INTERPRET", None)
    done = subprocess.run(
        [sys.executable, str(HERE / "compile_for_hopper.py")], env=child, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == 2 * ["one_pass", "one_pass", "judge", "answer"]


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
