"""What an executor does: sorted rows of the edges become pieces of the instance, whole sources each, in files.

A piece is a row group of three files of one name: the edges, the keys of each edge beside them, and where the sources
differ what each may do. Memory holds one piece. A file gets its name when it is whole; a task that is tried again
writes the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from instances.content import hash_of_piece
from instances.edge_files import EDGES_FILE
from instances.errors import ProblemError
from instances.kept_keys import KEYS_OF_EDGES
from instances.parquet_edges import EdgeWriter
from instances.parquet_tables import POLYTOPES_FILE, polytope_table
from instances.spark.layout import SOURCE, Layout
from instances.spark.piece import Piece
from instances.spark.whole_sources import Batches, whole_sources

#: What the driver learns of each piece; DDL of Spark.
SUMMARY = "first bigint, sources bigint, edges bigint, digest string, fault string"


def pieces_writer(layout: Layout) -> Callable[[Batches], Batches]:
    """What `mapInArrow` calls with the sorted rows of one partition."""

    def write(batches: Batches) -> Batches:
        with _PieceFiles(layout) as files:
            for rows in whole_sources(batches, layout.most):
                yield _summary(files, rows)

    return write


def _summary(files: _PieceFiles, rows: Any) -> Any:
    import pyarrow as pa

    source = rows[SOURCE].to_numpy()
    found: dict[str, Any] = {"first": int(source[0]), "sources": 0, "edges": 0, "digest": "", "fault": ""}
    try:
        found |= files.write(Piece(files.layout, rows))
    except ProblemError as fault:
        found["fault"] = str(fault)
    return pa.RecordBatch.from_pylist([found])


class _PieceFiles:
    """The files of one partition, opened with its first piece."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._name = ""
        self._writers: dict[str, Any] = {}

    def write(self, piece: Piece) -> dict[str, Any]:
        """Write a row group of each file; what the driver learns of it."""
        arrays = piece.arrays()
        if not self._writers:
            self._open(piece)
        self._writers[EDGES_FILE].write(piece.source, arrays)
        size = max(1, piece.source.size)
        self._writers[KEYS_OF_EDGES].write_table(piece.edges.others, row_group_size=size)
        if piece.polytopes is not None:
            self._writers[POLYTOPES_FILE].write_table(polytope_table(piece.polytopes, piece.first))
        digest = hash_of_piece(piece.degrees, arrays, piece.polytopes)
        return {"sources": piece.degrees.size, "edges": piece.source.size, "digest": digest}

    def __enter__(self) -> _PieceFiles:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for writer in self._writers.values():
            writer.__exit__(None, None, None)
        for name in self._writers:
            if kind is None:
                self._partial(name).replace(self._partial(name).with_name(self._name))
            else:
                self._partial(name).unlink()

    def _open(self, piece: Piece) -> None:
        from pyarrow import parquet

        self._name = f"part-{piece.first:015d}.parquet"  # names in the order of the sources
        layout = self.layout
        self._writers[EDGES_FILE] = EdgeWriter(self._partial(EDGES_FILE), layout.columns, layout.dtypes)
        schemas = {KEYS_OF_EDGES: piece.edges.others.schema}
        if piece.polytopes is not None:
            schemas[POLYTOPES_FILE] = polytope_table(piece.polytopes, piece.first).schema
        for name, schema in schemas.items():
            self._writers[name] = parquet.ParquetWriter(self._partial(name), schema, write_page_checksum=True)

    def _partial(self, name: str) -> Path:
        """A name of this try of the task alone; Parquet readers leave it out."""
        from pyspark import TaskContext

        task = TaskContext.get()
        attempt = 0 if task is None else task.taskAttemptId()
        return Path(self.layout.folder) / name / f".{self._name}.{attempt}.partial"
