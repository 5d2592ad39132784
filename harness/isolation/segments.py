"""Shared memory with a name outlives the process that made it. The segments that a case leaves are found and removed.

POSIX segments are files of /dev/shm. A segment belongs to a case if it is new and a process of the case maps it, or
holds it open, when the processes are sampled. A segment that its maker has closed may belong to any program of this
user, so it stays. System V segments name the process that made them.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterable
from pathlib import Path

_FOLDER, _PROC, _SYSV = Path("/dev/shm"), Path("/proc"), Path("/proc/sysvipc/shm")  # noqa: S108 - where POSIX has them
_IPC_RMID = 0


class Segments:
    """The segments of one case: `sample` while its processes live, `remove` when they have ended."""

    def __init__(self) -> None:
        self._before = _listed()
        self._seen = self._before
        self._found: set[str] = set()
        self._makers: set[int] = set()

    @property
    def appeared(self) -> bool:
        """Whether there is a segment that the last sample did not see. Costs one listing of the folder."""
        return not _listed() <= self._seen

    def sample(self, pids: Iterable[int]) -> None:
        pids = set(pids)
        self._makers |= pids
        self._seen = _listed()
        new = self._seen - self._before - self._found
        if new:
            self._found |= new & set().union(*map(_used_by, pids))

    def remove(self) -> list[str]:
        """Remove what is left, and name it."""
        left = sorted(self._found & _listed())
        for name in left:
            with contextlib.suppress(OSError):
                (_FOLDER / name).unlink()
        return left + [f"System V {key}" for key in _remove_system_v(self._makers)]


def _listed() -> set[str]:
    try:
        return {file.name for file in _FOLDER.iterdir()}
    except OSError:
        return set()


def _used_by(pid: int) -> set[str]:
    """Names of the segments that a process maps or holds open."""
    process = _PROC / str(pid)
    used = set()
    with contextlib.suppress(OSError):
        used |= {line.split(maxsplit=5)[-1] for line in (process / "maps").read_text().splitlines()}
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                used.add(str(descriptor.readlink()))
    return {path.removeprefix(f"{_FOLDER}/") for path in used if path.startswith(f"{_FOLDER}/")}


def _remove_system_v(makers: set[int]) -> list[int]:
    """Ids of the System V segments made by `makers`, which are removed."""
    try:
        head, *rows = (line.split() for line in _SYSV.read_text().splitlines())
    except (OSError, ValueError):
        return []
    maker = head.index("cpid")
    key = head.index("shmid")
    left = [int(row[key]) for row in rows if int(row[maker]) in makers]
    for segment in left:
        ctypes.CDLL(None, use_errno=True).shmctl(segment, _IPC_RMID, None)
    return left
