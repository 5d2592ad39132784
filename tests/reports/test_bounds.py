"""A run that a limit ended within the gap was there at an unknown time before: no win, factor or loss is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reports
from harness.records import CaseRecord, Seconds
from reports import growth, means, outcomes, site_tables, time_texts, wins
from reports.figures import sizes_of
from reports.load import load
from reports.site_runs import read_runs

Run = Callable[..., CaseRecord]
Cases = Callable[..., pd.DataFrame]
LIMIT = 30.0


@pytest.fixture
def run(make_case: Run, certificate: Callable[[float | None], dict[str, Any]]) -> Run:
    """A case by its run seconds and the solver; `gap` is reached unless it is given."""

    def make(seconds: float, solver: str = "a", gap: float = 5e-5, **changes: Any) -> CaseRecord:
        changes = {"instance": "one", "solver": solver} | changes
        changes |= {"spec_hash": changes["instance"], "seconds": Seconds(prepare=0.0, run=seconds)}
        return make_case(certificate=certificate(gap), **changes)

    return make


@pytest.fixture
def cut(run: Run) -> Run:
    """A case that its time limit ended, within the gap."""

    def make(seconds: float = LIMIT, solver: str = "b", **changes: Any) -> CaseRecord:
        return run(seconds, solver, status="time_limit", **changes)

    return make


@pytest.fixture
def cases_of(write_records: Callable[..., Path]) -> Cases:
    def cases(*rows: CaseRecord) -> pd.DataFrame:
        return load([write_records(*rows)]).cases

    return cases


def place(cases: pd.DataFrame) -> dict[Any, Any]:
    (row,) = wins.winners(outcomes.outcomes(cases)).to_dict("records")
    return dict(row)


def at_most(cases: pd.DataFrame) -> dict[str, bool]:
    found = outcomes.outcomes(cases)
    return {row["competitor"]: bool(row["at_most"]) for row in found.to_dict("records")}


def test_nobody_wins_over_a_rival_that_a_limit_ended_within_the_gap(run: Run, cut: Run, cases_of: Cases) -> None:
    """1 s against one that was there some time before 30 s, and 5 s of a third: who was first is not known."""
    found = place(cases_of(run(1.0), cut(), run(5.0, "c")))
    assert found["verdict"] == "not comparable"
    assert found["at_most_of"] == {"b": LIMIT}
    assert (found["winner"], found["runner_up"], found["factor"]) == ("a", "c", 5.0)  # of those whose time is known


def test_a_rival_that_misses_the_gap_before_the_limit_is_still_beaten(run: Run, cut: Run, cases_of: Cases) -> None:
    assert place(cases_of(run(1.0), cut(gap=0.1)))["verdict"] == "win"


@pytest.mark.parametrize(
    ("rival", "verdict"), [(40.0, "win"), (32.0, "level"), (29.0, "not comparable")], ids=["longer", "near", "shorter"]
)
def test_who_needs_longer_than_its_limit_is_slower_and_nobody_else(
    rival: float, verdict: str, run: Run, cut: Run, cases_of: Cases
) -> None:
    assert place(cases_of(run(rival), cut()))["verdict"] == verdict


def test_two_that_were_cut_are_not_comparable_with_each_other(cut: Run, cases_of: Cases) -> None:
    assert place(cases_of(cut(1.0), cut(solver="c")))["verdict"] == "not comparable"


def test_a_cut_run_counts_for_no_more_than_one_that_ended_by_itself(run: Run, cut: Run, cases_of: Cases) -> None:
    whole = run(5.0, "b")
    tighter = cut()
    tighter = replace(tighter, settings={**tighter.settings, "tolerance": 1e-6})
    found = outcomes.outcomes(cases_of(run(1.0), whole, tighter))
    (rival,) = found[(found["competitor"] == "b") & (found["target"] == 1e-4)].to_dict("records")
    assert (rival["seconds"], bool(rival["at_most"])) == (5.0, False)


def test_one_cut_repeat_makes_the_median_a_bound(run: Run, cut: Run, cases_of: Cases) -> None:
    rows = [run(5.0, "b"), run(6.0, "b", repeat=1), cut(repeat=2)]
    assert at_most(cases_of(*rows)) == {"b": True}


@pytest.mark.parametrize(("limit", "bounded"), [(1000, True), (None, False)], ids=["of the suite", "its own"])
def test_iterations_are_a_limit_where_the_suite_sets_them(
    limit: int | None, *, bounded: bool, run: Run, cases_of: Cases
) -> None:
    case = run(2.0, status="iteration_limit")
    assert at_most(cases_of(replace(case, settings={**case.settings, "iteration_limit": limit}))) == {"a": bounded}


def test_means_with_a_bound_are_bounds_and_those_of_what_all_solved_leave_it_out(
    run: Run, cut: Run, cases_of: Cases
) -> None:
    rows = [run(2.0, name, instance=f"i{k}") for name in "ab" for k in range(2)]
    rows += [run(2.0, instance="i2"), cut(instance="i2")]
    found = outcomes.outcomes(cases_of(*rows))
    rates = means.success(found).set_index("competitor")
    assert rates["common_at_most"].to_dict() == {"a": False, "b": True}
    assert rates["all_solved"].to_dict() == {"a": 2, "b": 2}
    assert rates["solved_scaled"].to_dict() == {"a": 1.0, "b": 1.0}
    assert means.common_times(found, 1e-4).index.tolist() == ["i0", "i1"]


def test_a_ratio_of_two_bounds_is_none() -> None:
    def text(scaled: float, *, at_most: bool, scale_at_most: bool) -> str:
        return time_texts.scaled_mean_cell(scaled, 3.0, at_most=at_most, scale_at_most=scale_at_most).text

    assert text(2.0, at_most=False, scale_at_most=False) == "2.00"
    assert text(2.0, at_most=True, scale_at_most=False).startswith("≤")
    assert text(2.0, at_most=False, scale_at_most=True).startswith("≥")
    assert text(2.0, at_most=True, scale_at_most=True) == "not comparable"
    assert text(1.0, at_most=True, scale_at_most=True) == "1.00"


def test_growth_and_losses_are_of_known_times_alone(
    run: Run, cut: Run, cases_of: Cases, write_records: Callable[..., Path]
) -> None:
    rows = [cut(instance=f"i{k}", edges=10**k) for k in (3, 4)] + [run(1.0, instance="i3", edges=1000)]
    cases = cases_of(*rows)
    assert growth.growth(outcomes.outcomes(cases), sizes_of(cases)).empty
    (site,) = read_runs([write_records(*rows, name="again")])
    assert site_tables.lost(site.times).empty
    assert site_tables.won(site.times).empty


def test_the_page_says_so_wherever_the_time_stands(
    run: Run, cut: Run, write_records: Callable[..., Path], tmp_path: Path
) -> None:
    """Headline, matrix, table of wins, table of times, CSV and figure; and no factor of 30 anywhere."""
    built = reports.build([write_records(run(1.0), cut(), run(5.0, "c"))], tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text().replace("\N{NARROW NO-BREAK SPACE}", " ")
    answer, times = text.partition("## Fastest")[::2]
    assert "To 1e-4: not comparable on 1, where a limit ended the run of a solver that had reached it" in answer
    assert "| one | 100k | 1.00 | 5.00 | ≤ 30.0 |" in answer
    assert "b ≤ 30.0 s: not comparable; 5.00× faster than c" in times
    assert "≤ 30.0 (not comparable · 30.0)" in times
    assert "30.0×" not in text
    table = pd.read_csv(built.page.parent / "tables" / "time-to-1e-4.csv").set_index("competitor")
    assert table["at_most"].to_dict() == {"a": False, "b": True, "c": False}
    assert pd.isna(table.loc["b", "factor"])
    assert ">≤</text>" in (built.page.parent / "figures" / "time-by-instance-1e-4.svg").read_text()
