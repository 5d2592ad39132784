"""The x of all ranks as one file on rank 0, piece by piece, so that no rank ever holds the whole.

E edges of the instance. The parts of the ranks are ranges of sources in order, so their edges are, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from solvers.engine.collectives import Group

_WINDOW = 1 << 22  # edges that travel at a time, as float64


def assemble(group: Group, x: Any, edges: int, path: Path) -> str:
    """Write the x[E] of all ranks to `path` (.npy) on rank 0, from this rank's x[edges]; "" or why there is none.

    Collective: every rank calls it. float32 where every rank answered in float32, else float64.
    """
    mine = None if x is None else np.asarray(x)
    wrong = mine is None or mine.shape != (edges,) or mine.dtype.kind not in "fiu"
    flags = group.max(np.array([float(wrong), float(mine is None or mine.dtype != np.float32)]))
    if flags[0]:
        said = "none" if mine is None else f"{mine.dtype}{list(mine.shape)}"
        told = group.gather(f"x of a rank is {said}: expected {edges} numbers" if wrong else "")
        return str(next(filter(None, told)))
    sizes = np.zeros(group.size, dtype=np.int64)
    sizes[group.rank] = edges
    sizes = group.sum(sizes)
    first, total = int(sizes[: group.rank].sum()), int(sizes.sum())
    dtype = np.float64 if flags[1] else np.float32
    file: Any = None
    if group.rank == 0:
        file = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(total,)) if total else np.zeros(0, dtype)
    for start in range(0, total, _WINDOW):
        end = min(start + _WINDOW, total)
        joint = np.zeros(end - start)
        low, high = max(start, first), min(end, first + edges)
        if low < high:
            assert mine is not None
            joint[low - start : high - start] = mine[low - first : high - first]
        joint = group.sum(joint)
        if file is not None:
            file[start:end] = joint
    if group.rank == 0 and not total:
        np.save(path, file)
    elif group.rank == 0:
        file.flush()
    return ""
