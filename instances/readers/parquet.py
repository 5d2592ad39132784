"""An instance as Parquet, for other tools: Spark writes and reads it.

A folder holds
    edges.parquet      source int64, destination int32, a, c (float or double): in order of sources; a row group holds
                       whole sources, so that a process can read its own sources alone
    budgets.parquet    destination int32, b double
    polytopes.parquet  source int64, kind int32 (instances.Kind), and as double radius and where a kind has a second
                       parameter upper (polytopes.PARAMETER_NAMES): only where the sources differ
    spec.json          the text of the spec, the sizes, the polytope where it is the same for all, and the content hash;
                       a hash of the budgets and of the sources of each row group, so that a rank can check its own part
Rows of budgets and polytopes may come in any order: they are placed by destination and by source.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances.content import (
    bytes_hash,
    check_content,
    content_hash,
    piece_hash,
    polytope_arrays,
    polytope_from,
    polytope_header,
)
from instances.errors import InputError, InstanceError, SpecError
from instances.matching import MatchingLP
from instances.polytopes import PARAMETER_NAMES

EDGES_FILE, BUDGETS_FILE, POLYTOPES_FILE, _SPEC = "edges.parquet", "budgets.parquet", "polytopes.parquet", "spec.json"
_FORMAT = "dualbench matching LP 1"
_HEADER_KEYS = {"spec", "sources", "destinations", "edges", "bytes", "polytope", "content"}
_ROW_GROUP, _LEAST_GROUP = 1 << 20, 1 << 12  # edges, but whole sources
_GROUPS = 64


def write_parquet(lp: MatchingLP, folder: Path, spec_text: str) -> None:
    """Write `lp` as `folder`, whole or not at all; a folder that already holds this instance is left as it is."""
    _require_text(folder)
    content = content_hash(lp)
    if _is_written(folder, content):
        return
    header: dict[str, Any] = {
        "format": _FORMAT,
        "spec": spec_text,
        "sources": lp.sources,
        "destinations": lp.destinations,
        "edges": lp.edges,
        "bytes": lp.nbytes,
        "polytope": polytope_header(lp.polytope),
        "content": content,
    }
    folder = folder.absolute()
    partial = folder.parent / f".{folder.name}.{os.getpid()}.partial"
    try:
        partial.mkdir(parents=True)
        cuts = _write_tables(lp, partial)
        header["pieces"] = [piece_hash(lp, first, last) for first, last in itertools.pairwise(cuts)]
        header["budgets"] = bytes_hash(lp.b)
        (partial / _SPEC).write_text(json.dumps(header, indent=1) + "\n")
        partial.rename(folder)
    except OSError as fault:
        raise InputError(f"{folder} cannot be written ({fault}): give another place") from fault
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_parquet(folder: Path) -> MatchingLP:
    """The instance in `folder`, exactly as it was written; InputError where there is none or where it is damaged."""
    import pyarrow as pa

    header = read_header(folder)
    try:
        arrays: dict[str, Any] = _read_tables(folder, header)
        lp = MatchingLP(
            **{name: arrays[name] for name in ("offsets", "destination", "a", "c", "b")},
            polytope=polytope_from(header["polytope"], arrays),
        )
    except SpecError:
        raise
    except (OSError, KeyError, ValueError, IndexError, pa.ArrowException) as damage:
        raise InstanceError(f"{folder} is damaged ({damage}): write it again") from damage
    check_content(lp, header["content"], folder)
    return lp


@dataclass(frozen=True, kw_only=True)
class ParquetSpec:
    """An instance that `write_parquet` wrote; it is named by its content, not by its place."""

    scheme: ClassVar[str] = "parquet"
    family: ClassVar[str] = "parquet"

    path: str

    def __post_init__(self) -> None:
        _ = self._header  # a folder without an instance is refused at once

    @property
    def text(self) -> str:
        return f"parquet:path={self.path}"

    @property
    def identity(self) -> str:
        return f"parquet:{self._header['content']}"

    @property
    def sources(self) -> int:
        return int(self._header["sources"])

    @property
    def destinations(self) -> int:
        return int(self._header["destinations"])

    @property
    def expected_edges(self) -> int:
        return int(self._header["edges"])

    @property
    def nbytes(self) -> int:
        return int(self._header["bytes"])

    @classmethod
    def parse(cls, text: str) -> ParquetSpec:
        """From "parquet:path=DIR"; everything after the first "=" is the path."""
        _, _, rest = text.strip().partition(":")
        key, _, path = rest.partition("=")
        if key.strip() != "path" or not path.strip():
            raise SpecError(f"spec {text!r}: write parquet:path=DIR with a folder that `dualbench generate` wrote")
        return cls(path=path.strip())

    def read(self) -> MatchingLP:
        return read_parquet(Path(self.path))

    @cached_property
    def _header(self) -> dict[str, Any]:
        return read_header(Path(self.path))


def _is_written(folder: Path, content: str) -> bool:
    """Whether `folder` holds the instance of this content already; InputError where it holds anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    header = _header_or_none(folder)
    if header is None or header["content"] != content:
        raise InputError(f"{folder} holds something else: give a new or empty folder")
    return True


def read_header(folder: Path) -> dict[str, Any]:
    header = _header_or_none(folder)
    if header is None:
        raise SpecError(f"{folder} holds no instance: give a folder that `dualbench generate` wrote, with its {_SPEC}")
    return header


def _header_or_none(folder: Path) -> dict[str, Any] | None:
    try:
        header = json.loads((folder / _SPEC).read_text())
    except (OSError, ValueError):
        return None
    known = isinstance(header, dict) and header.get("format") == _FORMAT and header.keys() >= _HEADER_KEYS
    return header if known else None


