"""What a rank of an instance takes, before anything is made: memory of host and device, disk, bytes of a pass.

I sources, J destinations, E edges of the instance; a rank has their R-th part, in whole blocks. The figures follow the
arrays that exist at once (checked against measured peaks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.scaling.sharded import sharded_card
from instances import InputError, Spec
from instances.sampling import BLOCK_SOURCES
from instances.shards import in_blocks
from solvers.engine.constants import LANES
from solvers.engine.layout import count_bands, index_dtype
from solvers.engine.storage import BLOCK_CELLS

#: Cells of a layout for each edge, and lanes for each source, as measured on the generated families.
_PADDING, _LANES = 1.06, 1.02
_VALUE = 4  # bytes of a float32
#: Of a rank before the instance: Python, PyTorch, Numba and the compiled loops, without and with CUDA.
_PROCESS = 385e6
_KEPT_LAYOUT = 1 << 30
_PIECES = 64
_CUDA_CONTEXT = 0.6e9
#: Of the sums of a pass on CUDA, for each destination.
_SUMS = 600


@dataclass(frozen=True, kw_only=True)
class Share:
    """What the rank with most of the instance holds."""

    sources: int
    edges: int


def most_ranks(spec: Spec) -> int:
    return -(-spec.sources // BLOCK_SOURCES)


def share_of(spec: Spec, ranks: int) -> Share:
    if not in_blocks(spec):
        raise InputError(f"{spec.text} is not made in blocks: give a generated family such as dualip:sources=...")
    if not 1 <= ranks <= most_ranks(spec):
        raise InputError(f"{ranks} ranks for {most_ranks(spec)} blocks of sources: use at most {most_ranks(spec)}")
    sources = min(spec.sources, -(-most_ranks(spec) // ranks) * BLOCK_SOURCES)
    return Share(sources=sources, edges=math.ceil(spec.expected_edges * sources / spec.sources))


def bytes_of_pass(solver: str, destinations: int) -> float:
    """Bytes that one pass moves for each edge: index, a, c, and for blockpdhg x (read and written) and the anchor."""
    return bytes_read(solver, destinations) + _PADDING * (_VALUE if _vectors(solver) else 0)


def bytes_read(solver: str, destinations: int) -> float:
    """The part of them that is read."""
    return float(_PADDING * (index_dtype(destinations).itemsize + (2 + _vectors(solver)) * _VALUE))


def device_bytes(spec: Spec, share: Share, solver: str) -> float:
    """Layout and primal vectors on a CUDA device."""
    return _CUDA_CONTEXT + _cells(spec, share, _vectors(solver)) + 12 * _LANES * share.sources + 400 * spec.destinations


def block_bytes(spec: Spec, share: Share, solver: str) -> float:
    """Two blocks of cells and vectors on a CUDA device that streams from its host, radii and slices, and sums."""
    cell = index_dtype(spec.destinations).itemsize + (2 + _vectors(solver)) * _VALUE
    cells = 2 * min(BLOCK_CELLS, _PADDING * share.edges) * cell
    return float(_CUDA_CONTEXT + cells + (_VALUE + 1) * _LANES * share.sources + _SUMS * spec.destinations)


def host_bytes(spec: Spec, share: Share, solver: str, *, cells_on_host: bool, threads: int = 1) -> float:
    """The peak of a rank's process: instance and the larger of making it, and of layout, vectors and answer."""
    edges, sources = share.edges, share.sources
    instance = 12 * edges + 8 * sources
    layout = _cells(spec, share, 0) + (8 + _VALUE) * _LANES * sources
    vectors = _vectors(solver) * _VALUE * _PADDING * edges if cells_on_host else 0
    answer = _VALUE * edges
    working = layout + vectors + answer
    if not _vectors(solver) and layout > _KEPT_LAYOUT:
        working = max(layout, answer)
    return _PROCESS + instance + max(_making(spec, share, threads), working + 2 * _PIECES * 8 * spec.destinations)


def streaming_bytes(spec: Spec, share: Share, solver: str, *, threads: int) -> float:
    """The peak of a process that streams from the disk: two windows of cells and vectors, the piece of instance and
    answer that a proof is at, the sums of each band, and what is known of each slice; or the blocks being made.
    """
    bands, J = count_bands(share.edges, spec.destinations), spec.destinations
    window = min(threads, bands) * share.edges / bands
    cells = 2 * window * bytes_read(solver, J)
    piece = window * (12 + 8 * share.sources / share.edges + _VALUE)
    kept = 4 * bands * 8 * J + 17 * share.sources / LANES[0]
    return float(_PROCESS + kept + max(_making(spec, share, threads), cells + piece))


def disk_bytes(spec: Spec, share: Share, solver: str) -> float:
    """The instance, in the store or in files of its own, and cells, vectors, lanes and answer in files without name."""
    instance = 12 * share.edges + 8 * (share.sources + spec.destinations)
    return instance + _cells(spec, share, _vectors(solver)) + 2 * _VALUE * _LANES * share.sources + _VALUE * share.edges


def _making(spec: Spec, share: Share, threads: int) -> float:
    """The blocks of an instance that threads are making."""
    return 100 * min(share.edges, spec.expected_edges / spec.sources * BLOCK_SOURCES) * threads


def _vectors(solver: str) -> int:
    """Primal vectors that a solver keeps."""
    return 2 if sharded_card(solver).id == "blockpdhg" else 0


def _cells(spec: Spec, share: Share, vectors: int) -> float:
    """Index, a, c and so many vectors, padding included."""
    return float(_PADDING * share.edges * (index_dtype(spec.destinations).itemsize + (2 + vectors) * _VALUE))
