"""Two sets of records: what got slower, by more than the spread, and what lost accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.cli import invoke
from harness.records import RecordsFile, Seconds
from harness.trust.compare import compare, lost_accuracy, slower
from instances import InputError
from tests.harness.cases import case_record

PLACE = {"cpu": "x", "cores": 2, "affinity": 2, "memory_bytes": 1, "gpu": None, "platform": "p", "python": "3.11"}


def row(seconds: float | None, **changes: Any) -> dict[str, Any]:
    certificate = {"certified_gap": 5e-5}
    return records.as_row(case_record(**{"seconds": Seconds(run=seconds), "certificate": certificate, **changes}))


def sets(*rows: dict[str, Any], **place: Any) -> RecordsFile:
    return RecordsFile(runs=[], environments=[PLACE | place], cases=list(rows), warnings=[])


def repeats(*seconds: float) -> RecordsFile:
    return sets(*(row(value, repeat=k) for k, value in enumerate(seconds)))


def test_ratios_are_of_medians_with_the_spread_of_the_repeats() -> None:
    (found,) = compare(repeats(1.0, 2.0, 4.0), repeats(2.0, 3.0, 8.0)).ratios
    assert (found.ratio, found.least, found.largest) == (1.5, 0.5, 8.0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1.0], [1.3], True),
        ([1.0], [1.1], False),
        ([1.0, 1.1, 1.2], [1.5, 1.6, 1.7], True),
        ([1.0, 1.1, 2.0], [1.5, 1.6, 1.7], False),  # the spread covers it
        ([1.5, 1.6], [1.0, 1.0], False),
    ],
)
def test_slower_is_above_the_threshold_and_outside_the_spread(
    before: list[float], after: list[float], *, expected: bool
) -> None:
    assert bool(list(slower(compare(repeats(*before), repeats(*after)), 1.2))) is expected


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (row(1.0), row(1.0, status="inaccurate"), "solved -> inaccurate"),
        (row(1.0), row(None, status="time_limit", certificate=None), "solved -> time_limit"),
        (row(1.0), row(1.0, certificate={"certified_gap": 9e-5}), ""),  # within the tolerance still
        (
            row(1.0, status="time_limit", certificate={"certified_gap": 1e-3}),
            row(1.0, status="time_limit", certificate={"certified_gap": 5e-3}),
            "gap 1.0e-03 -> 5.0e-03",
        ),
        (
            row(1.0, status="time_limit", certificate={"certified_gap": 1e-3}),
            row(1.0, status="crashed", certificate=None),
            "gap 1.0e-03 -> none",
        ),
        (row(1.0, status="time_limit"), row(1.0), ""),
        (
            row(1.0, status="time_limit", certificate={"certified_gap": 1e-3}),
            row(1.0, status="time_limit", certificate={"certified_gap": 1.9e-3}),
            "",
        ),
    ],
)
def test_lost_accuracy_is_named(before: dict[str, Any], after: dict[str, Any], lost: str) -> None:
    found = compare(sets(before), sets(after))
    assert [one.lost_accuracy for one in lost_accuracy(found)] == ([lost] if lost else [])


def test_the_worst_gap_of_the_repeats_counts() -> None:
    gaps = [row(1.0, status="time_limit", certificate={"certified_gap": gap}) for gap in (9e-3, 1e-3)]
    (found,) = compare(sets(gaps[1]), sets(*gaps)).ratios
    assert found.lost_accuracy == "gap 1.0e-03 -> 9.0e-03"


def test_the_time_of_a_failure_is_no_ratio() -> None:
    (found,) = compare(repeats(1.0), sets(row(9.0, status="time_limit"))).ratios
    assert found.ratio is None
    assert not found.slower(1.2)


def test_cases_are_matched_by_what_was_asked_for() -> None:
    other = row(1.0, settings={"tolerance": 1e-6, "device": "cpu", "threads": 1, "options": {}})
    found = compare(sets(row(1.0), other), sets(row(1.0), row(1.0, solver="y")))
    assert (len(found.ratios), len(found.only_before), len(found.only_after)) == (1, 1, 1)
    with pytest.raises(InputError, match="no case in common"):
        compare(sets(other), sets(row(1.0)))


def test_different_environments_are_refused_unless_told_otherwise() -> None:
    one, two = repeats(1.0), sets(row(1.0), cpu="y")
    with pytest.raises(InputError, match=r"different environments \(cpu x against y\)"):
        compare(one, two)
    assert compare(one, two, any_environment=True).ratios[0].ratio == 1.0


def test_the_exit_status_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = PLACE | {"kind": "environment", "schema": records.SCHEMA, "id": "e"}
    for name, seconds, cpu in (("a", 1.0, "x"), ("b", 2.0, "x"), ("c", 1.0, "y")):
        (tmp_path / name).mkdir()
        records.append(tmp_path / name / "records.jsonl", place | {"cpu": cpu})
        records.append(tmp_path / name / "records.jsonl", row(seconds))
    a, b, c = (str(tmp_path / name) for name in "abc")
    assert invoke(["compare", a, b]) == 0
    assert "2.00 times" in capsys.readouterr().out
    assert invoke(["compare", a, b, "--fail-above", "1.2"]) == 1
    assert invoke(["compare", a, b, "--fail-above", "2.5"]) == 0
    assert invoke(["compare", b, a, "--fail-above", "1.2"]) == 0
    assert invoke(["compare", a, c]) == 2
    assert "--any-environment" in capsys.readouterr().err
    assert invoke(["compare", a, c, "--any-environment"]) == 0
    assert invoke(["compare", a, b, "--fail-above", "0.5"]) == 2
