"""Records that are odd, hostile or bare still make a page, and stay text on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reports
from harness.records import CaseRecord, Seconds
from instances.errors import InputError
from tests.support.page import EMBEDDED, read_page

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]


def test_names_from_records_are_text_and_stay_in_the_folder(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    evil = "../../<script>alert(1)</script>"
    rows = [
        make_case(instance=evil, family="<b>", reason="<img src=x>", status="inaccurate"),
        make_case(instance=evil, family="<b>", solver="$a_b$ <i>", trace={"seconds": [0.1], "gap": [0.1]}),
    ]
    out = tmp_path / "out"
    made = reports.build([write_records(*rows)], out)
    page = read_page(made)
    assert not EMBEDDED & set(page.tags)
    assert page.tags.count("script") == 2
    assert evil in page.text
    assert "<script" not in (out / "report.md").read_text()
    assert all(path.resolve().is_relative_to(out.resolve()) for path in made.files)
    assert {path.name for path in tmp_path.iterdir()} == {"results", "out"}


ODD: dict[str, dict[str, Any]] = {
    "nothing solved": {"status": "crashed", "certificate": None, "seconds": Seconds(), "reason": "signal 9"},
    "all skipped": {"status": "skipped", "certificate": None, "seconds": Seconds(), "reason": "not installed"},
    "null gap": {"status": "inaccurate", "certificate": {"certified_gap": None, "reason": "not repairable"}},
    "no size": {"edges": None},
    "few settings": {"settings": {"tolerance": 1e-4}, "peak_memory": {}, "environment": ""},
    "zero gap and time": {"certificate": {"certified_gap": 0.0}, "seconds": Seconds(run=0.0)},
    "odd trace": {"trace": {"seconds": [0.1, None, 0.3], "gap": [None, 0.1, -1.0]}},
    "unknown status": {"status": "puzzled"},
}


@pytest.mark.parametrize("name", ODD)
def test_odd_records_still_make_a_page(name: str, write_records: Write, make_case: Make, tmp_path: Path) -> None:
    case = make_case(**ODD[name])
    page = read_page(reports.build([write_records(case)], tmp_path / "out"))
    assert "Definitions and limits" in page.text
    assert case.status.replace("_", " ") in page.text
    assert case.reason in page.text


def test_records_without_their_environment_and_command_say_so(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    page = read_page(reports.build([write_records(make_case(), rows=())], tmp_path / "out"))
    assert "The records do not say on which machine." in page.text
    assert "The records do not hold the command that made them." in page.text


def test_long_names_stay_readable(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    name = "dualip:sources=1000000,destinations=10000,degree=10,seed=42,polytope=simplex-eq,radius=2"
    made = reports.build(
        [write_records(make_case(instance=name, solver="a-solver-of-another-package"))], tmp_path / "o"
    )
    assert name in read_page(made).text
    assert all(len(path.name) < 100 for path in made.files)


def test_an_output_that_is_a_file_is_refused(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is a file"):
        reports.build([write_records(make_case())], tmp_path / "out")
