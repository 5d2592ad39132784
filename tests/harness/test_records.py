"""Records: every row that was written can be read, whatever happened to the file afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.records import SCHEMA, CaseRecord, Seconds, append, read
from instances import InputError


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
    with pytest.raises(InputError, match="upgrade dualbench"):
        read(file)


def test_no_records_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no records at"):
        read(tmp_path)
