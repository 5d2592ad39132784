"""Every adapter here keeps the promises of the contract.

Each in a process of its own: highspy and OR-Tools load different libraries of one name, so a process takes either.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from solvers import registry

#: Seconds: a check on a machine with other work may compile loops of its own besides.
_COMPILING = 400


@pytest.mark.parametrize("solver", sorted(registry()))
def test_keeps_every_promise(solver: str) -> None:
    command = [sys.executable, "-m", "harness", "check", solver]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COMPILING)
    if "not available, nothing else can be checked" in done.stdout:
        pytest.skip(done.stdout.partition("checked: ")[2].partition("\n")[0])
    assert done.returncode == 0, done.stdout + done.stderr
