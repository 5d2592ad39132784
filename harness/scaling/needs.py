"""What a rank of an instance takes, before anything is made: the bytes of its process and of its CUDA device.

The arrays of a solve are the solver's own model (solvers/engine/sizes.py); here the process itself, the context of CUDA
and the making of the instance are added. A rank has its part of the instance in whole blocks of sources.
"""

from __future__ import annotations

import math
from dataclasses import replace

from harness.scaling.sharded import sharded_solver
from instances import InputError, MatchingSpec, Spec, in_blocks
from instances.families import family
from instances.families.base import BlockFamily
from instances.generate import assembled, generate_blocks, no_load
from instances.sampling import BLOCK_SOURCES
from solvers.engine.sizes import Further, Shape, SolveBytes

#: Of a rank before the instance: Python, PyTorch, Numba and the compiled loops, without CUDA; and CUDA on a device.
_PROCESS = 385e6
_CUDA_CONTEXT = 0.6e9
#: Bytes for each edge of a block that a thread is making.
_MAKING = 100


def most_ranks(spec: Spec) -> int:
    return -(-spec.sources // BLOCK_SOURCES)


def shape_of(spec: Spec, ranks: int) -> Shape:
    """What the rank with most of the instance holds."""
    if not in_blocks(spec):
        raise InputError(f"{spec.text} is not made in blocks: give a generated family such as dualip:sources=...")
    if not 1 <= ranks <= most_ranks(spec):
        raise InputError(f"{ranks} ranks for {most_ranks(spec)} blocks of sources: use at most {most_ranks(spec)}")
    sources = min(spec.sources, -(-most_ranks(spec) // ranks) * BLOCK_SOURCES)
    edges = math.ceil(spec.expected_edges * sources / spec.sources)
    without_edges = assembled(spec, generate_blocks(spec, ()).arrays, no_load(spec))
    further = _with_entries(Shape.of(without_edges).further, spec)
    return Shape(sources=sources, rows=without_edges.row_count, edges=edges, further=further)


def _with_entries(families: tuple[Further, ...], spec: MatchingSpec) -> tuple[Further, ...]:
    """The families with the entries of an edge that `spec` leads to."""
    made_as = family(spec.family)
    entries = made_as.entries_per_edge(spec) if isinstance(made_as, BlockFamily) else 1.0
    return tuple(one if one.entries is None else replace(one, entries=entries) for one in families)


def solve_bytes(spec: Spec, ranks: int, solver: str) -> SolveBytes:
    """The model of that solver for the rank with most of the instance."""
    return sharded_solver(solver).memory(shape_of(spec, ranks))


def device_bytes(solve: SolveBytes) -> float:
    """A CUDA device that holds all cells."""
    return _CUDA_CONTEXT + solve.device


def block_bytes(solve: SolveBytes) -> float:
    """A CUDA device that streams from its host."""
    return _CUDA_CONTEXT + solve.blocks


def host_bytes(spec: Spec, solve: SolveBytes, *, cells_on_host: bool, threads: int = 1) -> float:
    """The peak of a rank's process: instance and the larger of making it and of solving it."""
    making = _making(spec, solve.shape, threads)
    return _PROCESS + solve.instance + max(making, solve.host(cells_on_host=cells_on_host))


def streaming_bytes(spec: Spec, solve: SolveBytes, *, threads: int) -> float:
    """The peak of a process that streams from the disk: the larger of making blocks and of solving."""
    return _PROCESS + max(_making(spec, solve.shape, threads), solve.streaming(threads=threads))


def _making(spec: Spec, shape: Shape, threads: int) -> float:
    """The blocks of an instance that threads are making."""
    return _MAKING * min(shape.edges, spec.expected_edges / spec.sources * BLOCK_SOURCES) * threads
