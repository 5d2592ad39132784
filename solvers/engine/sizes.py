"""Bytes that a solve on the engine takes, before anything is allocated. I sources, J destinations, E edges."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP
from solvers.engine.layout import index_dtype
from solvers.engine.storage import BLOCK_CELLS

#: Cells an edge that a memory estimate allows for before the layout is there.
_PADDING_ALLOWED = 1.1
#: Of the copies of loads and values that the CUDA kernel adds into, for each destination.
_SUMS_BYTES = 600


def layout_bytes(lp: MatchingLP, dtype: str, *, vectors: int) -> float:
    """Bytes that a layout of `lp` and `vectors` primal vectors will take."""
    value = np.dtype(dtype).itemsize
    cell = index_dtype(lp.destinations).itemsize + (2 + vectors) * value
    return float(_PADDING_ALLOWED * cell * lp.edges + (16 + value) * lp.sources + 1e6)


def block_bytes(lp: MatchingLP, dtype: str, *, vectors: int) -> float:
    """Bytes on a device that streams from the host: two blocks of cells, what is known of each source, and the sums."""
    value = np.dtype(dtype).itemsize
    cell = index_dtype(lp.destinations).itemsize + (2 + vectors) * value
    return float(2 * BLOCK_CELLS * cell + (1 + value) * lp.sources + _SUMS_BYTES * lp.destinations)
