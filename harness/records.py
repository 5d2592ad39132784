"""The schema of records, and the append-only store.

A records file is JSON Lines: rows of kind "run" (which suite, which command), "environment" (once per environment),
"case" (one finished or failed case) and "scaling" (one case on some number of ranks, harness/scaling/series.py).
Plain types only; a number that is not finite is null. Rows are appended with flush and fsync; a torn last line is
reported and the rest is read.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from instances.errors import InputError as InputError  # for the readers of records too

SCHEMA = 1
RECORDS_FILE = "records.jsonl"


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Wall time, monotonic: generate the instance, prepare (convert, upload), run, referee.

    warm_up: the solver's first tiny solve in a process (imports, compilation); only the case that paid it has it.
    """

    warm_up: float | None = None
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
    peak_memory: bytes of host and device at the peak of the case. environment: id of an environment row.
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
    """Append one row and return when it is on the disk; starts a new line where the last one was torn."""
    line = json.dumps(as_row(row), allow_nan=False, separators=(",", ":")).encode() + b"\n"
    with path.open("ab+") as file:
        if file.tell() and _last_byte(file) != b"\n":
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


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
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        row = _parse(line)
        if row is None:
            warnings.append(f"{path}: line {number} is torn and was left out")
            continue
        if not isinstance(row.get("schema"), int) or row["schema"] > SCHEMA:
            found = f"{path}: line {number} has schema {row.get('schema')!r}"
            raise InputError(f"{found}, this version reads up to {SCHEMA}: upgrade dualbench")
        if row.get("kind") in kinds:
            kinds[row["kind"]].append(row)
    return RecordsFile(
        runs=kinds["run"],
        environments=kinds["environment"],
        cases=kinds["case"],
        warnings=warnings,
        scaling=kinds["scaling"],
    )


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


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
