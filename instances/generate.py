"""Make an instance from its specification, whole or any blocks of it.

Block k is the sources k * BLOCK_SOURCES and following; its bytes depend on the spec and k alone. A process that owns
some blocks calls `generate_blocks`, adds the integer loads of all processes in any order, and calls `assembled`:
the instance never depends on how many processes made it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.arguments import require_spec
from instances.content import lp_from_rows
from instances.cpus import usable_threads
from instances.drift import block_of_day, drawn_of_day, sources_of
from instances.errors import SpecError
from instances.families import family
from instances.families.base import Block, BlockFamily, is_offsets
from instances.greedy import add_load
from instances.mapped import release_pages
from instances.matching import MatchingLP
from instances.memory import require_memory
from instances.rows import RaggedRows, Rows
from instances.sampling import BLOCK_SOURCES
from instances.spec import MatchingSpec, ReadableSpec, Spec


@dataclass(frozen=True, kw_only=True, eq=False)
class Shard:
    """The edges of some blocks, in the order asked for."""

    arrays: dict[str, npt.NDArray[Any]]
    """offsets int64[n + 1] from 0 for the n sources of the blocks, and what `BlockFamily.arrays` names."""
    load: npt.NDArray[np.int64]
    """int64[K, R], what simple assignments put on the rows; loads of all shards add up to that of the instance."""


def generate(spec: Spec, *, threads: int | None = None) -> MatchingLP:
    """The instance of `spec`: made for a MatchingSpec, read for a spec of real data. Same bytes for any `threads`.

    Raises InputError before anything is allocated where the memory does not suffice.
    """
    known = require_spec(spec, "generate")
    require_memory(known, threads)
    if isinstance(known, ReadableSpec):
        return known.read()
    made_as = family(known.family)
    if not isinstance(made_as, BlockFamily):
        return made_as.build(known)
    shard = generate_blocks(known, range(block_count(known)), threads=threads)
    return assembled(known, shard.arrays, shard.load)


def assembled(spec: MatchingSpec, arrays: Mapping[str, npt.NDArray[Any]], load: npt.NDArray[np.int64]) -> MatchingLP:
    """The LP of the arrays of a shard, with the limits that the `load` of all shards gives."""
    return lp_from_rows(arrays, rows_of(spec, load), spec.polytope)


def rows_of(spec: MatchingSpec, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
    """The families of rows without their edges, with the limits that the load summed over all blocks gives."""
    return _block_family(spec).rows(spec, _drawn(spec), load)


def block_count(spec: MatchingSpec) -> int:
    return -(-spec.sources // BLOCK_SOURCES)


def no_load(spec: MatchingSpec) -> npt.NDArray[np.int64]:
    """int64[K, R], to which the loads of blocks are added."""
    return np.zeros(_block_family(spec).load_shape(spec), dtype=np.int64)


def stream_blocks(spec: MatchingSpec, blocks: Iterable[int], *, threads: int | None = None) -> Iterator[Block]:
    """The given blocks one after another, made by `threads` (default: the CPUs of this process), few at a time."""
    made_as, drawn = _block_family(spec), _drawn(spec)
    threads = threads or usable_threads()
    waiting: deque[Future[Block]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for block in blocks:
            waiting.append(pool.submit(block_of_day, made_as, spec, drawn, block))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Stitches:
    """Where the arrays of one block after another go in those of them all: a block counts its offsets from 0."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}

    def next(self, block: Block) -> dict[str, npt.NDArray[Any]]:
        """What each array goes on with; the first 0 of offsets, of sources or of entries, is there before."""
        return {name: self._shifted(name, array) for name, array in block.arrays.items()}

    def _shifted(self, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if not is_offsets(name):
            return array
        shifted = array[1:] + self._ends.get(name, 0)
        if shifted.size:
            self._ends[name] = int(shifted[-1])
        return shifted


def generate_blocks(
    spec: MatchingSpec,
    blocks: Sequence[int],
    *,
    threads: int | None = None,
    empty: Callable[[int, Any], npt.NDArray[Any]] = np.empty,
) -> Shard:
    """The given blocks, one after another; `threads` (default: the CPUs of this process) changes the speed only.

    empty: makes the arrays, of a size and type; see instances.mapped for those in files.
    """
    made_as = _block_family(spec)
    for number in blocks:
        if not 0 <= number < block_count(spec):
            raise SpecError(f"block {number} of {spec.text!r}: its blocks are 0..{block_count(spec) - 1}")
    sources = sum(sources_of(spec, number) for number in blocks)
    capacity = {"offsets": sources} | made_as.capacity(spec, _drawn(spec), sources)
    arrays = {name: empty(capacity[name] + is_offsets(name), dtype) for name, dtype in array_types(spec).items()}
    ends = dict.fromkeys(arrays, 0)
    for name in filter(is_offsets, arrays):
        arrays[name][0] = 0
        ends[name] = 1

    load, stitches = no_load(spec), Stitches()
    for block in stream_blocks(spec, blocks, threads=threads):
        for name, values in stitches.next(block).items():
            start, end = ends[name], ends[name] + values.size
            arrays[name][start:end] = values
            ends[name] = end
            release_pages(arrays[name], start, end)
        add_load(load, block.load)
    return Shard(arrays={name: array[: ends[name]] for name, array in arrays.items()}, load=load)


def array_types(spec: MatchingSpec) -> dict[str, str]:
    """dtype of each array of edges that a block has, in the order that is hashed."""
    return {"offsets": "i8", **_block_family(spec).arrays}


@lru_cache(maxsize=1)
def _drawn(spec: MatchingSpec) -> Any:
    """What all blocks share: the blocks and the limits of an instance ask for it one after another."""
    return drawn_of_day(_block_family(spec), spec)


def _block_family(spec: MatchingSpec) -> BlockFamily[Any]:
    made_as = family(spec.family)
    if not isinstance(made_as, BlockFamily):
        raise SpecError(f"family {spec.family} is made as a whole: generate({spec.text!r}) in one process")
    return made_as
