"""Runs of others, checked and put beside each other: `dualbench collect PACK... --out DIR`.

A pack is foreign: nothing in it is believed. It may hold plain files alone, under the names of harness/trust/pack.py,
each with the size and the hash that its manifest gives; its instances must be generated or lie in this package, since a
path would name a file of this machine. `verify` then derives its rows again. What fails is refused whole, with the
reason, and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import records
from harness.trust.pack import FORMAT, MANIFEST, MEMBER
from harness.trust.verify import Outcome, verify
from instances import InputError

#: Bytes of all members of a pack together, and of its manifest.
_MOST_BYTES = 4 << 30
_MOST_MANIFEST = 64 << 20
_PIECE = 1 << 20
_REFUSED = (Outcome.DIFFERS, Outcome.MISSING)


class RefusedError(InputError):
    """A pack that is not taken."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A pack that agrees with itself."""

    folder: Path
    """Where its records lie now."""

    derived: int
    """Rows whose bound was derived again."""

    rows: int
    """Rows that it has."""

    known: bool = False
    """Whether the folder had it already."""


def collect(pack: Path, out: Path, *, threads: int = 1) -> Taken:
    """Check `pack` and keep it as a folder of records in `out`, named by its suite and content.

    Raises RefusedError, with the reason.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=out) as temporary:
        folder = Path(temporary) / "run"
        folder.mkdir()
        digest = _unpack(pack, folder)
        found = records.read(folder)
        suite = re.sub(r"[^a-z0-9]+", "-", str(found.runs[0]["suite"]).lower())[:40] if found.runs else "unnamed"
        place = out / f"{suite.strip('-') or 'unnamed'}-{digest[:12]}"
        if place.exists():
            return Taken(folder=place, derived=0, rows=len(found.judged), known=True)
        derived = _checked(folder, found, threads)
        shutil.move(folder, place)
    return Taken(folder=place, derived=derived, rows=len(found.judged))


def _checked(folder: Path, found: records.RecordsFile, threads: int) -> int:
    """How many rows were derived again; RefusedError where one differs, or where none could be."""
    if found.warnings:
        raise RefusedError(f"its records have lines that are no rows: {found.warnings[0]}")
    for row in found.judged:
        if "path=" in row["spec"]:
            raise RefusedError(f"{row['spec']} names a file of its sender: only what dualbench makes can be collected")

    derived = 0
    for verified in verify(folder, threads=threads):
        if verified.outcome in _REFUSED:
            raise RefusedError(f"{verified.case} {verified.outcome}: {verified.detail}")
        derived += verified.outcome is Outcome.AGREES
    if not derived:
        raise RefusedError("no row has a bound that could be derived again")
    return derived


def _unpack(pack: Path, folder: Path) -> str:
    """Write the members of `pack` into `folder`; the hash of its manifest."""
    try:
        with tarfile.open(pack, mode="r|gz") as tar:
            return _members(tar, folder)
    except RefusedError:  # a ValueError too, with a reason of its own
        raise
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise RefusedError(f"no file at {pack}") from error
        raise RefusedError(f"it is no whole pack ({error or type(error).__name__})") from error


def _members(tar: tarfile.TarFile, folder: Path) -> str:
    """One after the other, as they lie in the file: the manifest first."""
    manifest: dict[str, Any] | None = None
    digest = ""
    for member in tar:
        if not member.isreg():
            raise RefusedError(f"{member.name!r} is a link, a folder or a device: a pack holds plain files alone")
        content = tar.extractfile(member)
        assert content is not None
        if manifest is None:
            text = content.read(_MOST_MANIFEST)
            manifest = _manifest(member.name, text)
            digest = hashlib.sha256(text).hexdigest()
            continue
        expected = manifest.pop(member.name, None)
        if expected is None:
            raise RefusedError(f"{member.name!r} is not in its manifest, or comes twice")
        _write(content, folder / member.name, expected, member.name)
    if manifest is None:
        raise RefusedError("it is empty")
    if manifest:
        raise RefusedError(f"{next(iter(manifest))!r} is in its manifest and not in the pack")
    return digest


def _manifest(name: str, text: bytes) -> dict[str, Any]:
    """Size and hash of each member; names that leave the folder, and sizes beyond the limit, are refused here."""
    said = json.loads(text)
    if name != MANIFEST or not isinstance(said, dict) or not isinstance(said.get("files"), dict):
        raise RefusedError(f"it does not begin with {MANIFEST}: it is not what `dualbench submit` writes")
    if said.get("format") != FORMAT:
        raise RefusedError(f"its format is {said.get('format')!r}, this version reads {FORMAT}")
    files: dict[str, Any] = said["files"]
    for file, facts in files.items():
        if not MEMBER.fullmatch(file):
            raise RefusedError(f"{file!r} is no file of a run")
        if not isinstance(facts, dict) or type(facts.get("bytes")) is not int or facts["bytes"] < 0:
            raise RefusedError(f"its manifest gives no size of {file!r}")
    if records.RECORDS_FILE not in files:
        raise RefusedError("it holds no records")
    if sum(facts["bytes"] for facts in files.values()) > _MOST_BYTES:
        raise RefusedError(f"it holds more than {_MOST_BYTES >> 30} GiB")
    return files


def _write(content: Any, path: Path, expected: Mapping[str, Any], name: str) -> None:
    """Write no more than was announced, and compare the hash."""
    path.parent.mkdir(exist_ok=True)
    hashed = hashlib.sha256()
    size = 0
    with path.open("xb") as file:
        while piece := content.read(_PIECE):
            size += len(piece)
            if size > expected["bytes"]:
                break
            hashed.update(piece)
            file.write(piece)
    if size != expected["bytes"] or hashed.hexdigest() != expected.get("sha256"):
        raise RefusedError(f"{name!r} is not what its manifest says: size or hash differ")
