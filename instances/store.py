"""Generated instances on disk, memory-mapped: one folder each, named by the digest of its spec.

A family that is made in blocks is written block by block, so that an instance larger than the memory can be made,
solved and judged. An entry is written under a temporary name and renamed when it is whole. It is trusted only if its
content hash is right; a damaged or incomplete one is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.arguments import require_spec
from instances.content import (
    arrays_of,
    check_content,
    content_hash,
    hash_of_hashes,
    lp_from,
    named_forms,
    polytope_header,
    rows_header,
)
from instances.errors import InputError
from instances.families.base import is_offsets
from instances.generate import (
    Stitches,
    array_types,
    block_count,
    generate,
    no_load,
    rows_of,
    stream_blocks,
)
from instances.greedy import add_load
from instances.mapped import default_cache, require_disk
from instances.matching import MatchingLP
from instances.memory import memory_bytes
from instances.polytopes import Polytope
from instances.row_arrays import forms, key_arrays, limit_arrays
from instances.spec import MatchingSpec, Spec, digest, in_blocks
from instances.whole_folder import remove_abandoned, written_folder

_HEADER = "instance.json"
#: Factor on the disk space of the nominal number of edges, because the real number is random.
_SLACK = 1.1


def stored(spec: Spec, cache: Path | None = None, *, threads: int | None = None) -> MatchingLP:
    """The instance of `spec` in the cache, memory-mapped and read-only; made where it is absent or damaged.

    Raises InputError where the disk has no room for it, or the cache cannot be written.
    """
    require_spec(spec, "stored")
    entry = (cache or default_cache()) / digest(spec)
    kept = load(entry)
    if kept is not None:
        return kept
    require_disk(_SLACK * memory_bytes(spec), entry.parent, spec.text)
    remove_abandoned(entry.parent)
    try:
        if in_blocks(spec):
            _write_blocks(spec, entry, threads)
        else:
            store(generate(spec, threads=threads), entry, spec)
    except OSError as error:
        raise InputError(f"{entry} cannot be written ({error}): set DUALBENCH_CACHE to another folder") from error
    lp = load(entry)
    if lp is None:
        raise InputError(f"{entry} was damaged while it was written: set DUALBENCH_CACHE to a folder on another disk")
    return lp


def load(entry: Path) -> MatchingLP | None:
    """The instance stored in the folder `entry`, memory-mapped, read-only; None where it is absent or damaged."""
    try:
        header = json.loads((entry / _HEADER).read_text())
        arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in header["arrays"]}
        lp = lp_from(header, arrays)
        check_content(lp, header["content"], entry)
    except (OSError, EOFError, KeyError, TypeError, ValueError):  # whatever damage does to JSON, .npy and the arrays
        return None
    return lp


def store(lp: MatchingLP, entry: Path, spec: Spec) -> None:
    """Write `lp` as the folder `entry`, in place of a damaged one."""
    with written_folder(entry, replace=True) as partial:
        arrays = arrays_of(lp) | key_arrays(lp.rows)
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        _write_header(partial, spec, list(arrays), lp.polytope, content_hash(lp), rows_header(lp))


def _write_blocks(spec: MatchingSpec, entry: Path, threads: int | None) -> None:
    """The same as `store`, one block after another; the limits come last, because all blocks decide them."""
    load, stitches = no_load(spec), Stitches()
    with written_folder(entry, replace=True) as partial, contextlib.ExitStack() as opened:
        files = {
            name: opened.enter_context(_ArrayFile(partial, name, dtype)) for name, dtype in array_types(spec).items()
        }
        for name in filter(is_offsets, files):
            files[name].append(np.zeros(1, dtype=np.int64))
        for block in stream_blocks(spec, range(block_count(spec)), threads=threads):
            for name, values in stitches.next(block).items():
                files[name].append(values)
            add_load(load, block.load)

        families = rows_of(spec, load)
        short = "destination" in files
        for name, side in ({"b": families[0].upper} if short else limit_arrays(families)).items():
            files[name] = opened.enter_context(_ArrayFile(partial, name, "f8"))
            files[name].append(side)
        hashed = [file.finish() for file in files.values()]
        content = hash_of_hashes(hashed, polytope_header(spec.polytope), None if short else forms(families))
        _write_header(partial, spec, list(files), spec.polytope, content, None if short else named_forms(families))


class _ArrayFile:
    """An .npy file that grows; its header has room for any length."""

    def __init__(self, folder: Path, name: str, dtype: str) -> None:
        self._name, self._dtype, self.entries = name, np.dtype(dtype), 0
        self._file = (folder / f"{name}.npy").open("wb")
        self._hash = hashlib.sha256()
        self._write_length()

    def append(self, values: npt.NDArray[Any]) -> None:
        data = np.ascontiguousarray(values, dtype=self._dtype).data
        self._hash.update(data)
        self._file.write(data)
        self.entries += values.size

    def finish(self) -> tuple[str, str, str]:
        """Name, dtype and hash of what is in the file now."""
        self._file.seek(0)
        self._write_length()
        return self._name, self._dtype.str, self._hash.hexdigest()

    def __enter__(self) -> _ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write_length(self) -> None:
        shape = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.entries,)}
        np.lib.format.write_array_header_1_0(self._file, shape)


def _write_header(
    partial: Path,
    spec: Spec,
    arrays: list[str],
    polytope: Polytope,
    content: str,
    rows: list[dict[str, Any]] | None = None,
) -> None:
    header: dict[str, Any] = {
        "spec": spec.text,
        "arrays": arrays,
        "polytope": polytope_header(polytope),
        "content": content,
    }
    if rows is not None:
        header["rows"] = rows
    (partial / _HEADER).write_text(json.dumps(header, indent=1))
