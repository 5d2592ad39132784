"""How compiled loops read the records of arrays.py, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled


@compiled()
def of_source(values: Any, source: int) -> Any:
    """The entry of a source, or the one that all sources share."""
    return values[np.int64(source) if values.size > 1 else np.int64(0)]


#: Shares of a loop over single sources: many more than threads, because sources differ.
PIECES = 256


@compiled()
def piece_of(first: int, last: int, piece: int) -> int:
    """Where one of PIECES equal pieces of first..last begins."""
    return first + (last - first) * piece // PIECES
