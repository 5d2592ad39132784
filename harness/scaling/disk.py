"""How fast the disk is, as a pass that streams uses it."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

_BLOCK = bytes(1 << 20)
#: Blocks read, and blocks of them written anew: a pass writes about a quarter of what it reads.
_READ = 256
_WRITTEN = 64


def measured_speed(folder: Path) -> float:
    """Bytes a second, reading and writing together, of a file in `folder` that does not lie in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        _write(file.fileno(), _READ)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.perf_counter()
        for k in range(_READ):
            os.pread(file.fileno(), len(_BLOCK), k * len(_BLOCK))
        _write(file.fileno(), _WRITTEN)
        return (_READ + _WRITTEN) * len(_BLOCK) / (time.perf_counter() - began)


def _write(descriptor: int, blocks: int) -> None:
    for k in range(blocks):
        os.pwrite(descriptor, _BLOCK, k * len(_BLOCK))
    os.fsync(descriptor)
