"""A whole instance for the referee: in memory where it fits, otherwise block by block on the disk."""

from __future__ import annotations

from instances import (
    InputError,
    MatchingLP,
    Spec,
    available_memory,
    generate,
    in_blocks,
    memory_bytes,
    stored,
)


def whole_instance(spec: Spec, *, threads: int = 1) -> MatchingLP:
    """The instance of `spec`. Raises MemoryError where neither memory nor disk can hold it, InputError for bad data."""
    need = memory_bytes(spec)
    free = available_memory()
    if need <= free:
        return generate(spec, threads=threads)
    if not in_blocks(spec):
        raise MemoryError(f"needs about {need / 2**30:.3g} GiB of memory, {free / 2**30:.3g} GiB are available")
    try:
        return stored(spec, threads=threads)
    except InputError as error:
        raise MemoryError(str(error)) from error
