"""A whole instance for the referee: in memory where it fits, otherwise piece by piece on the disk."""

from __future__ import annotations

from instances import (
    InputError,
    MatchingLP,
    ParquetSpec,
    Spec,
    available_memory,
    generate,
    in_blocks,
    memory_bytes,
    stored,
)
from instances.mapped import default_cache


def whole_instance(spec: Spec, *, threads: int = 1) -> MatchingLP:
    """The instance of `spec`. Raises MemoryError where neither memory nor disk can hold it, InputError for bad data."""
    need = memory_bytes(spec)
    free = available_memory()
    if need <= free:
        return generate(spec, threads=threads)
    try:
        if isinstance(spec, ParquetSpec):
            return spec.read_mapped(default_cache())
        if in_blocks(spec):
            return stored(spec, threads=threads)
    except InputError as error:
        raise MemoryError(str(error)) from error
    raise MemoryError(f"needs about {need / 2**30:.3g} GiB of memory, {free / 2**30:.3g} GiB are available")
