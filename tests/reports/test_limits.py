"""Runs under several time limits on one page: no time is mixed of them, and nobody wins by having had more time."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import reports
from harness.records import CaseRecord, Seconds
from reports import outcomes, site_tables, time_texts, wins
from reports.load import load
from reports.site_runs import read_runs

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]


@pytest.fixture
def run(make_case: Make, certificate: Callable[[float | None], dict[str, Any]]) -> Make:
    """A case by its solver, seconds of run and time limit, which ended it where it is not more; `gap` is reached."""

    def make(solver: str, seconds: float, limit: float, gap: float = 5e-5, **changes: Any) -> CaseRecord:
        settings = {**make_case().settings, "time_limit": limit}
        changes |= {"status": "time_limit" if seconds >= limit else "solved", "settings": settings}
        return make_case(
            solver=solver, seconds=Seconds(prepare=0.0, run=seconds), certificate=certificate(gap), **changes
        )

    return make


def row_of(folder: Path, solver: str) -> dict[str, Any]:
    found = outcomes.outcomes(load([folder]).cases)
    (row,) = found[(found["competitor"] == solver) & (found["target"] == 1e-4)].to_dict("records")
    return {str(name): value for name, value in row.items()}


def place_of(folder: Path) -> dict[str, Any]:
    found = wins.winners(outcomes.outcomes(load([folder]).cases))
    (row,) = found[found["target"] == 1e-4].to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_a_run_that_a_limit_ended_is_no_sample_of_one_with_more_time(write_records: Write, run: Make) -> None:
    rows = [run("a", 20.0, 20.0, repeat=k) for k in range(3)] + [run("a", 35.0, 60.0)]
    found = row_of(write_records(*rows, run("b", 1.0, 20.0), run("c", 2.0, 20.0)), "a")
    assert (found["seconds"], found["at_most"], found["repeats"]) == (35.0, False, 1)
    assert time_texts.limits_of(found) == ["limit 60 s", "≤\N{NARROW NO-BREAK SPACE}20.0 when cut"]


def test_limits_that_ended_nothing_make_one_sample(write_records: Write, run: Make) -> None:
    found = row_of(write_records(run("a", 5.0, 20.0), run("a", 7.0, 60.0)), "a")
    assert (found["seconds"], found["repeats"]) == (6.0, 2)
    assert time_texts.limits_of(found) == []


def test_of_runs_that_were_all_cut_the_shortest_limit_bounds_the_time(write_records: Write, run: Make) -> None:
    found = row_of(write_records(run("a", 20.0, 20.0), run("a", 60.0, 60.0)), "a")
    assert (found["seconds"], found["at_most"], found["cut_at"]) == (20.0, True, 60.0)


@pytest.mark.parametrize(
    ("seconds", "limit", "verdict"), [(35.0, 60.0, "other limits"), (15.0, 60.0, "win"), (19.0, 20.0, "win")]
)
def test_nobody_wins_by_having_had_more_time(
    seconds: float, limit: float, verdict: str, write_records: Write, run: Make
) -> None:
    """A rival that misses the gap within 20 s, and the fastest within its own limit."""
    folder = write_records(run("a", seconds, limit), run("b", 20.0, 20.0, gap=0.1))
    assert place_of(folder)["verdict"] == verdict
    lost = site_tables.lost(read_runs([folder])[0].times)
    assert set(lost["competitor"]) == (set() if verdict == "other limits" else {"b"})


def test_a_rival_that_ended_by_itself_is_beaten_under_any_limit(write_records: Write, run: Make) -> None:
    assert place_of(write_records(run("a", 35.0, 60.0), run("b", 5.0, 20.0, gap=0.1)))["verdict"] == "win"


def test_the_page_names_the_limits_where_they_matter(write_records: Write, run: Make, tmp_path: Path) -> None:
    folder = write_records(run("a", 35.0, 60.0), run("b", 20.0, 20.0, gap=0.1), run("c", 20.0, 20.0, gap=0.1))
    page = reports.build([folder], tmp_path / "report").page.read_text().partition("<script")[0]
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())
    assert "Not all cases had the same time limit: 20 s (2 cases) and 60 s (1 case)." in text
    assert "the fastest on 1 was given, and needed, more time than another that its time limit ended" in text
    assert "dualip-1e5 100k 35.0 limit 60 s missed missed" in text
    assert "scaled mean" not in text  # 20 s of a failure are no less than 35 s of a success
    assert "b and c had less time: not comparable" in text
    assert "limit: the time limit, where it is not that of most" in text


def test_more_instances_than_a_byte_counts_have_their_times(write_records: Write, run: Make) -> None:
    """pandas codes the names of up to 127 instances in a byte, and does not align such an index with a wider one."""
    rows = [run("a", 1.0 + k, 600.0, instance=f"i{k}", spec_hash=f"{k}") for k in range(130)]
    found = outcomes.outcomes(load([write_records(*rows)]).cases)
    assert sorted(found.loc[found["target"] == 1e-4, "seconds"]) == [1.0 + k for k in range(130)]
