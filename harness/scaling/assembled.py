"""The x of all ranks as one file on rank 0, piece by piece, so that no rank ever holds the whole.

E edges of the instance. The parts of the ranks are ranges of sources in order, so their edges are, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.collectives import Communicator

_WINDOW = 1 << 19  # edges that travel at a time, as float64


def assemble(group: Communicator, x: Any, edges: int, path: Path) -> str:
    """Write the x[E] of all ranks to `path` (.npy) on rank 0, from this rank's x[edges]; "" or why there is none.

    Collective: every rank calls it. float32 where every rank answered in float32, else float64.
    """
    mine = None if x is None else np.asarray(x)
    wrong = mine is None or mine.shape != (edges,) or mine.dtype.kind not in "fiu"
    flags = group.max(np.array([float(wrong), float(mine is None or mine.dtype != np.float32)]))
    if flags[0]:
        said = "none" if mine is None else f"{mine.dtype}{list(mine.shape)}"
        complaints = group.gather(f"x of a rank is {said}: expected {edges} numbers" if wrong else "")
        return str(next(filter(None, complaints)))

    sizes = np.zeros(group.size, dtype=np.int64)
    sizes[group.rank] = edges
    sizes = group.sum(sizes)
    first = int(sizes[: group.rank].sum())
    total = int(sizes.sum())

    dtype = np.dtype(np.float64 if flags[1] else np.float32)
    file = _File(path, dtype, total) if group.rank == 0 else None

    for start in range(0, total, _WINDOW):
        end = min(start + _WINDOW, total)
        joint = np.zeros(end - start)
        low = max(start, first)
        high = min(end, first + edges)
        if low < high:
            assert mine is not None
            joint[low - start : high - start] = mine[low - first : high - first]
        joint = group.sum(joint)
        if file is not None:
            file.append(joint)
    return "" if file is None else file.close()


class _File:
    """An .npy file written in order; where the disk does not take it, the other ranks do not have to wait for that."""

    def __init__(self, path: Path, dtype: np.dtype[Any], total: int) -> None:
        self._path = path
        self._dtype = dtype
        self._fault = ""
        header = {"descr": dtype.str, "fortran_order": False, "shape": (total,)}
        with self._attempt(), path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)

    def append(self, values: npt.NDArray[np.float64]) -> None:
        if not self._fault:
            with self._attempt(), self._path.open("ab") as file:
                file.write(values.astype(self._dtype).tobytes())

    def close(self) -> str:
        """Why the file is not there; an empty text where it is."""
        if self._fault:
            self._path.unlink(missing_ok=True)
        return self._fault

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._fault = f"x cannot be handed to the referee: {error.strerror or error}"
