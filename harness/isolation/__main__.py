"""`python -P -m harness.isolation DESCRIPTOR FOLDER`: the server process, from its start to its end.

DESCRIPTOR is the socket to the harness. FOLDER holds the temporary files of every process below this one; it is removed
when this process ends.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sys

from harness.isolation.child import hold_instance
from harness.isolation.server import serve
from harness.isolation.wire import LOST, Line

#: Slow to load and needed by most cases. Never highspy or OR-Tools, which exclude each other in one process.
PRELOADED = (
    *("numba", "torch", "scipy.optimize", "scipy.sparse"),
    *("solvers.engine.cpu_jit", "solvers.engine.layout_jit", "solvers.engine.evaluate_jit", "solvers.engine.cpu"),
    "solvers.proximal.passes_jit",
)


def main() -> None:
    control = Line.of(int(sys.argv[1]))
    folder = sys.argv[2]
    try:
        _preload()
        with contextlib.suppress(*LOST):  # the harness ended meanwhile
            control.send({"ready": os.getpid()})
            serve(control, hold_instance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _preload() -> None:
    """Load the libraries, and what they set up at their first call, without starting a thread of theirs."""
    for name in PRELOADED:
        with contextlib.suppress(Exception):  # a case that needs the library says what is wrong with it
            importlib.import_module(name)

    numba = sys.modules.get("numba")
    if numba is not None:
        numba.njit(lambda x: x + 1.0)(1.0)

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.zeros(1).sum()


if __name__ == "__main__":
    main()
