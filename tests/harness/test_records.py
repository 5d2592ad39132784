"""Records: every row that was written can be read, whatever happened to the file afterwards."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from harness.records import SCHEMA, CaseRecord, Seconds, append, read
from instances import InputError

DATA = Path(__file__).parent / "data"


def row(case: str, **changes: object) -> CaseRecord:
    fields = {
        "suite": "s",
        "instance": "i",
        "spec": "unit:sources=1,destinations=1,degree=1,seed=0",
        "spec_hash": "h",
        "family": "unit",
        "sources": 1,
        "destinations": 1,
        "edges": 1,
        "cells": 1,
        "solver": "x",
        "solver_version": "1",
        "settings": {"tolerance": 1e-4},
        "repeat": 0,
        "status": "solved",
    }
    return CaseRecord(case=case, **(fields | changes))  # type: ignore[arg-type]


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
        assert "line 2 is torn" in found.warnings[0]
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


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"schema": 1, "kind": "case"}', "is no row and was left out: case is null, expected a text"),
        (b'{"schema": 1, "kind": "environment", "id": 3}', "is no row and was left out: id is 3, expected a text"),
        (b'{"kind": "run", "suite": "s"}', "has no schema number"),
        (b'{"schema": true, "kind": "run", "suite": "s"}', "has no schema number"),
        (b'{"schema": 1, "kind": "run", "suite": "s", "x": NaN}', "is torn"),
        (b'{"schema": 1, "kind": "run", "suite": "\\ud800"}', "is torn"),
        (b'{"schema": 1, "kind": "run", "suite": "\xff"}', "is torn"),
        (b'{"schema": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is torn"),
        (b"[1, 2]", "is torn"),
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


def test_no_records_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no records at"):
        read(tmp_path)
