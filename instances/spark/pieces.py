"""What an executor does: sorted rows of the edges become pieces of the instance, whole sources each, in files.

A piece is a row group of three files of one name: the edges, the keys of each edge beside them, and where the sources
differ what each may do. Memory holds one piece. A file gets its name when it is whole; a task that is tried again
writes the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.content import hash_of_piece
from instances.edge_files import EDGES_FILE
from instances.errors import ProblemError
from instances.kept_keys import KEYS_OF_EDGES
from instances.parquet_edges import Column, EdgeWriter
from instances.parquet_tables import POLYTOPES_FILE, polytope_table
from instances.per_source import Limits, PerSource, params_of
from instances.tables.duplicates import Labels, lists_repeat, made_one, repeated
from instances.tables.edges import EdgeArrays
from instances.tables.source_limits import kinds_of

#: What the driver learns of each piece; DDL of Spark.
SUMMARY = "first bigint, sources bigint, edges bigint, digest string, fault string"
#: Columns of the sorted rows beside the numbers of the keys, which have the names of their numberings.
SOURCE, DESTINATION, POSITION, AT_MOST, UPPER = "source", "destination key", "position", "at_most", "upper"
#: A fault that only the driver can put into words: a key that has no number, and rows of one edge.
UNKNOWN, REPEATED, WORDS = "unknown ", "repeated", "words "
Batches = Iterator[Any]


@dataclass(frozen=True, kw_only=True)
class FamilyLayout:
    """Where a family of limits stands in the sorted rows."""

    number: str | None
    """Column of the row's number; None where all edges lie in one row, or in several."""
    entries: str | None = None
    """Column of lists of keys, where an edge lies in several rows."""
    keys: Any = None
    """Arrow array [R] of the keys of such rows."""
    use: str | float = 1.0
    """Column, or one number."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All that an executor needs to know of the instance."""

    folder: str
    """Of the instance."""
    columns: tuple[Column, ...]
    """Of the file of edges."""
    dtypes: Mapping[str, str]
    """Of these columns."""
    families: tuple[FamilyLayout, ...]
    objective: str
    """Column of what is maximised or minimised."""
    maximise: bool
    numbers: tuple[str, ...]
    """Columns of numbers, in the order of the plan."""
    numberings: tuple[str, ...]
    """Columns of numbers of keys, the source first, in the order of the plan."""
    names_an_edge: tuple[str, ...]
    """Those that tell edges apart; DESTINATION for a key that has no number."""
    keys: Mapping[str, str]
    """Columns with the keys of an edge, and the user's names of them."""
    rule: str
    """Of duplicates."""
    labels: Labels
    most: int
    """Edges of a piece, unless a single source has more."""
    parameters: int | None
    """Of the sources' polytopes where the sources differ; None where they are alike."""
    equality: bool
    """Whether the sum of a source is exact."""


def pieces_writer(layout: Layout) -> Callable[[Batches], Batches]:
    """What `mapInArrow` calls with the sorted rows of one partition."""

    def write(batches: Batches) -> Batches:
        with _PieceFiles(layout) as files:
            for rows in whole_sources(batches, layout.most):
                yield _summary(files, rows)

    return write


def whole_sources(batches: Batches, most: int) -> Iterator[Any]:
    """Arrow tables of whole sources, each with at most `most` rows or a single source that has more."""
    import pyarrow as pa

    waiting: list[Any] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count < most:
            continue
        rows = pa.Table.from_batches(waiting)
        cuts = _cuts(rows[SOURCE].to_numpy(), most)[:-1]  # the last source may go on
        yield from (rows.slice(first, last - first).combine_chunks() for first, last in itertools.pairwise(cuts))
        waiting = rows.slice(cuts[-1]).to_batches()
        count -= cuts[-1]
    if count:
        rows = pa.Table.from_batches(waiting)
        cuts = _cuts(rows[SOURCE].to_numpy(), most)
        yield from (rows.slice(first, last - first).combine_chunks() for first, last in itertools.pairwise(cuts))


def _cuts(source: npt.NDArray[np.int64], most: int) -> list[int]:
    """Where pieces of rows with these sources begin, and the end."""
    starts = np.append(np.flatnonzero(np.diff(source, prepend=-1)), source.size)
    cuts = [0]
    while cuts[-1] < source.size:
        within = int(np.searchsorted(starts, cuts[-1] + most, side="right")) - 1
        following = int(np.searchsorted(starts, cuts[-1], side="right"))
        cuts.append(int(starts[max(within, following)]))
    return cuts


def _summary(files: _PieceFiles, rows: Any) -> Any:
    import pyarrow as pa

    source = rows[SOURCE].to_numpy()
    found: dict[str, Any] = {"first": int(source[0]), "sources": 0, "edges": 0, "digest": "", "fault": ""}
    try:
        found |= files.write(_Piece(files.layout, rows))
    except ProblemError as fault:
        found["fault"] = str(fault)
    return pa.RecordBatch.from_pylist([found])


