"""An instance as Parquet, for other tools: Spark writes and reads it.

A folder holds
    edges.parquet      source int64, destination int32, a, c (float or double): in order of sources; a row group holds
                       whole sources, so that a process can read its own sources alone
    budgets.parquet    destination int32, b double
    polytopes.parquet  source int64, kind int32 (polytope.Kind), radius double: only where the sources differ
    spec.json          the text of the spec, the sizes, the polytope where it is the same for all, and the content hash
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances.content import check_content, content_hash, polytope_from, polytope_header
from instances.errors import InputError, InstanceError, SpecError
from instances.matching import MatchingLP

EDGES_FILE, BUDGETS_FILE, POLYTOPES_FILE, _SPEC = "edges.parquet", "budgets.parquet", "polytopes.parquet", "spec.json"
_FORMAT = "dualbench matching LP 1"
_HEADER_KEYS = {"spec", "sources", "destinations", "edges", "bytes", "polytope", "content"}
_ROW_GROUP = 1 << 20  # edges, but whole sources


def write_parquet(lp: MatchingLP, folder: Path, spec_text: str) -> None:
    """Write `lp` as `folder`, whole or not at all; a folder that already holds this instance is left as it is."""
    content = content_hash(lp)
    if _is_written(folder, content):
        return
    header = {
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
        _write_tables(lp, partial)
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
        arrays = _read_tables(folder, header)
        lp = MatchingLP(
            **{name: arrays[name] for name in ("offsets", "destination", "a", "c", "b")},
            polytope=polytope_from(header["polytope"], arrays),
        )
    except (OSError, KeyError, ValueError, pa.ArrowException) as damage:
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


def _write_tables(lp: MatchingLP, folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names = ("source", "destination", "a", "c")
    types = (pa.int64(), pa.int32(), pa.from_numpy_dtype(lp.a.dtype), pa.from_numpy_dtype(lp.c.dtype))
    schema = pa.schema(list(zip(names, types, strict=True)))
    # checksums of the pages, for readers of a part: the content hash is of the whole
    options: Any = {"use_dictionary": ["source", "destination"], "write_page_checksum": True}
    with parquet.ParquetWriter(folder / EDGES_FILE, schema, **options) as writer:
        for first, last in _row_groups(lp.offsets):
            edges = slice(lp.offsets[first], lp.offsets[last])
            source = np.repeat(np.arange(first, last), np.diff(lp.offsets[first : last + 1]))
            columns = (source, lp.destination[edges], lp.a[edges], lp.c[edges])
            writer.write_table(pa.table(list(columns), schema=schema), row_group_size=max(1, source.size))
    rows = np.arange(lp.destinations, dtype=np.int32)
    parquet.write_table(pa.table({"destination": rows, "b": lp.b}), folder / BUDGETS_FILE)
    if polytope_header(lp.polytope) is None:
        kind, radius = lp.per_source.kind.astype(np.int32), np.ascontiguousarray(lp.per_source.radius)
        table = pa.table({"source": np.arange(lp.sources), "kind": kind, "radius": radius})
        parquet.write_table(table, folder / POLYTOPES_FILE)


def _row_groups(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of whole sources with at most _ROW_GROUP edges, or a single source that has more."""
    first, sources = 0, offsets.size - 1
    while first < sources:
        last = int(np.searchsorted(offsets, offsets[first] + _ROW_GROUP, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def _read_tables(folder: Path, header: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Group by group into arrays of the final size."""
    from pyarrow import parquet

    arrays: dict[str, npt.NDArray[Any]] = {"b": parquet.read_table(folder / BUDGETS_FILE)["b"].to_numpy()}
    if header["polytope"] is None:
        polytopes = parquet.read_table(folder / POLYTOPES_FILE)
        arrays |= {name: polytopes[name].to_numpy() for name in ("kind", "radius")}
    with parquet.ParquetFile(folder / EDGES_FILE) as file:
        types = {name: file.schema_arrow.field(name).type.to_pandas_dtype() for name in ("destination", "a", "c")}
        arrays |= {name: np.empty(file.metadata.num_rows, dtype=dtype) for name, dtype in types.items()}
        degree = np.zeros(header["sources"], dtype=np.int64)
        end = 0
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            start, end = end, end + table.num_rows
            for name in types:
                arrays[name][start:end] = table[name].to_numpy()
            _count_edges(degree, table["source"].to_numpy())
    return arrays | {"offsets": np.concatenate(([0], np.cumsum(degree)))}


def _count_edges(degree: npt.NDArray[np.int64], source: npt.NDArray[np.int64]) -> None:
    """degree += edges of each source; the cost depends on the group, not on the number of sources."""
    if source.size:
        first = int(source.min())
        counts = np.bincount(source - first)
        degree[first : first + counts.size] += counts


READER = ParquetSpec
