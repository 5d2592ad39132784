"""Arrays of an answer beside the records: as a file, and as a hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.disk import NotWrittenError, written
from instances.mapped import release_pages

_HASHED = 1 << 20  # entries at a time, so that a mapped array is never held whole


def array_hash(array: npt.NDArray[Any] | None) -> str | None:
    """SHA-256 over dtype, shape and bytes of an array of numbers; None for anything else."""
    if array is None or array.dtype.kind not in "fiub":
        return None
    content = hashlib.sha256(f"{array.dtype.str}{list(array.shape)}".encode())
    flat = array.reshape(-1)
    for start in range(0, flat.size, _HASHED):
        content.update(np.ascontiguousarray(flat[start : start + _HASHED]).data)
        release_pages(flat, start, min(start + _HASHED, flat.size))
    return content.hexdigest()


def write_array(path: Path, array: Any) -> bool:
    """Write an array of numbers as .npy, without a copy of it in memory; whether it could be written."""
    if array is None:
        return False
    try:
        with written(path) as file:
            np.save(file, array, allow_pickle=False)
    except (OSError, NotWrittenError, ValueError):  # no space, or an array of objects
        return False
    return True
