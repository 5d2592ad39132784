"""A row that is written is a row that is read: whatever a solver hands over, and whatever the disk holds."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from harness import records, shapes
from harness.cli import invoke
from harness.records import CaseRecord, Seconds, append, as_row, plain_text, read, readable
from harness.texts import csv_text, plain_texts
from tests.support.records import case_record

ODD: tuple[Any, ...] = (
    *(-1, 10**400, -(10**309), 1e308, -1e308, 5e-324, float("nan"), float("inf"), True, False, None, "", "x"),
    *("\ud800", "a\x1b]0;t\x07b", "\u202e", "\0", Fraction(1, 3), Fraction(10**400), 2**63, np.float32(1e38)),
    *(np.int64(-1), np.bool_(True), [], {}, [1], {"a": 10**400}, ["\udcff"], object, b"bytes", 1j, [[[[]]]]),
)
#: What a solver or a library has a say in; the other fields name the case and are the harness's own.
OPEN = ("solver_version", "raw_status", "reason", "iterations", "peak_memory", "certificate", "trace", "disturbance",
        "disturbed", "edges", "dual_file", "status")  # fmt: skip

values = st.recursive(
    st.sampled_from(ODD) | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(changes=st.dictionaries(st.sampled_from(OPEN), values, max_size=4), seconds=st.lists(values, max_size=6))
@hypothesis_settings(
    deadline=None, derandomize=True, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_written_is_read_back_as_it_was_written(
    changes: dict[str, Any], seconds: list[Any], tmp_path: Path
) -> None:
    names = list(Seconds.__dataclass_fields__)
    record = case_record(seconds=Seconds(**dict(zip(names, seconds, strict=False))), **changes)
    file = tmp_path / "records.jsonl"
    file.unlink(missing_ok=True)
    append(file, record)
    found = read(file)
    assert found.warnings == []
    assert found.cases == [as_row(record)]
    assert as_row(readable(record)) == as_row(record)


@given(line=st.binary(max_size=200) | st.dictionaries(st.text(), values).map(lambda row: repr(row).encode()))
@hypothesis_settings(
    deadline=None, derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_a_line_holds_is_a_row_or_one_warning(line: bytes, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(line.replace(b"\n", b" ") + b"\n")
    found = read(file)
    assert len(found.warnings) == bool(line.strip())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iterations": -1}, "iterations is -1, expected a whole number or null"),
        ({"iterations": 10**400}, "iterations is 1000"),
        ({"iterations": 10**5000}, "iterations is a number of thousands of digits"),
        ({"iterations": True}, "iterations is true"),
        ({"trace": {"gap": [1.0, 1e308]}}, "trace.gap is 1e+308, expected numbers up to 1e+100 or null"),
        ({"trace": {"gap": [True, 1.0]}}, "trace.gap is true"),
        ({"trace": {"iteration": [1, 10**400]}}, "trace.iteration is 1000"),
        ({"seconds": Seconds(run=-1.0)}, "seconds.run is -1.0, expected a number from 0 to 1e+10 or null"),
        ({"seconds": Seconds(run=1e308)}, "seconds.run is 1e+308"),
        ({"certificate": {"certified_gap": 10**400}}, "certificate.certified_gap is 1000"),
        ({"disturbance": {"other_load": 10**309}}, "disturbance.other_load is 1000"),
        ({"peak_memory": {"host": -5}}, "peak_memory.host is -5"),
        ({"solver_version": 5}, "solver_version is 5, expected a text or null"),
    ],
)
def test_a_value_that_no_row_can_hold_makes_an_error_that_names_it(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    record = readable(case_record(**changes))
    assert record.status == "error"
    assert record.reason.startswith("not a result: ")
    assert words in record.reason
    append(tmp_path / "records.jsonl", case_record(**changes))
    (row,) = read(tmp_path).cases
    assert row == as_row(record)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"trace": {"gap": [Fraction(1, 4), None]}}, {"trace": {"gap": [0.25, None]}}),
        ({"raw_status": "half \ud800"}, {"raw_status": "half \\ud800"}),
        ({"certificate": {"dual_bound": float("inf")}}, {"certificate": {"dual_bound": None}}),
        ({"iterations": np.int32(7)}, {"iterations": 7}),
    ],
)
def test_what_can_be_said_in_plain_types_is_kept(changes: dict[str, Any], kept: dict[str, Any]) -> None:
    row = as_row(case_record(**changes))
    assert row["status"] == "solved"
    assert {name: row[name] for name in kept} == kept


def test_a_fault_in_the_name_of_a_case_is_no_result_at_all() -> None:
    with pytest.raises(ValueError, match=r"kind 'case' cannot be recorded: repeat is -1"):
        as_row(case_record(repeat=-1))


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e400", "-1e999", "1" * 5000])
def test_a_number_that_no_float_holds_is_refused_under_any_key(number: str, tmp_path: Path) -> None:
    append(tmp_path / "records.jsonl", case_record())
    with (tmp_path / "records.jsonl").open("a") as file:
        row = json.dumps(as_row(case_record("b")))
        file.write(f'{row[:-1]}, "new_in_a_later_version": {{"x": [{number}]}}}}\n')
    found = read(tmp_path)
    assert [row["case"] for row in found.cases] == ["c"]
    assert len(found.warnings) == 1


def test_a_line_longer_than_any_row_is_passed_over_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LONGEST_ROW", 1 << 20)
    file = tmp_path / "records.jsonl"
    append(file, case_record("a"))
    with file.open("ab") as raw:
        raw.write(b'{"kind":"case","x":"' + b"x" * (3 << 20) + b'"}\n')
    append(file, case_record("b"))
    found = read(file)
    assert [row["case"] for row in found.cases] == ["a", "b"]
    assert found.warnings == [f"{file}: line 2 is longer than 1 MiB and was left out"]
    long = as_row(case_record(trace={"gap": [0.123456789] * 100_000}))
    assert (long["status"], long["trace"]) == ("error", None)
    assert "expected up to 1048576" in long["reason"]


def test_rows_at_the_edge_of_what_is_read_stop_no_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edge = shapes.MOST_IN_A_TRACE
    trace = {"seconds": [0.0, edge, None], "iteration": [0, 10**100, 1], "gap": [edge, -edge, None]}
    certificate = {"certified_gap": 1.7e308, "dual_bound": -1.7e308, "feasible_objective": 1.7e308}
    odd = [
        case_record("a", trace=trace, seconds=Seconds(run=shapes.MOST_SECONDS, prepare=5e-324), repeat=0),
        case_record("b", certificate=certificate, solver="y", status="time_limit", dual_file="duals/\0.npy"),
        case_record("c", solver="=cmd|' /C calc'!A0", instance="-i\x1b[2J\r\u202e", reason="\x1b]0;t\x07"),
        case_record("d", solver="z", trace={"seconds": [], "iteration": [], "gap": []}, disturbance={"steal": -1e18}),
    ]
    for record in odd:
        append(tmp_path / "records.jsonl", record)
    folder = str(tmp_path)
    assert read(tmp_path).warnings == []
    assert invoke(["report", folder, "--out", str(tmp_path / "report")]) == 0
    assert invoke(["verify", folder]) in (0, 1)
    assert invoke(["compare", folder, folder, "--any-environment"]) == 0
    shown = capsys.readouterr().out
    pages = [page.read_text() for page in (tmp_path / "report").rglob("*") if page.suffix in (".html", ".md", ".csv")]
    for text in (shown, *pages):
        assert not {"\x1b", "\r", "\u202e", "\x07"} & set(text)
    tables = [page.read_text() for page in (tmp_path / "report").rglob("*.csv")]
    assert not [cell for table in tables for cell in table.replace("\n", ",").split(",") if cell.startswith("=")]
    assert any("'=cmd" in table for table in tables)


@given(st.text())
@hypothesis_settings(deadline=None, derandomize=True)
def test_a_plain_text_is_one_printable_line(text: str) -> None:
    assert plain_text(text).isprintable()
    assert plain_text(plain_text(text)) == plain_text(text)
    assert not csv_text(text).startswith(("=", "+", "-", "@"))
    assert plain_texts({text: [text, 1, {"a": text}]}) == {
        plain_text(text): [plain_text(text), 1, {"a": plain_text(text)}]
    }


def test_every_field_of_a_record_has_a_name_in_the_file() -> None:
    assert set(as_row(case_record())) == set(CaseRecord.__dataclass_fields__)
