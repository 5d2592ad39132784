"""The files of the edges of a stored instance: edges.parquet is one file, or a folder of files in the order of their
names, as ranks of Spark write them. Row groups are numbered through all files.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EDGES_FILE = "edges.parquet"


class EdgeFiles:
    """The G row groups of all files; only the ends of the files are read until rows are asked for."""

    folder: Path
    """Of the instance."""
    schema: Any
    """Arrow schema of the columns."""
    groups: list[Any]
    """Parquet's metadata of each row group, [G]."""

    def __init__(self, folder: Path, name: str = EDGES_FILE) -> None:
        from pyarrow import parquet

        self.folder = folder
        self._places: list[tuple[Path, int]] = []
        self.groups = []
        for path in files_of(folder / name):
            metadata = parquet.read_metadata(path)
            if not self.groups:
                self.schema = metadata.schema.to_arrow_schema()
            self._places += [(path, k) for k in range(metadata.num_row_groups)]
            self.groups += [metadata.row_group(k) for k in range(metadata.num_row_groups)]

    def read(self, groups: range, *, checked: bool) -> Iterator[Any]:
        """The rows of each of these row groups, one file open at a time; checked: by the checksums of their pages."""
        from pyarrow import parquet

        places = self._places[groups.start : groups.stop]
        for path, of_file in itertools.groupby(places, key=lambda place: place[0]):
            with parquet.ParquetFile(path, page_checksum_verification=checked) as file:
                for _, group in of_file:
                    yield file.read_row_group(group)


def files_of(path: Path) -> list[Path]:
    """The file itself, or the Parquet files in a folder by name; OSError where there is none."""
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(f"{path.name} holds no Parquet file")
    return files
