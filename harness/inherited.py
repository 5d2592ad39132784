"""Environment variables that child processes inherit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: By these the numerical libraries take their number of threads, at import; PyTorch by the first two.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def of_children(threads: int) -> dict[str, str]:
    """What a child process is given: its number of threads, and where to find this package."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    return dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}


@contextmanager
def inherited(values: Mapping[str, str]) -> Iterator[None]:
    """`values` in this process's environment, as before on leaving."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
