"""Memory that this process keeps from one solve to the next.

The allocator gives large blocks back to the system as soon as they are free, and the next solve touches fresh ones: on
a virtual machine that costs up to 2 ms a MB, more than a pass over them. Within `kept_memory` what is free stays with
the process, whoever asks for it next: kernels, solvers of other packages, the referee. It holds where the C library is
glibc; elsewhere nothing changes.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from instances import available_memory

#: Options of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
#: Every block from the heap, of which nothing is given back.
_KEEP = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1))
#: What glibc itself comes to in a process that has freed large blocks, with its usual number of mappings.
_USUAL = ((_MMAP_MAX, 65_536), (_MMAP_THRESHOLD, 32 << 20), (_TRIM_THRESHOLD, 64 << 20))

_lock = Lock()
_holders = 0


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep what becomes free until the last of those who asked for it is done, and give it back then."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def is_short() -> bool:
    """Whether the machine has less memory left than this process holds. What is kept counts as taken, so another solve
    as large as the last may find too little.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):  # no Linux
        return False
    return available_memory() < pages * mmap.PAGESIZE


def give_back() -> None:
    """Give what is free back to the system now."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _count(change: int) -> None:
    global _holders
    with _lock:
        before = _holders
        _holders += change
        if before == 0:
            _set(_KEEP)
        elif _holders == 0:
            _set(_USUAL)
            give_back()


def _set(options: tuple[tuple[int, int], ...]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in options:
            mallopt(ctypes.c_int(option), ctypes.c_int(value))
