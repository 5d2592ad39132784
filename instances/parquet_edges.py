"""The edges of an instance stored as Parquet, one row an edge; instances/readers/parquet.py describes the columns.

A row group holds whole sources, so that a process can read its own sources alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.content import EDGE_UPPER, edge_arrays_of, part_arrays
from instances.edge_files import EDGES_FILE, EdgeFiles
from instances.errors import SpecError
from instances.matching import MatchingLP
from instances.row_arrays import RAGGED, SHORT

Arrays = dict[str, npt.NDArray[Any]]
#: Makes an array of length and dtype: np.empty, or one in a file.
Empty = Callable[[int, Any], npt.NDArray[Any]]
#: Edges of a row group at most, but whole sources.
_ROW_GROUP = 1 << 20
#: Row groups to aim at, so that as many ranks can share a file, and the fewest edges of a row group.
_GROUPS = 64
_LEAST_GROUP = 1 << 12


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of edges.parquet. whole: whole numbers, else floating ones; a list holds the entries of an edge."""

    name: str
    whole: bool
    list_of: int | None = None
    """The family whose entries the list holds."""


def edge_columns(header: Mapping[str, Any]) -> list[Column]:
    """The columns of the edges beside `source`, in the order in which they are written."""
    families = header.get("rows")
    own = [Column(name=EDGE_UPPER, whole=False)] if header.get(EDGE_UPPER) else []
    if families is None or families[0]["form"] == SHORT:
        columns = [Column(name="destination", whole=True), Column(name="a", whole=False)]
        return [*columns, Column(name="c", whole=False), *own]

    columns = [Column(name="c", whole=False)]
    for k, family in enumerate(families):
        list_of = k if family["form"] == RAGGED else None
        if not family.get("one_row"):
            columns.append(Column(name=f"row_{k}", whole=True, list_of=list_of))
        if "coefficient" not in family:
            columns.append(Column(name=f"coefficient_{k}", whole=False, list_of=list_of))
    return columns + own


def write_edges(lp: MatchingLP, folder: Path, columns: Sequence[Column]) -> list[int]:
    """Returns the first source of each row group, as a reader of the table sees it."""
    stored = edge_arrays_of(lp)
    cuts: list[int] = []
    with EdgeWriter(folder / EDGES_FILE, columns, {name: array.dtype.str for name, array in stored.items()}) as writer:
        for first, last in _row_groups(lp.offsets):
            source = np.repeat(np.arange(first, last), np.diff(lp.offsets[first : last + 1]))
            cuts.append(int(source[0]) if cuts and source.size else first)
            writer.write(source, part_arrays(lp, first, last))
    return cuts


class EdgeWriter:
    """A file of edges that grows by row groups."""

    def __init__(self, path: Path, columns: Sequence[Column], dtypes: Mapping[str, str]) -> None:
        """dtypes: NumPy's of each column, of a list that of its entries."""
        import pyarrow as pa
        from pyarrow import parquet

        types = {column.name: pa.from_numpy_dtype(np.dtype(dtypes[column.name])) for column in columns}
        types |= {column.name: pa.list_(types[column.name]) for column in columns if column.list_of is not None}
        self._columns = columns
        self._schema = pa.schema([("source", pa.int64()), *types.items()])
        # checksums of the pages, for readers of a part: the content hash is of the whole
        keyed = ["source", *(column.name for column in columns if column.whole and column.list_of is None)]
        options: Any = {"use_dictionary": keyed, "write_page_checksum": True}
        self._writer = parquet.ParquetWriter(path, self._schema, **options)

    def write(self, source: npt.NDArray[np.int64], part: Mapping[str, npt.NDArray[Any]]) -> None:
        """One row group: whole sources, and `part_arrays` of them."""
        import pyarrow as pa

        values = [_column(column, part) for column in self._columns]
        self._writer.write_table(pa.table([source, *values], schema=self._schema), row_group_size=max(1, source.size))

    def __enter__(self) -> EdgeWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def _column(column: Column, part: Mapping[str, npt.NDArray[Any]]) -> Any:
    import pyarrow as pa

    values = part[column.name]
    if column.list_of is None:
        return values
    starts = part[f"entry_offsets_{column.list_of}"]
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pa.array(values))


