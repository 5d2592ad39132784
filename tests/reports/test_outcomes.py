"""Who reached a gap, in what time and who won: by medians, within the noise, among those asked for the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.records import CaseRecord
from reports import means, outcomes
from reports.notes import few_runs

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]
Certificate = Callable[[float | None], dict[str, Any]]


def at(found: pd.DataFrame, target: float, solver: str = "blockpdhg") -> pd.Series:
    return found[(found["target"] == target) & (found["competitor"] == solver)].iloc[0]


def test_time_to_a_gap_is_the_least_over_tolerances_of_the_median_over_repeats(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    loose = [run(seconds, 5e-5, 1e-2, repeat=k) for k, seconds in enumerate((2.0, 4.0, 9.0))]
    tight = [run(seconds, 1e-7, 1e-6, repeat=k) for k, seconds in enumerate((7.0, 8.0, 9.0))]
    missed = run(0.1, 2e-2, 1e-2, repeat=3)
    found = outcomes.outcomes(cases_of(*loose, *tight, missed))
    assert [at(found, target)["seconds"] for target in (1e-2, 1e-4, 1e-6)] == [4.0, 4.0, 8.0]
    assert at(found, 1e-6)["seconds_with_prepare"] == 9.0
    assert at(found, 1e-4)[["repeats", "least", "most"]].tolist() == [3, 2.0, 9.0]


def test_a_trace_never_shortens_the_time(cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]) -> None:
    trace = {"seconds": [0.1, 5.0], "iteration": [1, 50], "gap": [1e-9, 1e-9]}
    assert at(outcomes.outcomes(cases_of(run(5.0, 5e-5, trace=trace))), 1e-4)["seconds"] == 5.0


def test_a_looser_request_is_not_asked_for_a_tighter_gap_unless_it_reaches_it(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(1.0, 5e-3, 1e-2), run(1.0, 1e-9, 1e-2, solver="dualip"), run(1.0, 1e-7, 1e-6, solver="ortools-pdlp")]
    found = outcomes.outcomes(cases_of(*rows))
    assert not at(found, 1e-6)["asked"]
    assert at(found, 1e-6, "dualip")["asked"]


@pytest.mark.parametrize(
    ("tolerances", "targets"),
    [
        ((1e-4,), [1e-4]),
        ((1e-3, 1e-6), [1e-2, 1e-4, 1e-6]),
        ((1e-5, 3e-9), [1e-4, 1e-6, 1e-8]),
        ((0.5,), list(outcomes.TARGETS)),
    ],
)
def test_a_target_that_nobody_was_asked_for_does_not_appear(
    tolerances: tuple[float, ...],
    targets: list[float],
    cases_of: Callable[..., pd.DataFrame],
    run: Callable[..., CaseRecord],
) -> None:
    assert outcomes.targets(cases_of(*(run(1.0, 1e-12, tolerance) for tolerance in tolerances))) == targets


def test_failures_count_as_their_time_limit_and_skipped_cases_not_at_all(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [
        run(2.0, 5e-5),
        run(1.0, 0.3, instance="other", status="time_limit"),
        run(1.0, None, instance="third", status="skipped"),
    ]
    table = means.success(outcomes.outcomes(cases_of(*rows))).set_index("target")
    assert table.loc[1e-4, ["asked", "reached"]].tolist() == [2, 1]
    assert table.loc[1e-4, "shift"] == 10.0  # the median of 2 and 60 is 31
    assert table.loc[1e-4, "common_mean"] == pytest.approx(math.sqrt(12 * 70) - 10)
    assert table.loc[1e-4, ["common", "all_solved", "solved_mean"]].tolist() == [2, 1, pytest.approx(2.0)]


def test_a_failure_without_a_time_limit_counts_as_the_longest_time_on_record(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [replace(run(3.0, gap, solver=s), settings={"tolerance": 1e-4}) for gap, s in ((1e-5, "a"), (None, "b"))]
    assert at(outcomes.outcomes(cases_of(*rows)), 1e-4, "b")["limit"] == 3.0


def test_profiles_compare_only_what_every_solver_was_asked(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(k + 1.0, 5e-5, instance=f"i{k}", solver=s) for k in range(4) for s in ("a", "b")]
    rows += [run(1.0, 5e-5, instance=f"i{k}", solver="half") for k in range(2)]
    rows += [run(1.0, 5e-5, instance="i3", solver="once")]
    times = means.common_times(outcomes.outcomes(cases_of(*rows)), 1e-4)
    assert list(times.columns) == ["a", "b", "half"]
    assert list(times.index) == ["i0", "i1"]


def test_a_time_behind_which_a_repeat_was_disturbed_is_marked(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    swapped = {"disturbed": "5000 pages were swapped"}
    rows = [
        run(1.0, 5e-5),
        replace(run(3.0, 5e-5, repeat=1), **swapped),
        run(2.0, 5e-5, solver="dualip"),
        replace(run(9.0, 5e-7, 1e-6, solver="dualip"), **swapped),
    ]
    found = outcomes.outcomes(cases_of(*rows))
    assert at(found, 1e-4)["disturbed"]
    assert not at(found, 1e-4, "dualip")["disturbed"]  # another tolerance was
    assert at(found, 1e-6, "dualip")["disturbed"]


def test_a_run_in_which_a_disturbance_would_not_show_is_told_apart_from_an_undisturbed_one(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    """Three ticks are 30 ms; a tenth of two cores takes 150 ms to fill them."""
    rows = [
        run(0.1, 5e-5, disturbance={"seconds": 0.149, "cores": 2, "other_load": 0.0}),
        run(0.2, 5e-5, solver="dualip", disturbance={"seconds": 0.151, "cores": 2, "other_load": 0.0}),
        run(0.1, 5e-5, solver="ortools-pdlp"),  # an old record, or one of another system: nothing is known
    ]
    found = outcomes.outcomes(cases_of(*rows))
    assert [bool(at(found, 1e-4, solver)["too_short"]) for solver in ("blockpdhg", "dualip", "ortools-pdlp")] == [
        True,
        False,
        False,
    ]


def test_a_time_of_fewer_runs_than_the_method_asks_for_is_noted_with_its_extremes(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(seconds, 5e-5, repeat=k) for k, seconds in enumerate((1.0, 1.1, 1.2, 1.3, 50.0))]
    rows += [run(2.0, 5e-5, solver="dualip")]
    found = outcomes.outcomes(cases_of(*rows))
    assert at(found, 1e-4)[["repeats", "runs_asked", "least", "most"]].tolist() == [5, 5, 1.0, 50.0]
    assert at(found, 1e-4, "dualip")[["repeats", "runs_asked"]].tolist() == [1, 5]
    (line,) = few_runs(found[found["target"] == 1e-4])
    assert line.startswith("1 of 2 times rest on fewer runs")
    assert few_runs(found[found["competitor"] == "blockpdhg"]) == []


def test_a_run_that_ended_at_its_limit_and_reached_the_gap_asks_for_no_other(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(30.0, 5e-5, 1e-6, status="time_limit"), run(1.0, 5e-5, solver="dualip")]
    found = outcomes.outcomes(cases_of(*rows))
    asked = [at(found, 1e-4, solver)["runs_asked"] for solver in ("blockpdhg", "dualip")]
    assert asked == [1, 5]
