"""Loops and their parts: what Numba keeps of them, and what Python can call."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from solvers.engine.compiled import compiled
from solvers.engine.pipeline import pipeline_of

INNER = """
from solvers.engine.compiled import compiled

@compiled()
def inner(x):
    return x + {added}
"""
OUTER = """
import inner_jit
from solvers.engine.compiled import compiled

@compiled()
def outer(x):
    return inner_jit.inner(x)
"""
PROGRAM = """
import sys, numba
from pathlib import Path
from solvers.engine import compiled
before = numba.config.CACHE_DIR
compiled._SOLVERS = Path(sys.argv[1])
sys.path.insert(0, sys.argv[1])
import outer_jit
print(outer_jit.outer(1.0), sum(outer_jit.outer.stats.cache_hits.values()), numba.config.CACHE_DIR == before)
"""


def test_a_loop_is_compiled_again_when_one_inside_it_changes(tmp_path: Path) -> None:
    def run(added: float) -> list[str]:
        (tmp_path / "inner_jit.py").write_text(INNER.format(added=added))
        place = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
        command = [sys.executable, "-B", "-c", PROGRAM, str(tmp_path)]
        done = subprocess.run(command, env=place, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    (tmp_path / "outer_jit.py").write_text(OUTER)
    assert run(1.0) == ["2.0", "0", "True"]
    assert run(1.0) == ["2.0", "1", "True"]
    assert run(2.5) == ["3.5", "0", "True"]


@compiled(cache=False)
def part(x):
    if x < 0:
        raise ValueError("below zero")
    return x + 1


@numba.njit
def around(x):
    return part(x) * 2


def test_a_part_works_in_a_loop_and_refuses_python() -> None:
    assert around(3) == 8
    with pytest.raises(ValueError, match="below zero"):
        around(-1)
    with pytest.raises(TypeError, match="bad argument"):
        part(3)


def test_the_search_for_cycles_goes_on_after_a_compilation() -> None:
    part.compile((numba.float64,))
    assert gc.isenabled()
    with pytest.raises(numba.TypingError):
        part.compile((numba.types.unicode_type,))
    assert gc.isenabled()


def test_another_version_of_numba_compiles_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(pipeline_of(part=True)) == {"pipeline_class"}
    monkeypatch.setattr(numba, "version_info", (0, 70, 0))
    assert pipeline_of(part=True) == {}
