"""Some row groups of an instance stored as Parquet (instances/readers/parquet.py), without reading the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instances.content import (
    limits_hash,
    lp_from,
    piece_hash,
    polytope_from,
)
from instances.edge_files import EDGES_FILE, EdgeFiles
from instances.errors import InstanceError, SpecError
from instances.matching import MatchingLP
from instances.parquet_edges import Arrays, EdgeRange, read_part
from instances.parquet_tables import read_limits, read_polytopes
from instances.per_source import PerSource, per_source
from instances.readers.parquet import read_header
from instances.streamed_content import streamed_content


class RowGroups:
    """The G row groups of a stored instance; sources without edges belong to the group before them.

    What is read is checked against the hashes of spec.json: of each row group and of the limits, or of the whole where
    an older version wrote the folder.
    """

    edges: npt.NDArray[np.int64]
    """int64[G]: edges of each row group."""
    cuts: npt.NDArray[np.int64]
    """int64[G + 1]: first source of each row group, and the number of sources."""

    def __init__(self, folder: Path) -> None:
        import pyarrow as pa

        self._folder = folder
        self._header = read_header(folder)
        try:
            self._files = EdgeFiles(folder)
            ranges = [group.column(0).statistics for group in self._files.groups]
            known = all(statistics is not None and statistics.has_min_max for statistics in ranges)
            firsts = [int(statistics.min) for statistics in ranges] if known else []
            lasts = [int(statistics.max) for statistics in ranges] if known else []
        except (OSError, AttributeError, ValueError, pa.ArrowException) as damage:
            raise self._damaged(damage) from damage
        if not known:
            raise self._damaged(f"{EDGES_FILE} does not say which sources its row groups hold")
        if any(first <= last for first, last in zip(firsts[1:], lasts[:-1], strict=True)):
            raise self._damaged("a source lies in two row groups")
        self.edges = np.array([group.num_rows for group in self._files.groups], dtype=np.int64)
        self.cuts = np.array([0, *firsts[1:], self._header["sources"]], dtype=np.int64)

    def read(self, first: int, last: int) -> tuple[MatchingLP, int, npt.NDArray[np.int64]]:
        """The LP of row groups first : last with all budgets, its first source, and its own cuts from there."""
        import pyarrow as pa

        start, end = int(self.cuts[first]), int(self.cuts[last])
        try:
            arrays = self._edges(first, last) | read_limits(self._folder, self._header)
            lp = lp_from(self._header, arrays | self._polytopes(start, end))
        except SpecError:
            raise
        except (OSError, KeyError, TypeError, ValueError, IndexError, pa.ArrowException) as damage:
            raise self._damaged(damage) from damage
        cuts = self.cuts[first : last + 1] - start
        self._check(lp, first, cuts)
        return lp, start, cuts

    def _check(self, lp: MatchingLP, first: int, cuts: npt.NDArray[np.int64]) -> None:
        """InstanceError where the groups first, ... and the budgets are not what was written."""
        pieces = self._header.get("pieces")
        if pieces is None:
            if self.content()[0] != self._header["content"]:
                raise self._damaged("its content is not what was written")
            return
        if len(pieces) != self.edges.size:
            raise self._damaged(f"{EDGES_FILE} has {self.edges.size} row groups, {len(pieces)} were written")
        if limits_hash(lp) != self._header.get("budgets"):
            raise self._damaged("the budgets are not what was written")
        for k in range(cuts.size - 1):
            if piece_hash(lp, int(cuts[k]), int(cuts[k + 1])) != pieces[first + k]:
                raise self._damaged(f"row group {first + k} is not what was written")

    def content(self) -> tuple[str, int]:
        """The content hash of the whole folder, and the bytes of offsets and edges; no more than one group at a time is
        in memory, and the limits.
        """
        return streamed_content(self._header, self._pieces(), read_limits(self._folder, self._header))

    def _pieces(self) -> Iterator[tuple[Arrays, PerSource]]:
        for group, (first, last) in enumerate(itertools.pairwise(self.cuts.tolist())):
            edges = self._edges(group, group + 1)
            polytope = polytope_from(self._header["polytope"], edges | self._polytopes(first, last))
            yield edges, per_source(polytope, edges["offsets"])

    def _edges(self, first: int, last: int) -> Arrays:
        part = EdgeRange(groups=range(first, last), start=int(self.cuts[first]), end=int(self.cuts[last]))
        return read_part(self._files, self._header, part)

    def _polytopes(self, start: int, end: int) -> Arrays:
        """Of sources start : end where the sources differ."""
        return {} if self._header["polytope"] is not None else read_polytopes(self._folder, start, end)

    def _damaged(self, what: object) -> InstanceError:
        return InstanceError(f"{self._folder} is damaged or incomplete ({what}): write it again")