def _require_text(folder: Path) -> None:
    """pyarrow opens paths that are text only, and Linux allows others."""
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{str(folder)!a} is no UTF-8, which Parquet files need: give another place") from error


def _write_tables(lp: MatchingLP, folder: Path) -> list[int]:
    """Returns the first source of each row group, as a reader of the table sees it, and the number of sources."""
    import pyarrow as pa
    from pyarrow import parquet

    names = ("source", "destination", "a", "c")
    types = (pa.int64(), pa.int32(), pa.from_numpy_dtype(lp.a.dtype), pa.from_numpy_dtype(lp.c.dtype))
    schema = pa.schema(list(zip(names, types, strict=True)))
    # checksums of the pages, for readers of a part: the content hash is of the whole
    options: Any = {"use_dictionary": ["source", "destination"], "write_page_checksum": True}
    cuts: list[int] = []
    with parquet.ParquetWriter(folder / EDGES_FILE, schema, **options) as writer:
        for first, last in _row_groups(lp.offsets):
            edges = slice(lp.offsets[first], lp.offsets[last])
            source = np.repeat(np.arange(first, last), np.diff(lp.offsets[first : last + 1]))
            cuts.append(int(source[0]) if cuts and source.size else first)
            columns = (source, lp.destination[edges], lp.a[edges], lp.c[edges])
            writer.write_table(pa.table(list(columns), schema=schema), row_group_size=max(1, source.size))
    rows = np.arange(lp.destinations, dtype=np.int32)
    parquet.write_table(pa.table({"destination": rows, "b": lp.b}), folder / BUDGETS_FILE)
    if polytope_header(lp.polytope) is None:
        polytopes = {name: np.ascontiguousarray(array) for name, array in polytope_arrays(lp.per_source).items()}
        polytopes["kind"] = polytopes["kind"].astype(np.int32)
        table = pa.table({"source": np.arange(lp.sources), **polytopes})
        parquet.write_table(table, folder / POLYTOPES_FILE)
    return [*cuts, lp.sources]


def _row_groups(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of whole sources with at most _ROW_GROUP edges, or a single source that has more; at least about _GROUPS
    of them where they do not become tiny, so that as many ranks can share the instance.
    """
    first, sources = 0, offsets.size - 1
    most = min(_ROW_GROUP, max(_LEAST_GROUP, int(offsets[-1]) // _GROUPS))
    while first < sources:
        last = int(np.searchsorted(offsets, offsets[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def _read_tables(folder: Path, header: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Group by group into arrays of the final size."""
    from pyarrow import parquet

    arrays: dict[str, npt.NDArray[Any]] = {"b": read_budgets(folder, header)}
    if header["polytope"] is None:
        arrays |= read_polytopes(folder, 0, header["sources"])
    with parquet.ParquetFile(folder / EDGES_FILE) as file:
        types = edge_types(file.schema_arrow, folder)
        arrays |= {name: np.empty(file.metadata.num_rows, dtype=dtype) for name, dtype in types.items()}
        degree = np.zeros(header["sources"], dtype=np.int64)
        end, last_source = 0, 0
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            start, end = end, end + table.num_rows
            for name in types:
                arrays[name][start:end] = table[name].to_numpy()
            last_source = count_edges(degree, table["source"].to_numpy(), last_source)
    return arrays | {"offsets": np.concatenate(([0], np.cumsum(degree)))}


def edge_types(schema: Any, folder: Path) -> dict[str, Any]:
    """NumPy's types of destination, a and c; SpecError for a column that holds no numbers of its kind."""
    from pyarrow import types

    for name, fits, words in (
        ("source", types.is_integer, "whole numbers from 0"),
        ("destination", types.is_integer, "whole numbers from 0"),
        ("a", types.is_floating, "float or double"),
        ("c", types.is_floating, "float or double"),
    ):
        kind = schema.field(name).type
        if not fits(kind):
            raise SpecError(f"{folder}: column {name} of {EDGES_FILE} is {kind}, expected {words}: convert it first")
    return {name: schema.field(name).type.to_pandas_dtype() for name in ("destination", "a", "c")}


def read_budgets(folder: Path, header: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """b[J], each number in the place that its `destination` says."""
    from pyarrow import parquet

    table = parquet.read_table(folder / BUDGETS_FILE)
    return _placed(table["b"].to_numpy(), table["destination"].to_numpy(), 0, header["destinations"], BUDGETS_FILE)


def read_polytopes(folder: Path, first: int, last: int) -> dict[str, npt.NDArray[Any]]:
    """kind and parameters of sources first : last, each in the place that its `source` says."""
    from pyarrow import parquet

    table = parquet.read_table(folder / POLYTOPES_FILE, filters=[("source", ">=", first), ("source", "<", last)])
    source = table["source"].to_numpy()
    names = ("kind", *(name for name in PARAMETER_NAMES if name == "radius" or name in table.column_names))
    return {name: _placed(table[name].to_numpy(), source, first, last, POLYTOPES_FILE) for name in names}


def _placed(values: npt.NDArray[Any], key: npt.NDArray[Any], first: int, last: int, file: str) -> npt.NDArray[Any]:
    """values in the order of `key`, which must be first, ..., last - 1 in some order; ValueError where it is not."""
    order = np.argsort(key, kind="stable")
    if key.size != last - first or not np.array_equal(key[order], np.arange(first, last)):
        raise ValueError(f"{file} has {key.size} rows, expected one for each of {first} to {last - 1}")
    placed: npt.NDArray[Any] = values[order]
    return placed


def count_edges(degree: npt.NDArray[np.int64], source: npt.NDArray[np.int64], least: int) -> int:
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


READER = ParquetSpec
