"""How much memory an instance takes, known before any array exists. I sources, J destinations, E edges."""

from __future__ import annotations

import math
import mmap
from pathlib import Path

from instances.cpus import usable_threads
from instances.errors import InputError
from instances.families import family
from instances.sampling import BLOCK_SOURCES
from instances.spec import ReadableSpec, Spec

_CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 2**63 - 1
_SCRATCH_PER_EDGE = 100  # of the block that a thread works on: keys, draws and gathers in float64 and int64
_READ_SCRATCH = 256 << 20  # a row group or a text file on the way to arrays
_SCRATCH_PER_DESTINATION = 150  # draws of the destinations, the alias table and its making


def memory_bytes(spec: Spec) -> int:
    """Bytes of the arrays of the finished instance, from the nominal number of edges."""
    if isinstance(spec, ReadableSpec):
        return spec.nbytes
    return 8 * (spec.sources + 1 + spec.destinations) + family(spec.family).bytes_per_edge * spec.expected_edges


def peak_memory_bytes(spec: Spec, threads: int | None = None) -> int:
    """Bytes at the peak of making the instance with so many threads, the finished arrays included."""
    if isinstance(spec, ReadableSpec):
        return math.ceil(1.25 * spec.nbytes) + min(4 * spec.nbytes, _READ_SCRATCH)
    peak = family(spec.family).peak * memory_bytes(spec) + _SCRATCH_PER_DESTINATION * spec.destinations
    block = spec.expected_edges * min(1.0, BLOCK_SOURCES / spec.sources)
    return math.ceil(peak + _SCRATCH_PER_EDGE * block * (threads or usable_threads()))


def require_memory(spec: Spec, threads: int | None = None) -> None:
    """Raise InputError with need and available memory where the instance cannot be made here."""
    need, available = peak_memory_bytes(spec, threads), available_memory()
    if need > available:
        raise InputError(
            f"{spec.text} needs {need / 2**30:.3g} GiB of memory while it is made, {available / 2**30:.3g} GiB are "
            "available: choose a smaller instance or free memory"
        )


def available_memory(sharing: int = 1) -> int:
    """Bytes that can still be allocated: of the machine, or of the container (cgroup v2) or the limits of this process
    (RLIMIT_DATA, RLIMIT_AS) where that is less.

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
        return _NO_LIMIT
    taken = {resource.RLIMIT_AS: pages[0], resource.RLIMIT_DATA: pages[5]}
    limits = {which: resource.getrlimit(which)[0] for which in taken}
    return min(
        _NO_LIMIT if limit == resource.RLIM_INFINITY else max(0, limit - taken[which] * mmap.PAGESIZE)
        for which, limit in limits.items()
    )
