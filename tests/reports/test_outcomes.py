"""Who reached a gap, in what time and who won: by medians, within the noise, among those asked for the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.records import CaseRecord, Seconds
from reports import means, outcomes, tallies, wins
from reports.load import load
from reports.notes import few_runs

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]
Certificate = Callable[[float | None], dict[str, Any]]


@pytest.fixture
def cases_of(write_records: Write) -> Callable[..., pd.DataFrame]:
    def cases(*rows: CaseRecord) -> pd.DataFrame:
        return load([write_records(*rows)]).cases

    return cases


@pytest.fixture
def run(make_case: Make, certificate: Certificate) -> Callable[..., CaseRecord]:
    """A case by what these tests are about: run seconds, certified gap, tolerance asked."""

    def make(seconds: float, gap: float | None, tolerance: float = 1e-4, **changes: Any) -> CaseRecord:
        changes = {"spec_hash": changes.get("instance", "one")} | changes
        case = make_case(certificate=certificate(gap), seconds=Seconds(prepare=1.0, run=seconds), **changes)
        return replace(case, settings={**case.settings, "tolerance": tolerance})

    return make


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


def test_the_winner_stands_with_its_factor_over_the_next(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(2.0, 5e-5), run(7.0, 5e-5, solver="dualip"), run(9.0, 5e-3, 1e-6, solver="ortools-pdlp")]
    best = wins.winners(outcomes.outcomes(cases_of(*rows))).set_index("target")
    assert best.loc[1e-4, ["winner", "runner_up", "factor"]].tolist() == ["blockpdhg", "dualip", 3.5]
    assert pd.isna(best.loc[1e-6, "winner"])
    assert best.loc[1e-6, "best_gap"] == 5e-5
    assert best["asked"].to_dict() == {1e-4: 3, 1e-6: 1}
    assert best["verdict"].to_dict() == {1e-4: "win", 1e-6: "none"}


def verdicts(found: pd.DataFrame, target: float = 1e-4) -> list[tuple[str, str]]:
    best = wins.winners(found)
    rows = best[best["target"] == target]
    return list(rows[["instance", "verdict"]].astype(str).itertuples(index=False, name=None))


def test_a_win_needs_a_rival_that_was_asked_for_the_same(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [
        run(2.0, 5e-5, instance="beaten"),
        run(7.0, 5e-5, instance="beaten", solver="dualip"),
        run(2.0, 5e-5, instance="failed"),
        run(7.0, 5e-1, instance="failed", solver="dualip", status="time_limit"),
        run(2.0, 5e-5, instance="looser"),
        run(7.0, 5e-3, 1e-2, instance="looser", solver="dualip"),
        run(2.0, 5e-5, instance="skipped"),
        run(7.0, None, instance="skipped", solver="dualip", status="skipped"),
    ]
    assert verdicts(outcomes.outcomes(cases_of(*rows))) == [
        ("beaten", "win"),
        ("failed", "win"),
        ("looser", "walkover"),
        ("skipped", "walkover"),
    ]


def test_not_asked_is_not_none_reaches_it(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(2.0, 5e-3, 1e-2, instance="loose"), run(2.0, 5e-3, 1e-4, instance="tight", status="time_limit")]
    assert verdicts(outcomes.outcomes(cases_of(*rows))) == [("loose", "not asked"), ("tight", "none")]


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ((1.0,), (1.09,), "level"),
        ((1.0,), (1.2,), "win"),
        ((1.0, 1.2, 1.6), (1.5, 1.7, 1.8), "level"),  # the ranges overlap
        ((1.0, 1.2, 1.4), (1.5, 1.7, 1.8), "win"),
        ((1.0, 1.0, 9.0), (2.0, 2.0, 2.0), "level"),
    ],
)
def test_what_lies_within_the_spread_of_repeats_is_level(
    ours: tuple[float, ...],
    theirs: tuple[float, ...],
    verdict: str,
    cases_of: Callable[..., pd.DataFrame],
    run: Callable[..., CaseRecord],
) -> None:
    rows = [run(seconds, 5e-5, repeat=k) for k, seconds in enumerate(ours)]
    rows += [run(seconds, 5e-5, repeat=k, solver="dualip") for k, seconds in enumerate(theirs)]
    best = wins.winners(outcomes.outcomes(cases_of(*rows))).iloc[0]
    assert best["verdict"] == verdict
    assert best["level"] == (["blockpdhg", "dualip"] if verdict == "level" else ["blockpdhg"])


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "win"), (0.7, "level")])
def test_nobody_wins_over_what_others_took_from_a_rival(
    share: float, verdict: str, cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    """A rival of 3 s of which others took 70 % would have needed 0.9 s alone."""
    took = {"disturbed": "other processes took much", "disturbance": {"other_load": share, "steal": 0.0}}
    rows = [run(1.0, 5e-5), run(3.0, 5e-5, solver="dualip", **took)]
    assert verdicts(outcomes.outcomes(cases_of(*rows))) == [("dualip-1e5", verdict)]


def test_nobody_wins_over_a_solver_on_another_machine(
    write_records: Write, run: Callable[..., CaseRecord], environment: dict[str, Any]
) -> None:
    other = environment | {"id": "env-2", "cpu": "Another CPU"}
    rows = [run(1.0, 5e-5), run(9.0, 5e-5, solver="dualip", environment="env-2")]
    best = wins.winners(outcomes.outcomes(load([write_records(*rows, rows=(environment, other))]).cases))
    assert best[["machine", "verdict"]].to_numpy().tolist() == [["A", "walkover"], ["B", "walkover"]]


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


def test_claims_are_counted_with_those_the_referee_confirmed(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(1.0, 5e-5), run(1.0, 3e-4, status="inaccurate", repeat=1), run(1.0, None, status="crashed", repeat=2)]
    claims = tallies.claims(cases_of(*rows)).loc["blockpdhg"]
    assert claims[["claims", "confirmed", "crashed"]].tolist() == [2, 1, 1]
    assert claims["overstated"] == pytest.approx(3.0)


def test_everything_unsolved_is_listed_once_an_outcome_with_skipped_cases_last(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [
        run(1.0, None, status="skipped", reason="too large", solver="a"),
        *(run(60.0, 0.1, status="time_limit", reason="stopped", repeat=k, solver="b") for k in range(3)),
        run(1.0, None, status="error", reason="first line\nsecond line", solver="c"),
        run(1.0, None, status="error", raw_status="code 7", solver="d"),
        run(1.0, 5e-5, solver="e"),
    ]
    listed = tallies.failures(cases_of(*rows))
    assert listed[["competitor", "cases", "reason"]].to_numpy().tolist() == [
        ["b", 3, "stopped"],
        ["c", 1, "first line second line"],
        ["d", 1, "no feasible point recovered"],
        ["a", 1, "too large"],
    ]


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


def test_an_instance_is_told_with_who_could_not_take_it_in_one_line_each(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    form = {"families": "total: 1 row", "row_kinds": "'>=' rows", "polytopes": "5 BOX", "tightness": "0 of 1 rows"}
    cases = cases_of(
        run(1.0, 5e-5, instance="wide", instance_form=form),
        run(1.0, None, instance="wide", solver="a", status="skipped", reason="a does not take BOX sources"),
        run(1.0, None, instance="wide", solver="a", status="skipped", reason="a does not take BOX sources", repeat=1),
        run(1.0, None, instance="wide", solver="b", status="skipped", reason="no flow"),
        run(1.0, None, instance="wide", solver="c", status="skipped", reason="left out by the suite", edges=None),
        run(1.0, 5e-5, instance="of an older record"),
    )
    (told,) = tallies.forms(cases).to_dict("records")
    assert told == form | {"instance": "wide", "not_taken": "a does not take BOX sources. b: no flow"}


def test_older_records_tell_who_could_not_take_an_instance(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    (told,) = tallies.forms(cases_of(run(1.0, None, status="skipped", reason="no flow"))).to_dict("records")
    assert told["not_taken"] == "blockpdhg: no flow"
    assert told["row_kinds"] == ""


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