class _Piece:
    """Arrays of a piece: I sources, E edges."""

    def __init__(self, layout: Layout, rows: Any) -> None:
        self._layout = layout
        source = rows[SOURCE].to_numpy()
        self.first = int(source[0])
        last = int(source[-1])
        self._entries = {f.entries: _entries(rows, f) for f in layout.families if f.entries is not None}
        self.edges = self._edges(rows, (source - self.first).astype(np.int32))
        local = self.edges.keys[SOURCE]
        self.degrees = np.bincount(local, minlength=last - self.first + 1)
        self.source = self.first + local.astype(np.int64)
        self.polytopes = self._polytopes(rows, source)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """`instances.content.part_arrays` of the piece."""
        layout = self._layout
        cost = self.edges.numbers[layout.objective]
        found: dict[str, npt.NDArray[Any]] = {"c": -cost if layout.maximise else cost}
        short = any(column.name == "destination" for column in layout.columns)
        for k, family in enumerate(layout.families):
            row, coefficient = ("destination", "a") if short else (f"row_{k}", f"coefficient_{k}")
            use = self._use(family, layout.dtypes.get(coefficient))
            if family.entries is not None:
                starts, entries = self._entries[family.entries]
                found[f"entry_offsets_{k}"] = starts
                found[row] = entries
                use = np.repeat(use, np.diff(starts)) if use is not None else None
            elif family.number is not None:
                found[row] = self.edges.keys[family.number]
            elif short:
                found[row] = np.zeros(self.source.size, dtype=np.int32)
            if use is not None:
                found[coefficient] = use
        if short:
            return {name: found[name] for name in ("destination", "a", "c")}
        return found

    def _use(self, family: FamilyLayout, dtype: str | None) -> npt.NDArray[Any] | None:
        """Of each edge; None where the instance has one number for all."""
        if dtype is None:
            return None
        if isinstance(family.use, str):
            return self.edges.numbers[family.use]
        return np.full(self.source.size, family.use, dtype=dtype)

    def _edges(self, rows: Any, local: npt.NDArray[np.int32]) -> EdgeArrays:
        """Each edge once, by the rule of the problem."""
        layout = self._layout
        keys = {SOURCE: local}
        for name in layout.numberings[1:]:
            if rows[name].null_count:
                raise ProblemError(f"{UNKNOWN}{name}")
            keys[name] = _numbered(rows[name]) if name == DESTINATION else rows[name].to_numpy()
        edges = EdgeArrays(
            keys=keys,
            lengths={},
            numbers={name: np.array(rows[name].to_numpy()) for name in layout.numbers},  # a sum writes into them
            position=rows[POSITION].to_numpy() if POSITION in rows.column_names else None,
            others=rows.select(list(layout.keys)).rename_columns(list(layout.keys.values())),
        )
        repeats = repeated(edges, layout.names_an_edge)
        if not repeats.any():
            return edges
        if layout.rule == "error":
            raise ProblemError(REPEATED)
        if self._entries:
            raise ProblemError(f"{WORDS}{lists_repeat(layout.labels.table, next(iter(self._entries)))}")
        try:
            return made_one(edges, repeats, layout.rule, layout.objective, layout.labels)
        except ProblemError as fault:
            raise ProblemError(f"{WORDS}{fault}") from fault

    def _polytopes(self, rows: Any, source: npt.NDArray[np.int64]) -> PerSource | None:
        parameters = self._layout.parameters
        if parameters is None:
            return None
        first = np.searchsorted(source, np.arange(source[0], source[-1] + 1))
        at_most, upper = (rows[name].to_numpy()[first] for name in (AT_MOST, UPPER))
        sets = Limits(at_most=at_most, upper=upper, equality=np.full(first.size, self._layout.equality))
        kinds = kinds_of(sets)
        return PerSource(kind=kinds, params=params_of(kinds, sets, parameters))


class _PieceFiles:
    """The files of one partition, opened with its first piece."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._name = ""
        self._writers: dict[str, Any] = {}

    def write(self, piece: _Piece) -> dict[str, Any]:
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

    def _open(self, piece: _Piece) -> None:
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


def _numbered(keys: Any) -> npt.NDArray[np.int32]:
    """Sorted keys as numbers that change where they do."""
    from pyarrow import compute

    values = keys.combine_chunks()
    changes = np.zeros(len(values), dtype=np.int32)
    changes[1:] = compute.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return np.cumsum(changes, dtype=np.int32)


def _entries(rows: Any, family: FamilyLayout) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Where the entries of each edge start, int64[E + 1], and their rows in order, int32[N]."""
    from pyarrow import compute

    lists = rows[family.entries].combine_chunks()
    lengths = compute.fill_null(compute.list_value_length(lists), 0).to_numpy().astype(np.int64)
    values = lists.flatten()
    numbers = compute.index_in(values, value_set=family.keys.cast(values.type))
    if numbers.null_count:
        raise ProblemError(f"{UNKNOWN}{family.entries}")
    row = numbers.to_numpy().astype(np.int32)
    edge = np.repeat(np.arange(lengths.size), lengths)
    return np.concatenate(([0], np.cumsum(lengths))), row[np.lexsort((row, edge))]
