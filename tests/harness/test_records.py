"""Records: every row that was written can be read, whatever happened to the file afterwards."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from harness.cli import invoke
from harness.records import SCHEMA, CaseRecord, Seconds, append, read, write_whole
from harness.trust.arithmetic import contradictions
from instances import InputError
from tests.support.records import case_record as row

DATA = Path(__file__).parent / "data"
PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"


def test_numbers_that_are_not_finite_and_numpy_scalars_become_plain(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    certificate = {"certified_gap": float("nan"), "dual_bound": np.float64(-1.5), "objective": float("inf")}
    append(file, row("a", certificate=certificate, seconds=Seconds(run=np.float64(2.0)), iterations=np.int64(7)))
    text = file.read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    (found,) = read(tmp_path).cases
    assert found["certificate"] == {"certified_gap": None, "dual_bound": -1.5, "objective": None}
    assert (found["seconds"]["run"], found["iterations"]) == (2.0, 7)


def test_a_torn_last_line_is_reported_and_the_next_row_starts_afresh(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    append(file, row("a"))
    whole = file.read_bytes()
    for cut in range(1, len(whole) - 1):
        file.write_bytes(whole + whole[:cut])
        found = read(file)
        assert [r["case"] for r in found.cases] == ["a"]
        assert "line 2 is not a whole JSON object" in found.warnings[0]
    append(file, row("b"))
    assert [r["case"] for r in read(file).cases] == ["a", "b"]


def test_a_newer_schema_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text(json.dumps({"schema": SCHEMA + 1, "kind": "case"}) + "\n")
    with pytest.raises(InputError, match=rf"line 1 has schema {SCHEMA + 1}, .* up to {SCHEMA}: upgrade dualbench"):
        read(file)


@pytest.mark.parametrize("version", range(1, SCHEMA + 1))
def test_records_of_every_version_are_read(version: int) -> None:
    """data/records-vN.jsonl are rows that version N wrote, frozen; a new SCHEMA needs a sample and a migration."""
    found = read(DATA / f"records-v{version}.jsonl")
    assert found.warnings == []
    assert (len(found.runs), len(found.environments), len(found.cases), len(found.scaling)) == (1, 2, 5, 1)
    assert {case["status"] for case in found.cases} == {"solved", "iteration_limit", "skipped"}
    assert {name for case in found.cases for name in case} <= {f.name for f in fields(CaseRecord)}


@pytest.mark.parametrize("file", sorted(PUBLISHED.rglob("records.jsonl")), ids=lambda file: file.parent.name)
def test_published_records_are_read_and_agree_with_themselves(file: Path) -> None:
    found = read(file)
    assert found.warnings == []
    assert [words for row in (*found.cases, *found.scaling) for words in contradictions(row)] == []


def test_published_records_of_every_kind_make_one_report(tmp_path: Path) -> None:
    folders = [path.parent for path in PUBLISHED.rglob("records.jsonl") if path.parent.name in ("smoke", "scale")]
    assert invoke(["report", *map(str, folders), "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"schema": 1, "kind": "case"}', "is no row and was left out: case is null, expected a text"),
        (b'{"schema": 1, "kind": "environment", "id": 3}', "is no row and was left out: id is 3, expected a text"),
        (b'{"kind": "run", "suite": "s"}', "has no schema number"),
        (b'{"schema": true, "kind": "run", "suite": "s"}', "has no schema number"),
        (b'{"schema": 1, "kind": "run", "suite": "s", "x": NaN}', "is not a whole JSON object"),
        (b'{"schema": 1, "kind": "run", "suite": "\\ud800"}', "is not a whole JSON object"),
        (b'{"schema": 1, "kind": "run", "suite": "\xff"}', "is not a whole JSON object"),
        (b'{"schema": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is not a whole JSON object"),
        (b"[1, 2]", "is not a whole JSON object"),
    ],
)
def test_a_line_that_is_no_row_is_left_out_and_said(line: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    append(file, row("a"))
    with file.open("ab") as raw:
        raw.write(line + b"\n")
    append(file, row("b"))
    found = read(file)
    assert [case["case"] for case in found.cases] == ["a", "b"]
    assert not found.runs
    assert not found.environments
    (warning,) = found.warnings
    assert f"line 2 {words}" in warning


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("case", ('"repeat":0', '"repeat":-1'), "repeat is -1, expected a whole number"),
        ("case", ('"run":2.0', '"run":1e999'), "seconds.run is"),
        ("case", ('"certified_gap":0.25', '"certified_gap":1e999'), "certificate.certified_gap is"),
        ("scaling", ('"ranks":2', '"ranks":0'), "ranks is 0, expected a whole number of at least 1"),
    ],
)
def test_a_row_with_a_number_out_of_range_is_left_out(
    kind: str, change: tuple[str, str], words: str, tmp_path: Path
) -> None:
    file = tmp_path / "records.jsonl"
    append(file, row("a", seconds=Seconds(run=2.0), certificate={"certified_gap": 0.25}))
    if kind == "scaling":
        file.write_text((DATA / "records-v1.jsonl").read_text())
    before, text = read(file), file.read_text()
    assert text.count(change[0]) == 1
    file.write_text(text.replace(*change))
    found = read(file)
    (warning,) = found.warnings
    assert words in warning
    assert len(found.cases) + len(found.scaling) == len(before.cases) + len(before.scaling) - 1


def test_what_is_written_is_on_the_disk_before_anyone_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row and the name of a new file are flushed when `append` returns, a whole file before it has its name."""
    flushed: list[tuple[int, int, bool]] = []
    real = os.fsync

    def flush(descriptor: int) -> None:
        real(descriptor)
        found = os.fstat(descriptor)
        flushed.append((found.st_ino, found.st_size, whole.exists()))

    monkeypatch.setattr(os, "fsync", flush)
    file, whole = tmp_path / "records.jsonl", tmp_path / "duals" / "a.npy"
    append(file, row("a"))
    row_at, name_at = [place[0] for place in flushed]
    assert (row_at, name_at) == (file.stat().st_ino, tmp_path.stat().st_ino)
    flushed.clear()
    append(file, row("b"))
    assert flushed == [(file.stat().st_ino, file.stat().st_size, False)]
    flushed.clear()
    write_whole(whole, b"12345")
    assert flushed[0] == (whole.stat().st_ino, 5, False)
    assert flushed[1][0] == whole.parent.stat().st_ino


def test_no_records_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no records at"):
        read(tmp_path)
