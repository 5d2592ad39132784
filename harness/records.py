"""The schema of records, and the append-only store.

A records file is JSON Lines: rows of kind "run" (which suite, which command), "environment" (once per environment),
"case" (one finished or failed case), "scaling" (one case on some number of ranks, harness/scaling/series.py),
"recurring" (one solve of a series of days, harness/recurring), "whole" (whole decisions beside the LP,
harness/integral), "serving" (prices of a sample on other sources, harness/serving) and "reference" (the speed of the
machine at a moment of a run, harness/reference.py).
Plain types only; a number that is not finite is null. A row passes the reader's own check before it is written, and is
on the disk when `append` returns, or not in the file at all (harness/disk.py). A line that is no row, such as the last
one of a process that was killed, is reported and the rest is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from harness.accuracy import WITHIN_TOLERANCE as WITHIN_TOLERANCE
from harness.accuracy import accuracy as accuracy
from harness.accuracy import within_tolerance_only as within_tolerance_only
from harness.benchmark_file import read_benchmarks
from harness.disk import NO_SPACE as NO_SPACE
from harness.disk import PARTIAL as PARTIAL
from harness.disk import NotWrittenError as NotWrittenError
from harness.disk import append_line
from harness.disk import write_whole as write_whole
from harness.disturbance import too_short as too_short
from harness.division import Division as Division
from harness.division import division_of as division_of
from harness.least_runs import least_runs as least_runs
from harness.numbers import measured as measured
from harness.numbers import power as power
from harness.plain import as_plain as as_plain
from harness.plain import without_huge
from harness.record import SCHEMA as SCHEMA
from harness.record import CaseRecord as CaseRecord
from harness.record import Seconds as Seconds
from harness.record import case_columns as case_columns
from harness.rows import LONGEST_ROW, mended, parse, too_large
from harness.rows import fault as fault
from harness.texts import csv_text as csv_text
from harness.texts import plain_text as plain_text
from harness.texts import plain_texts as plain_texts
from instances.errors import InputError as InputError
from solvers.base import Status as Status

RECORDS_FILE = "records.jsonl"
#: Stands behind a time that was disturbed, wherever it is shown, and behind one too short to tell.
DISTURBED = "~"
TOO_SHORT = "°"
#: The kinds of rows.
KINDS = ("run", "environment", "case", "scaling", "recurring", "reference", "whole", "serving")
_MOST_WARNINGS = 20
_PIECE = 1 << 20  # bytes of a line that is passed over


@dataclass(frozen=True, kw_only=True)
class RecordsFile:
    """What one records file holds."""

    runs: list[dict[str, Any]]
    """Rows of kind "run"."""

    environments: list[dict[str, Any]]
    """Rows of kind "environment"."""

    cases: list[dict[str, Any]]
    """Rows of kind "case"; of a case that was run again, the last."""

    warnings: list[str]
    """Lines for the reader, such as one about a line that is no row."""

    scaling: list[dict[str, Any]] = field(default_factory=list)
    """Rows of kind "scaling"."""

    references: list[dict[str, Any]] = field(default_factory=list)
    """Rows of kind "reference"."""

    recurring: list[dict[str, Any]] = field(default_factory=list)
    """Rows of kind "recurring"."""

    whole: list[dict[str, Any]] = field(default_factory=list)
    """Rows of kind "whole"."""

    serving: list[dict[str, Any]] = field(default_factory=list)
    """Rows of kind "serving"."""

    @property
    def judged(self) -> list[dict[str, Any]]:
        """Every row that the referee had a word in."""
        return [*self.cases, *self.scaling, *self.recurring, *self.whole, *self.serving]


def append(path: Path, row: CaseRecord | Mapping[str, Any]) -> None:
    """Append one row and return when it is on the disk; what is written is what `read` gives back.

    A case that could not be read back becomes the row of an error (see `as_row`). Raises NotWrittenError where the disk
    does not take it; the file is then as it was.
    """
    append_line(path, _line(as_row(row)))


def as_row(row: CaseRecord | Mapping[str, Any]) -> dict[str, Any]:
    """The row in plain types, as it is read back: no NumPy scalars, and null for a number that is not finite.

    A value that no reader would take (a count of -1, seconds below 0, a number of 400 digits) makes it a row with
    status error that names field and value: never a case that is lost.
    """
    values = {f.name: getattr(row, f.name) for f in fields(row)} if isinstance(row, CaseRecord) else row
    if isinstance(row, CaseRecord):
        values = {**values, "seconds": asdict(row.seconds)}
    plain: dict[str, Any] = without_huge(mended(as_plain(values)))
    size = len(_line(plain))
    if size > LONGEST_ROW:
        plain = {**plain, "trace": None, "per_rank": None} if "per_rank" in plain else {**plain, "trace": None}
        plain |= {"status": "error", "reason": f"not a result: a row of {size} bytes, expected up to {LONGEST_ROW}"}
    return plain


def readable(record: CaseRecord) -> CaseRecord:
    """The record as it will be read back; see `as_row`."""
    row = as_row(record)
    return CaseRecord(**{**row, "seconds": Seconds(**row["seconds"])})


def read(path: Path) -> RecordsFile:
    """Every whole row of `path`: a folder that holds records.jsonl, such a file, or a JSON file of pytest-benchmark."""
    if path.suffix == ".json" and path.is_file():
        environments, cases, lines = read_benchmarks(path)
        return RecordsFile(runs=[], environments=environments, cases=cases, warnings=lines)
    path = path / RECORDS_FILE if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"no records at {path}: give a folder that `dualbench run --out` wrote")

    kinds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    warnings: list[str] = []
    with path.open("rb", buffering=_PIECE) as file:
        for number, line in enumerate(_lines(file), start=1):
            row, warning = _row(line, f"{path}: line {number}")
            if warning:
                warnings.append(warning)
            elif row.get("kind") in kinds:
                kinds[row["kind"]].append(row)

    if len(warnings) > _MOST_WARNINGS:  # some other file, of a line each
        more = len(warnings) - _MOST_WARNINGS
        warnings[_MOST_WARNINGS:] = [f"{path}: {more} more lines are no rows and were left out"]
    return RecordsFile(
        runs=kinds["run"],
        environments=kinds["environment"],
        cases=_latest(kinds["case"]),
        warnings=warnings,
        scaling=kinds["scaling"],
        references=kinds["reference"],
        recurring=_latest(kinds["recurring"]),
        whole=_latest(kinds["whole"]),
        serving=_latest(kinds["serving"]),
    )


def contents(hashes: Iterable[tuple[str | None, str]]) -> list[str]:
    """What names the content of each instance, from (content_hash, spec_hash) of its rows.

    The content hash; where a row has none (of schema 1, or of a case that was never made) that of the other rows of its
    spec, if they have one and the same, else the hash of the spec.
    """
    pairs = list(hashes)
    known: dict[str, set[str]] = {}
    for content, spec in pairs:
        if content:
            known.setdefault(spec, set()).add(content)
    alone = {spec: of_spec.pop() for spec, of_spec in known.items() if len(of_spec) == 1}
    return [content or alone.get(spec, spec) for content, spec in pairs]


def _latest(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A case that was run again, on changed data too, counts once: its last row, in the place of its first."""
    identity = ("suite", "case", "instance", "solver", "settings", "repeat")
    latest: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in cases:
        latest[tuple(repr(row.get(name)) for name in identity)] = row
    return list(latest.values())


