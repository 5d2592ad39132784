"""The content hash of a stored instance that nobody holds as a whole; instances/content.py defines the hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.content import hash_of_hashes, polytope_arrays
from instances.parquet_edges import Arrays, edge_columns
from instances.per_source import PerSource
from instances.polytopes import PARAMETER_NAMES
from instances.row_arrays import SHORT


def streamed_content(
    header: Mapping[str, Any], pieces: Iterable[tuple[Arrays, PerSource]], limits: Arrays
) -> tuple[str, int]:
    """The content hash of an instance, and the bytes of its offsets and edges.

    pieces: offsets and columns of the edges of whole sources, piece after piece, and the polytopes of these sources.
    """
    starts, names = _edge_arrays(header)
    edges = {name: _GrowingHash(name) for name in names}
    ends = dict.fromkeys(starts, 0)
    for name in starts:
        edges[name].add(np.zeros(1, dtype=np.int64))

    polytopes = {name: _GrowingHash(name) for name in ("kind", *PARAMETER_NAMES)}
    for arrays, per_source in pieces:
        for name, end in ends.items():
            arrays[name] = arrays[name][1:] + end
            ends[name] = int(arrays[name][-1])
        for name, digest in edges.items():
            digest.add(arrays[name].astype(np.int32) if _holds_rows(name) else arrays[name])
        if header["polytope"] is None:
            for name, values in polytope_arrays(per_source).items():
                polytopes[name].add(values)

    sides = {name: _GrowingHash(name) for name in limits if not name.startswith("keys_")}
    for name, digest in sides.items():
        digest.add(limits[name].astype(np.float64))
    hashed = [digest.facts for digest in (*edges.values(), *sides.values(), *polytopes.values()) if digest.begun]
    return hash_of_hashes(hashed, header["polytope"], _forms(header)), sum(digest.nbytes for digest in edges.values())


class _GrowingHash:
    """Name, dtype and SHA-256 of an array that comes in parts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._dtype = ""
        self._hash = hashlib.sha256()
        self.nbytes = 0

    def add(self, values: npt.NDArray[Any]) -> None:
        self._dtype = values.dtype.str
        self._hash.update(np.ascontiguousarray(values).data)
        self.nbytes += values.nbytes

    @property
    def begun(self) -> bool:
        return bool(self._dtype)

    @property
    def facts(self) -> tuple[str, str, str]:
        return self._name, self._dtype, self._hash.hexdigest()


def _edge_arrays(header: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The arrays of `offsets` and edges that hold starts, and all of them in the order of `arrays_of`."""
    starts = ["offsets"]
    names = ["offsets"]
    for column in edge_columns(header):
        if column.list_of is not None and column.whole:
            starts.append(f"entry_offsets_{column.list_of}")
            names.append(starts[-1])
        names.append(column.name)
    return starts, names


def _holds_rows(name: str) -> bool:
    """Whether an array of the edges holds numbers of rows, which an instance has as int32."""
    return name == "destination" or name.startswith("row_")


def _forms(header: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """`instances.row_arrays.forms` of the families of a header; None for the short form."""
    families = header.get("rows")
    if families is None or families[0]["form"] == SHORT:
        return None
    return [{name: value for name, value in one.items() if name not in ("name", "keys")} for one in families]
