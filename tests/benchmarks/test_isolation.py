"""What the harness itself costs: `pytest tests/benchmarks/test_isolation.py --benchmark-json out.json`.

Overhead: 1,000 trivial cases run, recorded and reported in this process. Isolation: what a process of its own costs a
case. Disturbance: how much longer a fixed piece of work takes beside a process that uses a share of the same core, and
the share that is measured; from this the threshold in harness/disturbance.py was chosen.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reports
from harness.case import Case
from harness.disturbance import between, read
from harness.folder import open_folder
from harness.isolation.isolated import Isolated
from harness.runner import run_suite
from harness.suite import Suite
from solvers import Settings
from tests.support.records import Silent

SPEC = "unit:sources=20,destinations=4,degree=2,seed=1"
TRIVIAL = """
import numpy as np
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver, Status

class Trivial(Solver):
    id, title, citation, bytes_per_edge = "trivial", "trivial", "none", 0.0
    polytopes = EXPLICIT_KINDS

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        return lp

    def run(self, lp):
        return Answer(x=np.zeros(lp.edges), dual=np.zeros(lp.destinations), status=Status.ITERATION_LIMIT)
"""
BESIDE = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
share = float(sys.argv[2])
while True:
    began = time.thread_time()
    while time.thread_time() - began < 0.01 * share: pass
    time.sleep(0.01 * (1 - share))
"""


def orphan(core: int, share: float) -> int:
    """The id of a process that uses a share of a core, and is no descendant of ours."""
    command = ["sh", "-c", '"$@" >/dev/null & echo $!', "sh", sys.executable, "-c", BESIDE, str(core), str(share)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def trivial(tmp_path: Path) -> str:
    file = tmp_path / "trivial.py"
    file.write_text(TRIVIAL)
    return str(file)


def test_a_thousand_trivial_cases_run_recorded_and_reported(benchmark: Any, trivial: str, tmp_path: Path) -> None:
    suite = Suite(
        name="trivial", digest="0", instances=(SPEC,), solvers=(trivial,), tolerances=(1e-2,), repeats=1000, threads=1
    )

    def whole() -> int:
        folder = open_folder(suite, tmp_path / "out", resume=False)
        done = run_suite(suite, folder, Silent(), in_process=True)
        reports.build([folder.path], tmp_path / "report")
        return len(done)

    assert benchmark.pedantic(whole, rounds=1) == 1000


def test_a_process_of_its_own(benchmark: Any, trivial: str, tmp_path: Path) -> None:
    isolated = Isolated(1, tmp_path / "log")
    case = Case(suite="s", instance="i", spec=SPEC, solver=trivial, settings=Settings())
    isolated.run(case, lambda _: None)
    found = []
    benchmark.pedantic(lambda: found.append(isolated.run(case, lambda _: None).seconds.isolation), rounds=50)
    isolated.stop()
    benchmark.extra_info["isolation_seconds_median"] = statistics.median(found)
    benchmark.extra_info["isolation_seconds_largest"] = max(found)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_work_beside_another_process(benchmark: Any, share: float) -> None:
    cores = os.sched_getaffinity(0)
    core = min(cores)
    beside = orphan(core, share)
    data = np.arange(5e5)
    loads = []

    def work() -> None:
        before = read()
        for _ in range(400):
            float(np.sqrt(data).sum())
        loads.append(between(before, read())["other_load"])

    os.sched_setaffinity(0, {core})
    try:
        time.sleep(0.2)
        benchmark.pedantic(work, rounds=5, warmup_rounds=1)
    finally:
        os.sched_setaffinity(0, cores)
        os.kill(beside, signal.SIGKILL)
    benchmark.extra_info["other_load_median"] = statistics.median(loads[1:])
