"""Who won: within the noise of repeats, among those asked for the same gap on the same machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.records import CaseRecord
from reports import outcomes, wins
from reports.load import load

Write = Callable[..., Path]


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
