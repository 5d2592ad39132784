"""The schema of records, and the append-only store.

A records file is JSON Lines: rows of kind "run" (which suite, which command), "environment" (once per environment),
"case" (one finished or failed case) and "scaling" (one case on some number of ranks, harness/scaling/series.py).
Plain types only; a number that is not finite is null. A row is on the disk when `append` returns, or not in the file
at all; a line that a killed process tore is reported and the rest is read. Any other file is written under another name
and renamed, so that a file under its own name is always whole.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.rows import fault as fault  # for the readers of records too
from harness.rows import parse
from instances.errors import InputError as InputError

SCHEMA = 1
RECORDS_FILE = "records.jsonl"
#: Stands behind a time that was disturbed, wherever it is shown.
DISTURBED = "~"
#: How the name of a file ends that is being written; a killed process may leave one.
PARTIAL = ".partial"
#: What the system says when a disk is full, a quota or a limit is reached, or the disk has failed.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class NotWrittenError(Exception):
    """The disk did not take what was to be kept; what had been recorded before is whole."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written ({error.strerror or error}); what was recorded before is kept: "
            f"make room, then repeat the command, `run` with --resume"
        )


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Wall time, monotonic: generate the instance, prepare (convert, upload), run, referee.

    warm_up: the solver's first tiny solve in its process (imports, compilation); None where it was warm already.
    isolation: starting a process for the case, handing over the instance and the outcome, and ending it.
    """

    warm_up: float | None = None
    isolation: float | None = None
    generate: float | None = None
    prepare: float | None = None
    run: float | None = None
    referee: float | None = None


@dataclass(frozen=True, kw_only=True)
class CaseRecord:
    """One case: instance x solver x tolerance x repeat.

    case: text that names the case within a suite. instance: its name in the suite; spec, spec_hash: what makes it.
    cells = sources * destinations. settings: tolerance, time_limit, iteration_limit, threads, device, dtype, seed,
    options. certificate: the referee's figures (harness/referee.py), None where there was nothing to judge.
    status: solvers.base.Status; raw_status the solver's words; reason one line for anything but solved.
    trace: lists seconds, iteration, gap (the solver's own view). dual_file: the dual beside the records, float64 .npy.
    peak_memory: bytes of host and device at the peak of the case. disturbance: what else the machine did during `run`
    (harness/disturbance.py); disturbed: what of it passed a threshold, in words. environment: id of an environment row.
    time: ISO 8601, UTC, when the case ended.
    """

    case: str
    suite: str
    instance: str
    spec: str
    spec_hash: str
    family: str
    sources: int
    destinations: int
    edges: int | None
    cells: int
    solver: str
    solver_version: str
    settings: Mapping[str, Any]
    repeat: int
    status: str
    raw_status: str = ""
    reason: str = ""
    seconds: Seconds = field(default_factory=Seconds)
    iterations: int | None = None
    peak_memory: Mapping[str, int | None] = field(default_factory=dict)
    certificate: Mapping[str, Any] | None = None
    trace: Mapping[str, Sequence[float]] | None = None
    dual_file: str | None = None
    disturbance: Mapping[str, float | None] = field(default_factory=dict)
    disturbed: str = ""
    environment: str = ""
    time: str = ""
    schema: int = SCHEMA
    kind: str = "case"


@dataclass(frozen=True, kw_only=True)
class RecordsFile:
    """What one records file holds; `warnings` are lines for the reader, such as a torn last line."""

    runs: list[dict[str, Any]]
    environments: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    warnings: list[str]
    scaling: list[dict[str, Any]] = field(default_factory=list)


def append(path: Path, row: CaseRecord | Mapping[str, Any]) -> None:
    """Append one row and return when it is on the disk; starts a new line where the last one was torn.

    Raises NotWrittenError where the disk does not take it; the file is then as it was.
    """
    line = json.dumps(as_row(row), allow_nan=False, separators=(",", ":")).encode() + b"\n"
    with _room_for(path), path.open("ab+", buffering=0) as file:
        size = file.tell()
        if size and _last_byte(file) != b"\n":
            line = b"\n" + line
        try:
            _write(file, line)
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise
        if not size:
            _sync_folder(path.parent)


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write `path` under another name and rename it; `durable`: return when it is on the disk."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        with _room_for(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb", buffering=0) as file:
                _write(file, content, durable=durable)
            partial.replace(path)
            if durable:
                _sync_folder(path.parent)
    except (OSError, NotWrittenError):
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def as_row(row: CaseRecord | Mapping[str, Any]) -> dict[str, Any]:
    """The row in plain types: no NumPy scalars, and null for a number that is not finite."""
    plain: dict[str, Any] = _plain(asdict(row) if isinstance(row, CaseRecord) else row)
    return plain


def read(path: Path) -> RecordsFile:
    """Every whole row of `path` (a file, or a folder that holds records.jsonl)."""
    path = path / RECORDS_FILE if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"no records at {path}: give a folder that `dualbench run --out` wrote")
    kinds: dict[str, list[dict[str, Any]]] = {"run": [], "environment": [], "case": [], "scaling": []}
    warnings = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            row, warning = _row(line, f"{path}: line {number}")
            if warning:
                warnings.append(warning)
            elif row.get("kind") in kinds:
                kinds[row["kind"]].append(row)
    return RecordsFile(
        runs=kinds["run"],
        environments=kinds["environment"],
        cases=_latest(kinds["case"]),
        warnings=warnings,
        scaling=kinds["scaling"],
    )


def _latest(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A case that was run again counts once: its last row, in the place of its first."""
    identity = ("suite", "case", "spec_hash", "instance", "solver", "settings", "repeat")
    latest: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in cases:
        latest[tuple(repr(row.get(name)) for name in identity)] = row
    return list(latest.values())


def _row(line: bytes, name: str) -> tuple[dict[str, Any], str]:
    """The row, or why it is none; InputError where a newer version wrote it."""
    if not line.strip():
        return {}, ""
    row = parse(line)
    if row is None:
        return {}, f"{name} is torn and was left out"
    schema = row.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(f"{name} has schema {schema}, this version reads up to {SCHEMA}: upgrade dualbench")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        return {}, f"{name} has no schema number and was left out"
    wrong = fault(row)
    return row, f"{name} is no row and was left out: {wrong}" if wrong else ""


@contextmanager
def _room_for(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise NotWrittenError(path, error) from error


def _write(file: Any, content: bytes, *, durable: bool = True) -> None:
    left = memoryview(content)
    while left:  # a raw file may take less than it is given
        left = left[file.write(left) :]
    if durable:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return bytes(file.read(1))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
