"""After a first solve a forked child says one clear line; a spawned one, and a fork before any solve, work."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import multiprocessing, sys, warnings
from instances import MatchingSpec, generate
from harness import solve

warnings.simplefilter("ignore")
lp = generate(MatchingSpec.parse("unit:sources=60,destinations=5,degree=3,seed=1"))

def go(name):
    return solve(lp, name, tolerance=1e-4, time_limit=60.0).status.value

if __name__ == "__main__":
    method, solvers = sys.argv[1], sys.argv[2:]
    first = [go(name) for name in solvers[:1]] if method != "early" else []
    with multiprocessing.get_context("fork" if method == "early" else method).Pool(2) as pool:
        print(first, pool.map_async(go, solvers).get(timeout=300))
"""


def run(folder, *arguments):
    (folder / "program.py").write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, str(folder / "program.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip-restarted"])
def test_a_child_forked_after_a_solve_says_so(tmp_path, solver):
    found = run(tmp_path, "fork", solver)
    assert found.returncode == 1
    assert "threads, which do not survive a fork" in found.stderr.splitlines()[-1]
    assert "multiprocessing.get_context('spawn')" in found.stderr.splitlines()[-1]


@pytest.mark.parametrize("method", ["spawn", "early"])
def test_children_with_threads_of_their_own_solve(tmp_path, method):
    found = run(tmp_path, method, "blockpdhg", "dualip-restarted")
    first = "[]" if method == "early" else "['solved']"
    assert found.stdout == f"{first} ['solved', 'solved']\n", found.stderr
