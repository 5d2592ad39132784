"""No LP that MatchingLP accepts makes a solver of the engine crash, raise, or reach beyond an array."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import solvers

#: Where loops compiled with bounds checks are kept: they take most of a minute, once for all runs on these sources.
CHECKED_LOOPS = Path(solvers.__file__).parent / "__pycache__" / "checked"
#: Little optimisation: what compiles faster checks the same indices.
CHECKS = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_OPT": "1"}
ROOT = Path(__file__).parents[2]


def checked(*arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Python in a child whose compiled loops look at every index, those of vectors included."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **CHECKS, "NUMBA_CACHE_DIR": str(CHECKED_LOOPS), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_a_vector_beyond_its_array_is_noticed_in_the_checked_build() -> None:
    program = """
import numba
import numpy as np
from solvers.engine.vector_jit import load, total

@numba.njit
def beyond(values):
    return total(load(values, 1))

beyond(np.zeros(17))
beyond(np.zeros(16))
"""
    found = checked("-c", program, timeout=120)
    assert found.returncode == 1
    assert "IndexError: a vector reaches beyond its array" in found.stderr


def test_no_odd_lp_makes_a_loop_reach_beyond_an_array_or_a_solver_fail() -> None:
    # a campaign compiles the loops of float32 as well, wherever a tolerance leaves it to them
    last, dtype = ("3000", "float32") if os.environ.get("DUALBENCH_CAMPAIGN") else ("40", "float64")
    found = checked("-m", "tests.solvers.odd_runs", "0", last, dtype, timeout=3000)
    assert (found.returncode, found.stdout, found.stderr[-2000:]) == (0, "", "")
