"""After a first solve a forked child says one clear line; a spawned one, and a fork before any solve, work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOLVERS = ("blockpdhg", "dualip-restarted")
PROGRAM = f"""
import json, multiprocessing, sys, warnings
from instances import MatchingSpec, generate
from harness import solve

warnings.simplefilter("ignore")
lp = generate(MatchingSpec.parse("unit:sources=60,destinations=5,degree=3,seed=1"))

def ends(solver):
    try:
        return solve(lp, solver, tolerance=1e-4, time_limit=60.0).status.value
    except Exception as error:
        return str(error)

def ends_in_a_child(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map_async(ends, {SOLVERS}).get(timeout=300)

if __name__ == "__main__":
    first, *methods = sys.argv[1:]
    early = ends_in_a_child("fork") if "early" in methods else []
    told = {{"here": [ends(first)], "early": early}}
    for method in ("fork", "spawn"):
        told[method] = ends_in_a_child(method) if method in methods else []
    print(json.dumps(told))
"""


def told(folder: Path, *arguments: str) -> dict[str, list[str]]:
    """How solves ended: here, in a child forked early, and in children forked and spawned after the solve here."""
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(folder / "program.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    assert found["here"] == ["solved"]
    return found


def check_told(lines: list[str]) -> None:
    assert len(lines) == len(SOLVERS)
    for line in lines:
        assert "threads, which do not survive a fork" in line
        assert "multiprocessing.get_context('spawn')" in line
        assert "\n" not in line


def test_children_solve_where_they_have_threads_of_their_own_and_are_told_where_not(tmp_path: Path) -> None:
    found = told(tmp_path, "blockpdhg", "early", "fork", "spawn")
    assert found["early"] == found["spawn"] == ["solved", "solved"]
    check_told(found["fork"])


@pytest.mark.parametrize("first", SOLVERS[1:])
def test_a_solve_by_any_of_our_solvers_is_one_before_a_fork(tmp_path: Path, first: str) -> None:
    check_told(told(tmp_path, first, "fork")["fork"])
