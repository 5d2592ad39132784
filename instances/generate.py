"""Make an instance from its specification, whole or any blocks of it.

Block k is the sources k * BLOCK_SOURCES and following; its bytes depend on the spec and k alone. A process that owns
some blocks calls `generate_blocks`, adds the integer loads of all processes in any order, and calls `budgets`:
the instance never depends on how many processes made it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.arguments import require_spec
from instances.cpus import usable_threads
from instances.errors import SpecError
from instances.families import family
from instances.families.base import BlockFamily
from instances.greedy import UNITS, Indices, add_load, block_load, loads_of
from instances.mapped import release_pages
from instances.matching import MatchingLP
from instances.memory import require_memory
from instances.sampling import BLOCK_SOURCES, Destinations, block_generator, draw_destinations, sample_graph
from instances.spec import MatchingSpec, ReadableSpec, Spec


@dataclass(frozen=True, kw_only=True, eq=False)
class Shard:
    """The edges of some blocks, in the order asked for.

    offsets int64[n + 1] from 0 for the n sources of the blocks; destination int32[E], a and c float32[E];
    load int64[K, J]: see `greedy.block_load`; loads of all shards are added to the load of the instance.
    """

    offsets: npt.NDArray[np.int64]
    destination: npt.NDArray[np.int32]
    a: npt.NDArray[np.float32]
    c: npt.NDArray[np.float32]
    load: npt.NDArray[np.int64]


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
    return assembled(known, shard, shard.load)


def assembled(spec: MatchingSpec, shard: Shard, load: npt.NDArray[np.int64]) -> MatchingLP:
    """The LP of a shard, with the budgets that the `load` of all shards gives."""
    return MatchingLP(
        offsets=shard.offsets,
        destination=shard.destination,
        a=shard.a,
        c=shard.c,
        b=budgets(spec, load),
        polytope=spec.polytope,
    )


def block_count(spec: MatchingSpec) -> int:
    return -(-spec.sources // BLOCK_SOURCES)


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """One block: degree int64[n] of its n sources; destination int32[E], a and c float32[E]; load as pairs of rows and
    units, see `greedy.block_load`.
    """

    degree: Indices
    destination: npt.NDArray[np.int32]
    a: npt.NDArray[np.float32]
    c: npt.NDArray[np.float32]
    load: list[tuple[Indices, Indices]]


def stream_blocks(spec: MatchingSpec, blocks: Iterable[int], *, threads: int | None = None) -> Iterator[Block]:
    """The given blocks one after another, made by `threads` (default: the CPUs of this process), few at a time."""
    made_as = _block_family(spec)
    destinations = draw_destinations(spec)
    threads = threads or usable_threads()
    waiting: deque[Future[Block]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for block in blocks:
            waiting.append(pool.submit(_make_block, spec, made_as, destinations, block))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def generate_blocks(
    spec: MatchingSpec,
    blocks: Sequence[int],
    *,
    threads: int | None = None,
    empty: Callable[[int, Any], npt.NDArray[Any]] = np.empty,
) -> Shard:
    """The given blocks, one after another; `threads` (default: the CPUs of this process) changes the speed only.

    empty: makes the arrays of the edges and offsets, of a size and type; see instances.mapped for those in files.
    """
    _block_family(spec)
    for number in blocks:
        if not 0 <= number < block_count(spec):
            raise SpecError(f"block {number} of {spec.text!r}: its blocks are 0..{block_count(spec) - 1}")
    sources = sum(_sources_of(spec, number) for number in blocks)
    capacity = _edge_capacity(draw_destinations(spec), sources, spec.least_edges)
    offsets = empty(sources + 1, "i8")
    destination = empty(capacity, "i4")
    a = empty(capacity, "f4")
    c = empty(capacity, "f4")
    load = np.zeros((loads_of(spec.polytope), spec.destinations), dtype=np.int64)
    offsets[0] = last = end = 0
    for block in stream_blocks(spec, blocks, threads=threads):
        first, last = last, last + block.degree.size
        start, end = end, end + block.a.size
        offsets[first + 1 : last + 1] = start + np.cumsum(block.degree)
        destination[start:end] = block.destination
        a[start:end] = block.a
        c[start:end] = block.c
        add_load(load, block.load)
        release_pages(offsets, first, last)
        for array in (destination, a, c):
            release_pages(array, start, end)
    return Shard(offsets=offsets, destination=destination[:end], a=a[:end], c=c[:end], load=load)


def budgets(spec: MatchingSpec, load: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """b[J] of the instance from the load summed over all its blocks.

    Greedy loads scale with the radius. For '=' sources b_j is at least what row j receives when every source spreads
    its radius evenly over its edges: a known feasible point, so that generated '=' instances are feasible.
    """
    units = load.astype(np.float64) * (float(spec.polytope.params[0]) / UNITS)
    b = _block_family(spec).budget(draw_destinations(spec).rho, units[0])
    return b if load.shape[0] == 1 else np.maximum(b, units[1])


def _make_block(spec: MatchingSpec, made_as: BlockFamily, destinations: Destinations, block: int) -> Block:
    rng = block_generator(spec, block)
    sources = _sources_of(spec, block)
    graph = sample_graph(rng, destinations, sources, least_edges=spec.least_edges)
    a, value = made_as.coefficients(rng, graph, destinations)
    key = value if made_as.greedy_by_value else a
    return Block(
        degree=np.bincount(graph.source, minlength=sources),
        destination=graph.destination.astype(np.int32),
        a=a,
        c=-value,
        load=block_load(spec.polytope, graph.source, graph.destination, a, key),
    )


def _sources_of(spec: MatchingSpec, block: int) -> int:
    return min(BLOCK_SOURCES, spec.sources - block * BLOCK_SOURCES)


def _edge_capacity(destinations: Destinations, sources: int, least_edges: int) -> int:
    """More edges than the sources can have: ten standard deviations above the mean (probability below 1e-20).

    Pages of the arrays that stay untouched take no memory, so the arrays are filled in place and cut off at the end.
    """
    of_source = math.fsum(destinations.probability) + math.exp(-destinations.rate)  # a source that would have none
    of_source += max(0, least_edges - 1)  # more than a source lacks that has one
    mean = sources * of_source
    return math.ceil(mean + 10 * math.sqrt(mean) + 64)


def _block_family(spec: MatchingSpec) -> BlockFamily:
    made_as = family(spec.family)
    if not isinstance(made_as, BlockFamily):
        raise SpecError(f"family {spec.family} is made as a whole: generate({spec.text!r}) in one process")
    return made_as