def _migrated(row: dict[str, Any]) -> dict[str, Any]:
    """A row of an older schema with the fields that came since: 2 added the hashes of content, adapter and x."""
    if row["schema"] < 2 and row.get("kind") in ("case", "scaling"):
        return {**dict.fromkeys(("content_hash", "adapter_hash", "x_hash", "x_file")), **row}
    return row


def _lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Line by line; None for one that is longer than any row, of which no more than a piece is ever in memory."""
    while line := file.readline(LONGEST_ROW + 1):
        if len(line) <= LONGEST_ROW:
            yield line
            continue
        while line and b"\n" not in line:
            line = file.read(_PIECE)
        file.seek(line.find(b"\n") + 1 - len(line), os.SEEK_CUR)  # behind the line feed, or at the end
        yield None


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, allow_nan=False, separators=(",", ":")).encode()


def _row(line: bytes | None, name: str) -> tuple[dict[str, Any], str]:
    """The row, or why it is none; InputError where a newer version wrote it."""
    if line is None:
        return {}, f"{name} is longer than {LONGEST_ROW >> 20} MiB and was left out"
    if not line.strip():
        return {}, ""
    row = parse(line)
    if row is None:
        return {}, f"{name} is not a whole JSON object and was left out"

    schema = row.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(f"{name} has schema {schema}, this version reads up to {SCHEMA}: upgrade dualbench")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        return {}, f"{name} has no schema number and was left out"

    row = _migrated(row)
    wrong = fault(row) or too_large(line, row)
    return row, f"{name} is no row and was left out: {wrong}" if wrong else ""
