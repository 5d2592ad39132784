"""Limits of this process, for a while: real ones, that the code under test meets as it would on a full machine."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes: the system's EFBIG, as EROFS and ENOSPC an OSError while writing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def bytes_of_open_files(folder: Path) -> int:
    """What the files below `folder` that this process has open take of the disk, those without a name included."""
    sizes: dict[int, int] = {}
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target, found = descriptor.readlink(), descriptor.stat()
        except OSError:  # the one that lists this folder is closed again
            continue
        if str(target).startswith(f"{folder}/"):
            sizes[found.st_ino] = 512 * found.st_blocks
    return sum(sizes.values())
