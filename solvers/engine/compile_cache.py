"""Where compiled loops are kept: beside the package, else in the user's cache, else in a temporary folder.

An installation that this user cannot write, a home that is read-only or missing, and a user without a name only cost
the time of compiling again: a solver works all the same.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from instances.mapped import default_cache

_PACKAGE = Path(__file__).resolve().parent.parent
#: Only the owner may read, write or enter: what lies in a cache is loaded as code.
_PRIVATE = 0o700


@cache
def cache_folder() -> Path:
    """The first of these places that this process can write to."""
    for place in _places():
        if _is_writable(place):
            return place
    return Path(tempfile.mkdtemp(prefix="dualbench-numba-"))


def _places() -> Iterator[Path]:
    yield _PACKAGE / "__pycache__"
    yield default_cache() / "numba"
    shared = Path(tempfile.gettempdir()) / f"dualbench-numba-{os.getuid()}"
    if _is_private(shared):
        yield shared


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _is_private(folder: Path) -> bool:
    """Whether `folder`, made where it is absent, is a real folder of this user that nobody else can write to."""
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=_PRIVATE)
        found = folder.lstat()
    except OSError:
        return False
    closed = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and closed
