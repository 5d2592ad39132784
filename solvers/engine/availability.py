"""Whether the engine can run here."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from solvers.base import Availability


def available() -> Availability:
    """Whether PyTorch and Numba are installed and may compile; neither is imported."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return Availability(
            ok=False,
            reason="NUMBA_DISABLE_JIT is set, and the loops of the engine only exist compiled",
            remedy="unset NUMBA_DISABLE_JIT",
        )
    missing = [name for name in ("torch", "numba") if find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        return Availability(ok=False, reason=f"{names} not installed", remedy=f"pip install {' '.join(missing)}")
    try:
        return Availability(ok=True, version=version("torch"))
    except PackageNotFoundError:
        return Availability(ok=True, version="unknown")
