"""A run as one file that others can check: `dualbench submit DIR`.

A pack is a gzipped tar. Its first member, manifest.json, names every other one with its size and SHA-256:

    records.jsonl      all rows, the environments among them
    suite.toml         the suite, where the folder has it
    duals/*.npy        what `verify` derives the bounds from
    x/*.npy            the answers, where `run --keep-x` kept them

Nothing else is packed, and `dualbench collect` takes nothing else (harness/trust/collect.py).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from harness import records
from harness.disk import written
from harness.folder import SUITE_FILE
from harness.method import method_version
from instances import InputError

FORMAT = 1
MANIFEST = "manifest.json"
ENDING = ".dualbench.tar.gz"
#: The names that a member of a pack may have.
MEMBER = re.compile(r"records\.jsonl|suite\.toml|(duals|x)/[0-9a-f]{16}\.npy")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a pack holds."""

    suite: str
    """The name of the suite of its first run."""

    dualbench: str
    """The version that packed it."""

    method: str
    """harness.method.method_version of that version."""

    files: Mapping[str, Mapping[str, Any]]
    """Size in "bytes" and "sha256" of each member by name."""

    format: int = FORMAT
    """The version of this form."""


def write_pack(folder: Path, out: Path) -> Manifest:
    """Pack the run in `folder` into the file `out`, whole or not at all.

    Raises InputError for a folder without results, with lines that are no rows, or without a dual that a row names.
    """
    names = list(_members(folder))
    manifest = Manifest(
        suite=_suite(folder),
        dualbench=metadata.version("dualbench"),
        method=method_version(),
        files={name: _described(folder / name) for name in names},
    )
    content = json.dumps(vars(manifest), sort_keys=True, indent=1).encode()
    with written(out) as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
        _add(tar, MANIFEST, len(content), io.BytesIO(content))
        for name in names:
            with (folder / name).open("rb") as source:
                _add(tar, name, manifest.files[name]["bytes"], source)
    return manifest


def _members(folder: Path) -> Iterator[str]:
    """records.jsonl first, so that a reader knows soon what it has."""
    found = records.read(folder)
    if found.warnings:
        raise InputError(f"{folder} has lines that are no rows: {found.warnings[0]}")
    if not found.judged:
        raise InputError(f"{folder} holds no result: give a folder that `dualbench run --out` wrote")
    yield records.RECORDS_FILE
    if (folder / SUITE_FILE).is_file():
        yield SUITE_FILE
    for name in _arrays(found.judged):
        if not MEMBER.fullmatch(name) or not (folder / name).is_file():
            raise InputError(f"{folder}: a row names {name!r}, which is not there: keep duals beside the records")
        yield name


def _arrays(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The files that rows name, once each."""
    named = (row.get(field) for row in rows for field in ("dual_file", "x_file"))
    return sorted({str(name) for name in named if name is not None})


def _suite(folder: Path) -> str:
    runs = records.read(folder).runs
    return str(runs[0]["suite"]) if runs else "unnamed"


def _described(file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        return {"bytes": file.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def _add(tar: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    """Without owner and time: the same run gives the same tar."""
    member = tarfile.TarInfo(name)
    member.size = size
    tar.addfile(member, content)
