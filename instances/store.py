"""Generated instances on disk, memory-mapped: one folder each, named by the digest of its spec.

An entry is written under a temporary name and renamed when it is whole. It is trusted only if its content hash is
right; a damaged or incomplete one is made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np

from instances.content import arrays_of, check_content, content_hash, polytope_from, polytope_header
from instances.generate import generate
from instances.matching import MatchingLP
from instances.spec import ReadableSpec, Spec, digest

_HEADER = "instance.json"
_ABANDONED_S = 24 * 3600.0  # a temporary folder of this age belongs to a process that was killed


def default_cache() -> Path:
    """$DUALBENCH_CACHE, or ~/.cache/dualbench."""
    return Path(os.environ.get("DUALBENCH_CACHE") or Path.home() / ".cache" / "dualbench")


def load_or_generate(spec: Spec, cache: Path | None = None, *, threads: int | None = None) -> MatchingLP:
    """The instance of `spec` from the cache, or made and stored there.

    Data that is read anyway is not stored a second time; nor is an instance that does not fit the disk, or where the
    cache cannot be written.
    """
    if isinstance(spec, ReadableSpec):
        return spec.read()
    entry = (cache or default_cache()) / digest(spec)
    stored = load(entry)
    if stored is not None:
        return stored
    lp = generate(spec, threads=threads)
    with contextlib.suppress(OSError):
        store(lp, entry, spec)
    return lp


def load(entry: Path) -> MatchingLP | None:
    """The instance stored in the folder `entry`, memory-mapped copy-on-write; None where it is absent or damaged."""
    try:
        header = json.loads((entry / _HEADER).read_text())
        arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="c", allow_pickle=False) for name in header["arrays"]}
        lp = MatchingLP(
            **{name: arrays[name] for name in ("offsets", "destination", "a", "c", "b")},
            polytope=polytope_from(header["polytope"], arrays),
        )
        check_content(lp, header["content"], entry)
    except (OSError, EOFError, KeyError, TypeError, ValueError):  # whatever damage does to JSON, .npy and the arrays
        return None
    return lp


def store(lp: MatchingLP, entry: Path, spec: Spec) -> None:
    """Write `lp` as the folder `entry`, in place of a damaged one."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(entry)
    if shutil.disk_usage(entry.parent).free < 1.1 * lp.nbytes:
        return
    partial = entry.with_suffix(f".{os.getpid()}.partial")
    partial.mkdir(exist_ok=True)
    try:
        for name, array in arrays_of(lp).items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        header = {
            "spec": spec.text,
            "arrays": list(arrays_of(lp)),
            "polytope": polytope_header(lp.polytope),
            "content": content_hash(lp),
        }
        (partial / _HEADER).write_text(json.dumps(header, indent=1))
        shutil.rmtree(entry, ignore_errors=True)
        partial.rename(entry)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _remove_abandoned(entry: Path) -> None:
    for partial in entry.parent.glob("*.partial"):
        with contextlib.suppress(OSError):  # another process may remove it at the same time
            if time.time() - partial.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(partial)
