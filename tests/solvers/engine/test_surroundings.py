"""What the caller has set for PyTorch or Numba does not break a solve, or is named in one line."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import sys
import torch
from harness import solve
from instances import MatchingSpec, generate

torch.set_default_device("meta")
lp = generate(MatchingSpec.parse("unit:sources=60,destinations=5,degree=3,seed=1"))
for name in ("blockpdhg", "dualip-restarted"):
    for kernel in ("cpu", "reference"):
        print(solve(lp, name, tolerance=1e-4, time_limit=60.0, options={"kernel": kernel}).status.value)
print(solve(lp, "dualip", iteration_limit=30).status.value)
"""


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_the_default_device_of_the_caller_is_not_that_of_the_engine() -> None:
    found = run()
    assert found.stdout.split() == ["solved"] * 4 + ["iteration_limit"], found.stderr


def test_numba_told_not_to_compile_is_one_clear_line() -> None:
    found = run(NUMBA_DISABLE_JIT="1")
    assert found.returncode == 1
    assert "NUMBA_DISABLE_JIT is set" in found.stderr.splitlines()[-1]
    assert "unset NUMBA_DISABLE_JIT" in found.stderr.splitlines()[-1]
