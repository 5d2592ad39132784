"""Some row groups of an instance stored as Parquet (instances/readers/parquet.py), without reading the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.content import polytope_from
from instances.errors import InstanceError
from instances.matching import MatchingLP
from instances.polytope import Polytope
from instances.readers.parquet import BUDGETS_FILE, EDGES_FILE, POLYTOPES_FILE, read_header

_COLUMNS = ("destination", "a", "c")


class RowGroups:
    """edges int64[G] and cuts int64[G + 1]: edges and range of sources of each row group; sources without edges belong
    to the group before them.
    """

    def __init__(self, folder: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._folder, self._header = folder, read_header(folder)
        try:
            metadata = parquet.read_metadata(folder / EDGES_FILE)
            groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
            ranges = [group.column(0).statistics for group in groups]
            firsts = [int(found.min) for found in ranges]
            lasts = [int(found.max) for found in ranges]
        except (OSError, AttributeError, pa.ArrowException) as damage:
            raise self._damaged(damage) from damage
        if any(first <= last for first, last in zip(firsts[1:], lasts[:-1], strict=True)):
            raise self._damaged("a source lies in two row groups")
        self.edges = np.array([group.num_rows for group in groups], dtype=np.int64)
        self.cuts = np.array([0, *firsts[1:], self._header["sources"]], dtype=np.int64)

    def read(self, first: int, last: int) -> tuple[MatchingLP, int, npt.NDArray[np.int64]]:
        """The LP of row groups first : last with all budgets, its first source, and its own cuts from there."""
        import pyarrow as pa
        from pyarrow import parquet

        start, end = int(self.cuts[first]), int(self.cuts[last])
        try:
            b = parquet.read_table(self._folder / BUDGETS_FILE)["b"].to_numpy()
            lp = MatchingLP(**self._edges(first, last), b=b, polytope=self._polytope(start, end))
        except (OSError, KeyError, ValueError, pa.ArrowException) as damage:
            raise self._damaged(damage) from damage
        return lp, start, self.cuts[first : last + 1] - start

    def _edges(self, first: int, last: int) -> dict[str, npt.NDArray[Any]]:
        """offsets, destination, a and c, group by group into arrays of the final size."""
        from pyarrow import parquet

        total, sources = int(self.edges[first:last].sum()), int(self.cuts[last] - self.cuts[first])
        degree = np.zeros(sources, dtype=np.int64)
        with parquet.ParquetFile(self._folder / EDGES_FILE, page_checksum_verification=True) as file:
            types = {name: file.schema_arrow.field(name).type.to_pandas_dtype() for name in _COLUMNS}
            arrays = {name: np.empty(total, dtype=dtype) for name, dtype in types.items()}
            end = 0
            for group in range(first, last):
                table = file.read_row_group(group)
                start, end = end, end + table.num_rows
                for name in _COLUMNS:
                    arrays[name][start:end] = table[name].to_numpy()
                source = table["source"].to_numpy() - self.cuts[first]
                counts = np.bincount(source - source[0])
                degree[source[0] : source[0] + counts.size] += counts
        return {"offsets": np.concatenate(([0], np.cumsum(degree))), **arrays}

    def _polytope(self, start: int, end: int) -> Polytope:
        from pyarrow import parquet

        if self._header["polytope"] is not None:
            return polytope_from(self._header["polytope"], {})
        table = parquet.read_table(
            self._folder / POLYTOPES_FILE, filters=[("source", ">=", start), ("source", "<", end)]
        )
        return polytope_from(None, {name: table[name].to_numpy() for name in ("kind", "radius")})

    def _damaged(self, what: object) -> InstanceError:
        return InstanceError(f"{self._folder} is damaged or incomplete ({what}): write it again")
