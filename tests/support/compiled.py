"""The parts of compiled loops, for tests of one part."""

from __future__ import annotations

from typing import Any

import numba


def from_python(part: Any) -> Any:
    """`part`, compiled again with a way in from Python, which only whole loops have (solvers.engine.compiled)."""
    return numba.jit(**{**part.targetoptions, "no_cpython_wrapper": False})(part.py_func)
