"""How much memory an instance takes, known before any array exists. I sources, J destinations, E edges."""

from __future__ import annotations

import math

from instances.available import available_memory
from instances.cpus import usable_threads
from instances.errors import InputError
from instances.families import family
from instances.sampling import BLOCK_SOURCES
from instances.spec import ReadableSpec, Spec

#: Bytes per edge of the block that a thread works on: keys, draws and gathers in float64 and int64.
_SCRATCH_PER_EDGE = 100
#: Bytes of a row group or a text file on the way to arrays.
_READ_SCRATCH = 256 << 20
#: Bytes of the draws of a destination, of the alias table and of making that.
_SCRATCH_PER_DESTINATION = 150


def memory_bytes(spec: Spec) -> int:
    """Bytes of the arrays of the finished instance, all families of rows included, from the nominal number of edges."""
    if isinstance(spec, ReadableSpec):
        return spec.nbytes
    made_as = family(spec.family)
    edges = made_as.bytes_per_edge(spec) * spec.expected_edges
    return 8 * (spec.sources + 1 + made_as.limits(spec)) + math.ceil(edges)


def entries_in_rows(spec: Spec) -> float:
    """Approximate entries of an edge in all families together; 1 for instances in files, which are not opened here."""
    return 1.0 if isinstance(spec, ReadableSpec) else family(spec.family).entries_in_rows(spec)


def peak_memory_bytes(spec: Spec, threads: int | None = None) -> int:
    """Peak bytes while the instance is made with `threads`, the finished arrays included."""
    if isinstance(spec, ReadableSpec):
        return math.ceil(1.25 * spec.nbytes) + min(4 * spec.nbytes, _READ_SCRATCH)
    peak = family(spec.family).peak * memory_bytes(spec) + _SCRATCH_PER_DESTINATION * spec.destinations
    block = spec.expected_edges * min(1.0, BLOCK_SOURCES / spec.sources)
    return math.ceil(peak + _SCRATCH_PER_EDGE * block * (threads or usable_threads()))


def require_memory(spec: Spec, threads: int | None = None) -> None:
    """Raise InputError with need and available memory where the instance cannot be made here."""
    need = peak_memory_bytes(spec, threads)
    available = available_memory()
    if need > available:
        raise InputError(
            f"{spec.text} needs {need / 2**30:.3g} GiB of memory while it is made, {available / 2**30:.3g} GiB are "
            "available: choose a smaller instance or free memory"
        )
