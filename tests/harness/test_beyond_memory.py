"""What the harness does with an instance that does not fit the memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, resource
os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
from dataclasses import asdict
from harness.case import Case
from harness.runner import cannot_run
from harness.worker import InProcess
from solvers import Settings

def case(solver, sources):
    text = f"dualip:sources={sources},destinations=100,degree=10,seed=2"
    return Case(suite="s", instance=text, spec=text, solver=solver, settings=Settings(tolerance=1e-3))

worker = InProcess()
worker.run(case("blockpdhg", 500), lambda step: None)
taken = next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (taken + 60_000_000,) * 2)
large = case("blockpdhg", 600_000)
tried = cannot_run(large)
result = worker.run(large, lambda step: None)
print(json.dumps({
    "tried": tried, "status": result.status, "words": result.raw_status, "reason": result.reason,
    "certificate": asdict(result.certificate), "glop": cannot_run(case("ortools-glop", 600_000)),
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is that of Linux")
def test_a_solver_that_streams_works_from_the_store_and_others_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["tried"] == ""
    assert (found["status"], found["reason"]) == ("solved", "")
    assert found["words"].endswith("kernel cpu from disk")
    assert found["certificate"]["certified_gap"] <= 1e-3
    assert "GiB of memory" in found["glop"]
    assert len(list(tmp_path.iterdir())) == 1
