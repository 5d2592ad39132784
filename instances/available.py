"""How much memory this process can still take: of the machine, of its container, and below its own limits."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 2**63 - 1
#: Bytes of private memory that callers of `memory_limited` allow this process, the innermost last.
_allowed: list[int] = []


@contextmanager
def memory_limited(limit: int | None) -> Iterator[None]:
    """Meanwhile this process counts on `limit` bytes in all, and lays what is beyond on the disk where it can.

    Of the memory that it already has, what is private counts. None: no limit beside those of the system.
    """
    if limit is None:
        yield
        return
    _allowed.append(limit)
    try:
        yield
    finally:
        _allowed.remove(limit)


def available_memory(sharing: int = 1) -> int:
    """Bytes that can still be allocated: of the machine, or of the container (cgroup v2) or the limits of this process
    (RLIMIT_DATA, RLIMIT_AS, `memory_limited`) where that is less.

    sharing: processes, this one included, that divide what the machine and the container have.
    """
    import psutil

    common = min(int(psutil.virtual_memory().available), _left_in_container())
    return min(common // sharing, _left_below_limits())


def _left_in_container() -> int:
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        cached = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())["inactive_file"]
        return max(0, limit - used + int(cached))
    except (OSError, KeyError, ValueError):  # no cgroup v2, or the limit is the word "max"
        return _NO_LIMIT


def _left_below_limits() -> int:
    try:
        import resource

        pages = [int(word) for word in Path("/proc/self/statm").read_text().split()]
    except (ImportError, OSError):  # not Linux
        return min(_allowed, default=_NO_LIMIT)
    resident, shared = pages[1:3]
    allowed = max(0, min(_allowed, default=_NO_LIMIT) - (resident - shared) * mmap.PAGESIZE)
    taken = {resource.RLIMIT_AS: pages[0], resource.RLIMIT_DATA: pages[5]}
    limits = {which: resource.getrlimit(which)[0] for which in taken}
    return min(
        allowed,
        *(
            _NO_LIMIT if limit == resource.RLIM_INFINITY else max(0, limit - taken[which] * mmap.PAGESIZE)
            for which, limit in limits.items()
        ),
    )
