"""An instance as Parquet, for other tools: Spark writes and reads it.

A folder holds
    edges.parquet      source int64, destination int32, a, c (float or double): in order of sources; a row group holds
                       whole sources, so that a process can read its own sources alone. One file, or a folder of files
                       whose names are in order of sources
    budgets.parquet    destination int32, b double, and key where the user has named the rows
    polytopes.parquet  source int64, kind int32 (instances.Kind), and as double radius and where a kind has a second
                       parameter upper (polytopes.PARAMETER_NAMES): only where the sources differ
    spec.json          the format, the text of the spec, the sizes, the polytope where it is the same for all, the
                       content hash, and a hash of the budgets and of the sources of each row group, so that a rank can
                       check its own part
Rows of budgets and polytopes may come in any order: they are placed by destination and by source.

That is format 1, the short form. In format 2 the rows come in families k = 0, 1, ..., whose names and forms spec.json
says under "rows":
    edges.parquet      source, c, and of each family row_k int32 (none where all edges lie in its one row) and
                       coefficient_k (none where spec.json has one number); lists of them where a family is ragged
    rows_k.parquet     row int32, as double lower, upper, penalty_below, penalty_above where they say something, and key
Format 3 is either of the two where u differs from edge to edge: edges.parquet has the column edge_upper, double, inf
for an edge without a limit of its own, and spec.json says "edge_upper": true.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from instances.content import (
    EDGE_UPPER,
    check_content,
    content_hash,
    limits_hash,
    lp_from,
    piece_hash,
    polytope_header,
    rows_header,
)
from instances.errors import InputError, InstanceError, SpecError
from instances.mapped import unnamed_array
from instances.matching import MatchingLP
from instances.parquet_edges import Empty, read_edges
from instances.parquet_tables import read_limits, read_polytopes, write_tables
from instances.whole_folder import written_folder

SPEC_FILE = "spec.json"
#: The format is these words and a number. Versions that do not know a form refuse its number.
_FORMAT = "dualbench matching LP"
_SHORT_FORM = 1
_FAMILIES = 2
_UPPER_OF_EDGES = 3
_HEADER_KEYS = {"spec", "sources", "destinations", "edges", "bytes", "polytope", "content"}


def write_parquet(lp: MatchingLP, folder: Path, spec_text: str) -> None:
    """Write `lp` as `folder`, whole or not at all; a folder that already holds this instance is left as it is."""
    _require_text(folder)
    content = content_hash(lp)
    if _is_written(folder, lp, content):
        return
    header = header_of(lp, spec_text, content)
    try:
        with written_folder(folder) as unfinished:
            cuts = write_tables(lp, unfinished, header)
            header["pieces"] = [piece_hash(lp, first, last) for first, last in itertools.pairwise(cuts)]
            header["budgets"] = limits_hash(lp)
            (unfinished / SPEC_FILE).write_text(json.dumps(header, indent=1) + "\n")
    except OSError as fault:
        raise InputError(f"{folder.absolute()} cannot be written ({fault}): give another place") from fault


def read_parquet(folder: Path, empty: Empty = np.empty) -> MatchingLP:
    """The instance in `folder`, exactly as it was written; InputError where there is none or where it is damaged.

    empty: makes the arrays of the edges of length and dtype.
    """
    import pyarrow as pa

    header = read_header(folder)
    try:
        arrays = read_edges(folder, header, empty) | read_limits(folder, header)
        if header["polytope"] is None:
            arrays |= read_polytopes(folder, 0, header["sources"])
        lp = lp_from(header, arrays)
    except SpecError:
        raise
    except (OSError, KeyError, TypeError, ValueError, IndexError, pa.ArrowException) as damage:
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

    def read_mapped(self, scratch: Path) -> MatchingLP:
        """As `read`, with the edges in files without names in the folder `scratch`, which end with the instance."""
        return read_parquet(Path(self.path), partial(unnamed_array, folder=scratch, what=self.text))

    @cached_property
    def _header(self) -> dict[str, Any]:
        return read_header(Path(self.path))


def header_of(lp: MatchingLP, spec_text: str, content: str) -> dict[str, Any]:
    """spec.json without the hashes of the parts."""
    form = _SHORT_FORM if lp.is_short_form else _FAMILIES
    header = {
        "format": f"{_FORMAT} {form if lp.edge_upper is None else _UPPER_OF_EDGES}",
        "spec": spec_text,
        "sources": lp.sources,
        "destinations": lp.destinations,
        "edges": lp.edges,
        "bytes": lp.nbytes,
        "polytope": polytope_header(lp.polytope),
        "content": content,
    }
    if lp.edge_upper is not None:
        header[EDGE_UPPER] = True
    rows = rows_header(lp)
    return header if rows is None else header | {"rows": rows}


def _is_written(folder: Path, lp: MatchingLP, content: str) -> bool:
    """Whether `folder` holds `lp` already, with the same names of rows; InputError where it holds anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    header = _header_or_none(folder)
    if header is None or header["content"] != content or header.get("rows") != rows_header(lp):
        raise InputError(f"{folder} holds something else: give a new or empty folder")
    return True


def read_header(folder: Path) -> dict[str, Any]:
    """spec.json; SpecError where the folder holds no instance, or one of a later format."""
    header = _header_or_none(folder)
    if header is None:
        raise SpecError(
            f"{folder} holds no instance: give a folder that `dualbench generate` wrote, with its {SPEC_FILE}"
        )
    return header


def _header_or_none(folder: Path) -> dict[str, Any] | None:
    try:
        header = json.loads((folder / SPEC_FILE).read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(header, dict) or not header.keys() >= _HEADER_KEYS:
        return None
    name, _, number = str(header.get("format")).rpartition(" ")
    if name != _FORMAT or not number.isdecimal():
        return None
    if int(number) > _UPPER_OF_EDGES:
        raise SpecError(
            f"{folder} is of format {number}, this version of dualbench reads up to {_UPPER_OF_EDGES}: "
            "use a newer version"
        )
    return header


def _require_text(folder: Path) -> None:
    """pyarrow opens paths that are text only, and Linux allows others."""
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{str(folder)!a} is no UTF-8, which Parquet files need: give another place") from error


READER = ParquetSpec