def most_edges(edges: int) -> int:
    """Edges of a row group in an instance with `edges` edges; a single source may have more."""
    return min(_ROW_GROUP, max(_LEAST_GROUP, edges // _GROUPS))


def _row_groups(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of whole sources with at most `most_edges`, or a single source that has more."""
    first = 0
    sources = offsets.size - 1
    most = most_edges(int(offsets[-1]))
    while first < sources:
        last = int(np.searchsorted(offsets, offsets[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


@dataclass(frozen=True, kw_only=True)
class EdgeRange:
    """What to read of the edges: row groups first : last, which hold the sources start : end."""

    groups: range
    start: int
    end: int


def read_edges(folder: Path, header: Mapping[str, Any], empty: Empty = np.empty) -> Arrays:
    """offsets and the columns of all edges, in arrays that `empty` makes of length and dtype."""
    files = EdgeFiles(folder)
    part = EdgeRange(groups=range(len(files.groups)), start=0, end=header["sources"])
    return read_part(files, header, part, checked=False, empty=empty)  # checked by its content hash instead


def read_part(
    files: EdgeFiles, header: Mapping[str, Any], part: EdgeRange, *, checked: bool = True, empty: Empty = np.empty
) -> Arrays:
    """offsets and the columns of the edges of a part, group by group into arrays of the final size.

    checked: the pages of the files, because the content hash is that of the whole.
    """
    columns = edge_columns(header)
    types = edge_types(files, columns)
    total = sum(files.groups[group].num_rows for group in part.groups)
    arrays = {column.name: empty(total, types[column.name]) for column in columns if column.list_of is None}
    entries = [
        _Entries(column, empty(_most_entries(files, part.groups, column), types[column.name]), total)
        for column in columns
        if column.list_of is not None
    ]
    degree = np.zeros(part.end - part.start, dtype=np.int64)
    end = 0
    last_source = 0
    for table in files.read(part.groups, checked=checked):
        start, end = end, end + table.num_rows
        for name, array in arrays.items():
            array[start:end] = table[name].to_numpy()
        for column in entries:
            column.add(table)
        last_source = _count_edges(degree, table["source"].to_numpy() - part.start, last_source)
    for column in entries:
        arrays |= column.arrays()
    return {"offsets": np.concatenate(([0], np.cumsum(degree))), **arrays}


class _Entries:
    """One column of the entries of a ragged family, filled in place and cut off where it ends."""

    def __init__(self, column: Column, values: npt.NDArray[Any], edges: int) -> None:
        """values: storage for all entries."""
        self._column = column
        self._values = values
        self._starts = np.zeros(edges + 1, dtype=np.int64)
        self._edges = 0

    def add(self, table: Any) -> None:
        lists = table[self._column.name].combine_chunks()
        counts = np.diff(lists.offsets.to_numpy())
        edges = slice(self._edges + 1, self._edges + 1 + counts.size)
        first = int(self._starts[self._edges])
        self._starts[edges] = first + np.cumsum(counts)
        self._edges += counts.size
        self._values[first : self._starts[self._edges]] = lists.flatten().to_numpy(zero_copy_only=False)

    def arrays(self) -> Arrays:
        """The entries, and with the rows where those of each edge start; coefficients are as many."""
        entries = {self._column.name: self._values[: self._starts[self._edges]]}
        return entries | ({f"entry_offsets_{self._column.list_of}": self._starts} if self._column.whole else {})


def _most_entries(files: EdgeFiles, groups: range, column: Column) -> int:
    """No fewer entries than the lists of these row groups hold: an empty list counts as one."""
    chunks = [files.groups[group].column(at) for group in groups for at in range(files.groups[group].num_columns)]
    return sum(chunk.num_values for chunk in chunks if chunk.path_in_schema.partition(".")[0] == column.name)


def edge_types(files: EdgeFiles, columns: Sequence[Column]) -> dict[str, Any]:
    """NumPy's types of the columns; SpecError for one that holds no numbers of its kind."""
    from pyarrow import types

    dtypes = {}
    for column in (Column(name="source", whole=True), *columns):
        kind = files.schema.field(column.name).type
        if column.list_of is not None and (types.is_list(kind) or types.is_large_list(kind)):
            kind = kind.value_type
        if not (types.is_integer(kind) if column.whole else types.is_floating(kind)):
            words = "whole numbers from 0" if column.whole else "float or double"
            words = words if column.list_of is None else f"lists of {words}"
            raise SpecError(
                f"{files.folder}: column {column.name} of {EDGES_FILE} is {kind}, expected {words}: convert it first"
            )
        dtypes[column.name] = kind.to_pandas_dtype()
    return dtypes


def _count_edges(degree: npt.NDArray[np.int64], source: npt.NDArray[np.int64], least: int) -> int:
    """degree += edges of each source; the cost depends on the group, not on the number of sources. Returns the last
    source; ValueError where one comes before `least`, or before its predecessor.
    """
    if not source.size:
        return least
    first, last = int(source[0]), int(source[-1])
    if first < least or bool((np.diff(source) < 0).any()):
        raise ValueError(f"the edges of {EDGES_FILE} are not in the order of their sources")
    counts = np.bincount(source - first)
    degree[first : first + counts.size] += counts
    return last
