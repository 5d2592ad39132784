"""The part of an instance that one rank holds: whole blocks of a spec, or whole row groups of a stored instance.

I sources, J destinations, E edges. Pieces (blocks or row groups) go to the ranks in order, balanced by their edges, so
a part is a range of sources. The instance does not depend on the number of ranks: the loads that budgets are made from,
which the ranks add up, are integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instances.available import available_memory
from instances.content import piece_hash
from instances.errors import SpecError
from instances.generate import assembled, block_count, generate_blocks
from instances.mapped import unnamed_array
from instances.matching import MatchingLP
from instances.memory import memory_bytes
from instances.readers.parquet import ParquetSpec
from instances.row_groups import RowGroups
from instances.sampling import BLOCK_SOURCES
from instances.spec import MatchingSpec, Spec, in_blocks

_BLOCKS = "blocks of sources"
_GROUPS = "row groups"
Add = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """What one rank holds of an instance."""

    lp: MatchingLP
    """Its sources, with the limits of all rows of the instance."""
    first_source: int
    """Number of its first source in the instance."""
    pieces: npt.NDArray[np.int64]
    """int64[P + 1]: where each piece starts among its own sources, and the end."""

    def digests(self) -> list[str]:
        """One hash per piece; see instances.content.hash_of_pieces."""
        return [piece_hash(self.lp, int(i), int(k)) for i, k in zip(self.pieces[:-1], self.pieces[1:], strict=True)]


def load_part(
    spec: Spec, rank: int, ranks: int, add: Add, *, threads: int | None = None, folder: Path | None = None
) -> Part:
    """The part of `rank`, which makes or reads no more than that. `add` sums an int64 array over all ranks.

    folder: where a generated part goes into unnamed files, instead of into memory.
    """
    if isinstance(spec, ParquetSpec):
        return _read_part(spec, rank, ranks)
    spec, cuts = _blocks(spec)
    first, last = shares(np.diff(cuts), ranks, _BLOCKS)[rank]
    empty = np.empty if folder is None else partial(unnamed_array, folder=folder, what="a part of the instance")
    shard = generate_blocks(spec, range(first, last), threads=threads, empty=empty)
    lp = assembled(spec, shard.arrays, add(shard.load))
    return Part(lp=lp, first_source=int(cuts[first]), pieces=cuts[first : last + 1] - cuts[first])


def require_parts(spec: Spec, ranks: int, *, neighbours: int = 1, on_disk: bool = False) -> None:
    """SpecError where so many ranks cannot share `spec`, before one of them is started.

    neighbours: ranks of a machine, which share its memory. on_disk: the parts lie in files and take no memory.
    """
    need = memory_bytes(spec) // ranks
    available = available_memory(neighbours)
    if need > available and not on_disk:
        raise SpecError(
            f"{spec.text} needs {need / 2**30:.3g} GiB of memory on each of {ranks} ranks, {available / 2**30:.3g} GiB "
            "are available to each: use more machines, or a smaller instance"
        )
    if isinstance(spec, ParquetSpec):
        shares(RowGroups(Path(spec.path)).edges, ranks, _GROUPS)
    else:
        shares(np.diff(_blocks(spec)[1]), ranks, _BLOCKS)


def shares(edges: Sequence[int] | npt.NDArray[np.int64], ranks: int, what: str) -> list[tuple[int, int]]:
    """(first, last) piece of each rank, in order, from the edges (or what is proportional to them) of each piece.

    Every rank has a piece, and a piece goes where the middle of its edges falls.
    """
    pieces = len(edges)
    if not 1 <= ranks <= pieces:
        raise SpecError(f"{ranks} ranks for {pieces} {what}: use at most {pieces} ranks, or a larger instance")
    ends = np.cumsum(np.asarray(edges, dtype=np.float64))
    middle = ends - 0.5 * np.asarray(edges, dtype=np.float64)
    starts = np.searchsorted(middle, ends[-1] * np.arange(ranks) / ranks)
    for rank in range(1, ranks):
        starts[rank] = min(max(starts[rank], starts[rank - 1] + 1), pieces - ranks + rank)
    return list(zip(starts.tolist(), [*starts[1:].tolist(), pieces], strict=True))


def _blocks(spec: Spec) -> tuple[MatchingSpec, npt.NDArray[np.int64]]:
    """The first source of each block, and the number of sources."""
    if not in_blocks(spec):
        raise SpecError(
            f"{spec.text} is made as a whole: `dualbench generate` it once and give parquet:path=DIR, "
            f"or use a family that is made in blocks"
        )
    return spec, np.minimum(np.arange(block_count(spec) + 1) * BLOCK_SOURCES, spec.sources)


def _read_part(spec: ParquetSpec, rank: int, ranks: int) -> Part:
    groups = RowGroups(Path(spec.path))
    first, last = shares(groups.edges, ranks, _GROUPS)[rank]
    lp, first_source, pieces = groups.read(first, last)
    return Part(lp=lp, first_source=first_source, pieces=pieces)
