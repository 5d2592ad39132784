"""Two sets of records: what got slower, by more than the spread, and what lost accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.cli import invoke
from harness.records import RecordsFile, Seconds
from harness.trust.compare import compare, lost_accuracy, slower, summaries
from harness.trust.compared import summary_line
from harness.trust.ratios import Change
from instances import InputError
from tests.support.records import case_record

SETTINGS = {"tolerance": 1e-4, "time_limit": 20.0, "threads": 1, "device": "cpu", "dtype": "float32", "options": {}}
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
    ("before", "after", "change"),
    [
        ([1.0], [1.3], "slower"),
        ([1.3], [1.0], "faster"),
        ([1.0], [1.1], "level"),
        ([1.1], [1.0], "level"),
        ([1.0, 1.01, 1.02], [1.1, 1.11, 1.12], "slower"),
        ([1.1, 1.11, 1.12], [1.0, 1.01, 1.02], "faster"),
        ([1.0, 1.01], [1.1, 1.11], "level"),  # two repeats are apart by chance one time in three
        ([1.0, 1.1, 2.0], [1.9, 2.1, 2.2], "level"),  # the ranges meet
        ([1.0, 1.001, 1.002], [1.003, 1.004, 1.005], "level"),
        ([1.0, 1.5, 3.0], [0.2, 0.5, 1.1], "level"),
    ],
)
def test_the_spread_of_the_repeats_is_the_noise(before: list[float], after: list[float], change: str) -> None:
    (found,) = compare(repeats(*before), repeats(*after)).ratios
    assert found.change == change


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


def test_runs_that_a_limit_ended_within_the_gap_have_no_ratio_and_lose_nothing_there() -> None:
    """Each was within the gap at an unknown time before its limit, 30 s and 60 s."""
    before = row(30.0, status="time_limit", certificate={"certified_gap": 1e-8})
    after = row(60.0, status="time_limit", certificate={"certified_gap": 9e-8})
    (found,) = compare(sets(before), sets(after)).ratios
    assert found.tolerance > 9e-8
    assert (found.change, found.ratio, found.lost_accuracy) == (Change.UNSOLVED, None, "")


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


def test_disturbed_repeats_are_set_aside() -> None:
    noisy = [row(1.0, repeat=0), row(9.0, repeat=1, disturbed="other processes took 40% of the cores")]
    (found,) = compare(sets(*noisy), repeats(1.05)).ratios
    assert (found.change, found.ratio, found.set_aside) == (Change.LEVEL, 1.05, 1)
    (found,) = compare(sets(noisy[1]), repeats(1.0)).ratios
    assert (found.change, found.ratio) == (Change.DISTURBED, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"content_hash": "b" * 64}, "data aaaaaaaa against bbbbbbbb"),
        ({"adapter_hash": "c" * 64}, "adapter built in against cccccccc"),
        ({"settings": {**SETTINGS, "dtype": "float64"}}, "dtype float32 against float64"),
        ({"settings": {**SETTINGS, "time_limit": None}}, "time_limit 20.0 against none"),
        ({"settings": {**SETTINGS, "threads": 2}}, "threads 1 against 2"),
        ({"settings": {**SETTINGS, "options": {"gamma": 1}}}, 'options {} against {"gamma": 1}'),
    ],
)
def test_what_was_asked_of_other_data_or_otherwise_is_not_comparable(changes: dict[str, Any], words: str) -> None:
    alike = {"settings": SETTINGS, "content_hash": "a" * 64, "adapter_hash": ""}
    found = compare(sets(row(1.0, **alike)), sets(row(5.0, **alike | changes)))
    assert list(found.different.values()) == [words]
    assert (found.ratios, found.only_before, found.only_after) == ([], [], [])


def test_the_same_data_under_another_path_are_the_same_case_also_where_an_older_version_wrote_the_row() -> None:
    here = row(1.0, instance="parquet:path=a", content_hash="a" * 64, spec_hash="s")
    there = row(2.0, instance="parquet:path=b", content_hash=None, adapter_hash=None, spec_hash="s")
    (found,) = compare(sets(here), sets(there)).ratios
    assert (found.case.partition("|")[0], found.ratio) == ("parquet:path=a", 2.0)


def test_a_solver_is_summed_up_by_the_geometric_mean_and_by_how_many_changed() -> None:
    before = [row(1.0, instance=name, spec_hash=name) for name in "abc"]
    after = [row(seconds, instance=name, spec_hash=name) for name, seconds in zip("abc", (4.0, 0.25, 1.0), strict=True)]
    (found,) = summaries(compare(sets(*before), sets(*after)))
    assert found.mean == pytest.approx(1.0)
    assert [found.counts[change] for change in (Change.SLOWER, Change.FASTER, Change.LEVEL)] == [1, 1, 1]
    assert (found.lost, found.spread) == (0, None)


def test_the_line_of_a_solver_says_what_it_lost_and_how_much_its_repeats_differ() -> None:
    before = [row(seconds, repeat=k) for k, seconds in enumerate((1.0, 1.1))]
    after = [row(1.0, status="inaccurate", repeat=k) for k in range(2)]
    (found,) = summaries(compare(sets(*before), sets(*after)))
    assert summary_line(found) == "x  no ratio: 1 not solved in one or both, 1 less accurate; no repeats"
    (found,) = summaries(compare(repeats(1.0, 1.1), repeats(2.0, 2.5)))
    assert summary_line(found) == "x  2.14 (geometric mean of B / A): 1 slower; repeats differ 1.25 times"


def test_what_neither_side_tried_is_told_apart_from_what_one_did_not_solve() -> None:
    skipped = row(None, status="skipped", certificate=None)
    (found,) = summaries(compare(sets(skipped), sets(skipped)))
    assert summary_line(found) == "x  no ratio: 1 skipped in both; no repeats"


def test_a_disturbed_repeat_loses_no_accuracy() -> None:
    missed = {"status": "time_limit", "certificate": None, "disturbed": "other processes took 90% of the cores"}
    (found,) = compare(repeats(1.0, 1.0), sets(row(1.0), row(None, repeat=1, **missed))).ratios
    assert (found.change, found.lost_accuracy, found.set_aside, found.decides) == (Change.LEVEL, "", 1, False)
    (found,) = compare(repeats(1.0, 1.0), sets(row(None, **missed))).ratios
    assert (found.lost_accuracy, found.decides) == ("", False)


@pytest.mark.parametrize(("runs", "status"), [(1, 0), (2, 1)])
@pytest.mark.parametrize("worse", [{"seconds": 9.0}, {"seconds": 1.0, "status": "inaccurate"}], ids=["slower", "lost"])
def test_a_single_run_never_fails(
    runs: int, status: int, worse: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = PLACE | {"kind": "environment", "schema": records.SCHEMA, "id": "e"}
    for name, changes in (("a", {"seconds": 1.0}), ("b", worse)):
        (tmp_path / name).mkdir()
        records.append(tmp_path / name / "records.jsonl", place)
        for repeat in range(runs):
            records.append(tmp_path / name / "records.jsonl", row(**changes, case=f"c|r{repeat}", repeat=repeat))
    assert invoke(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--fail-above", "1.2"]) == status
    told = capsys.readouterr().out
    assert ("single runs and decide nothing" in told) == (runs == 1)
    assert "slower" in told or "less accurate" in told


@pytest.mark.parametrize(
    ("name", "before", "after", "alike"),
    [
        ("memory_bytes", 25_276_514_304, 25_276_506_112, True),
        ("memory_bytes", 24 * 2**30, 32 * 2**30, False),
        ("platform", "Linux-6.18.44-a-x86_64-with-glibc2.36", "Linux-6.18.45-b-x86_64-with-glibc2.36", True),
        ("platform", "Linux-6.18.44-a-x86_64-with-glibc2.36", "Linux-5.10.1-x86_64-with-glibc2.36", False),
        ("platform", "Linux-6.18.44-a-x86_64-with-glibc2.36", "Linux-6.18.44-aarch64-with-glibc2.36", False),
        ("python", "3.11.2", "3.11.7", True),
        ("python", "3.11.2", "3.12.0", False),
        ("cores", 2, 4, False),
        ("cpu_quota", None, 0.5, False),
    ],
)
def test_a_little_memory_or_the_end_of_a_version_makes_no_other_machine(
    name: str, before: Any, after: Any, *, alike: bool
) -> None:
    one, two = sets(row(1.0), **{name: before}), sets(row(1.0), **{name: after})
    if alike:
        assert f"{name} differs: {before} against {after}" in compare(one, two).warnings
        return
    with pytest.raises(InputError, match=f"different environments .{name} "):
        compare(one, two)


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
        for repeat in range(2):
            records.append(tmp_path / name / "records.jsonl", row(seconds, case=f"c|r{repeat}", repeat=repeat))
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
