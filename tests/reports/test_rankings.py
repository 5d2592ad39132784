"""What cannot become a win: another machine, another division, a walkover, a case not asked; and what the page says."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.records import CaseRecord, Seconds
from reports import means, outcomes, tables, time_tables, wins
from reports.headline import headline
from reports.load import load
from reports.palette import DASHES, styles
from reports.rankings import rankings

Run = Callable[..., CaseRecord]
Cases = Callable[..., pd.DataFrame]


@pytest.fixture
def run(make_case: Run, certificate: Callable[[float | None], dict[str, Any]]) -> Run:
    """A case by its run seconds, certified gap and options."""

    def make(seconds: float, gap: float | None = 5e-5, options: dict[str, Any] | None = None, **changes: Any) -> Any:
        changes = {"instance": "one", "solver": "a"} | changes
        changes |= {"spec_hash": changes["instance"], "seconds": Seconds(prepare=0.0, run=seconds)}
        case = make_case(certificate=certificate(gap), **changes)
        return replace(case, settings={**case.settings, "options": options or {}})

    return make


@pytest.fixture
def cases_of(write_records: Callable[..., Path], environment: dict[str, Any]) -> Cases:
    """The cases of two machines, "env-1" and "env-2"."""
    other = environment | {"id": "env-2", "cpu": "Another CPU"}

    def cases(*rows: CaseRecord) -> pd.DataFrame:
        return load([write_records(*rows, rows=(environment, other))]).cases

    return cases


def words(cases: pd.DataFrame) -> list[str]:
    found = outcomes.outcomes(cases)
    best = wins.winners(found)
    return [
        " ".join(filter(None, headline(ranking.of(cases), rows, ranking.of(best), 1e-4, ranking.label)))
        for ranking, rows in rankings(found)
    ]


TUNED = {"presolve": True}


def test_nobody_wins_over_a_solver_of_the_other_division(run: Run, cases_of: Cases) -> None:
    cases = cases_of(run(1.0), run(9.0, options=TUNED, solver="b", variant="b-tuned"))
    best = wins.winners(outcomes.outcomes(cases))
    assert best[["division", "winner", "verdict"]].to_numpy().tolist() == [
        ["default", "a", "walkover"],
        ["tuned", "b-tuned", "walkover"],
    ]
    assert words(cases) == [
        "To 1e-4: a, the only solver asked, on 1 of 1 instance.",
        "To 1e-4 (tuned division): b-tuned, the only solver asked, on 1 of 1 instance. "
        "Options: b-tuned is b with presolve=true.",
    ]


def test_no_word_of_a_record_moves_a_case_with_options_out_of_the_tuned_division(run: Run, cases_of: Cases) -> None:
    cases = cases_of(run(1.0, options=TUNED, division="default"), run(1.0, solver="b", division="tuned"), run(1.0))
    told = cases[["solver", "division"]].drop_duplicates().itertuples(index=False, name=None)
    assert set(told) == {("a", "tuned"), ("b", "tuned"), ("a", "default")}


def test_a_variant_is_a_competitor_of_its_own(run: Run, cases_of: Cases) -> None:
    rows = [run(1.0, options={"k": k}, variant=f"a-{k}") for k in (1, 2)]
    assert set(cases_of(*rows)["competitor"]) == {"a-1", "a-2"}


@pytest.mark.parametrize(
    "apart",
    [{"environment": "env-2"}, {"options": TUNED, "variant": "b-tuned"}],
    ids=["machine", "division"],
)
def test_means_and_profiles_of_one_ranking_know_nothing_of_another(
    apart: dict[str, Any], run: Run, cases_of: Cases
) -> None:
    """The rival of the other ranking takes 100 times as long everywhere: nothing may be scaled by it, or it by us."""
    ours = [run(k + 1.0, instance=f"i{k}") for k in range(4)]
    theirs = [run(100.0 * (k + 1), instance=f"i{k}", solver="b", **apart) for k in range(4)]
    found = outcomes.outcomes(cases_of(*ours, *theirs))
    rates = means.success(found)
    assert rates["common_scaled"].tolist() == [1.0, 1.0]
    assert rates["solved_scaled"].tolist() == [1.0, 1.0]
    assert [means.common_times(rows, 1e-4).shape for _, rows in rankings(found)] == [(4, 1), (4, 1)]


def test_tables_of_two_rankings_are_two_tables(run: Run, cases_of: Cases) -> None:
    rows = [run(1.0), run(2.0, solver="b"), run(0.5, options=TUNED, variant="a-tuned")]
    cases = cases_of(*rows)
    found = outcomes.outcomes(cases)
    looks = styles(dict(zip(cases["competitor"], cases["solver"], strict=True)))
    named = tables.instance_cells(cases)
    made = [
        *time_tables.winner_tables(wins.winners(found), named, looks),
        *time_tables.time_tables(found, named, looks),
        *tables.success_tables(means.success(found), looks),
    ]
    assert [table.name for table in made] == [
        "winners",
        "winners-tuned-division",
        "time-to-1e-4",
        "time-to-1e-4-tuned-division",
        "success",
        "success-tuned-division",
    ]
    shown = {table.name: " ".join(cell.text for row in table.rows for cell in row) for table in made}
    assert "a-tuned" not in shown["winners"] + shown["success"]
    (cells,) = made[3].rows
    assert [cell.best for cell in cells] == [False, False]  # alone in its division


def test_a_failure_counts_as_its_limit_among_common_instances_and_not_among_those_that_all_solved(
    run: Run, cases_of: Cases
) -> None:
    rows = [run(4.0, instance=f"i{k}") for k in range(3)] + [run(8.0, instance=f"i{k}", solver="b") for k in range(2)]
    rows += [run(60.0, 0.1, instance="i2", solver="b", status="time_limit")]
    table = means.success(outcomes.outcomes(cases_of(*rows))).set_index("competitor")
    assert table["shift"].tolist() == [1.0, 1.0]
    assert table["reached"].to_dict() == {"a": 3, "b": 2}
    assert table["all_solved"].to_dict() == {"a": 2, "b": 2}
    assert table["solved_mean"].to_dict() == pytest.approx({"a": 4.0, "b": 8.0})
    assert table["solved_scaled"].to_dict() == pytest.approx({"a": 1.0, "b": 2.0})
    assert table.loc["b", "common_mean"] == pytest.approx(math.cbrt(9 * 9 * 61) - 1)
    assert table.loc["a", "common_scaled"] == 1.0


def test_a_solver_that_solves_next_to_nothing_leaves_the_others_their_common_instances(
    run: Run, cases_of: Cases
) -> None:
    rows = [run(4.0, instance=f"i{k}", solver=solver) for k in range(3) for solver in "ab"]
    rows += [run(60.0, 0.1, instance=f"i{k}", solver="c", status="time_limit") for k in range(3)]
    table = means.success(outcomes.outcomes(cases_of(*rows))).set_index("competitor")
    assert table["all_solved"].tolist() == [3, 3, 3]
    assert math.isnan(table.loc["c", "solved_mean"])
    assert table.loc["c", "common_mean"] == pytest.approx(60.0)


def test_the_headline_says_against_whom_how_many_were_asked_and_who_was_not_and_why(run: Run, cases_of: Cases) -> None:
    rows = [run(1.0, instance=f"i{k}") for k in range(4)]
    rows += [run(3.0 * (k + 1), instance=f"i{k}", solver="b") for k in range(2)]
    rows += [run(1.05, instance="i2", solver="b")]
    rows += [run(1.0, instance="i4"), run(60.0, 0.1, instance="i4", solver="b", status="time_limit")]
    rows += [run(0.0, None, instance="i3", solver="b", status="skipped", reason="no flow problem")]
    rows += [run(2.0, 5e-3, instance="i0", solver="c")]
    loose = rows[-1]
    rows[-1] = replace(loose, settings={**loose.settings, "tolerance": 1e-2})
    assert words(cases_of(*rows)) == [
        "To 1e-4: a is fastest on 3 of 5 instances, 3.00× to 6.00× faster than b (on 1 of them no other reaches it); "
        "level on 1; one solver alone was asked on 1; 2 solvers were asked. "
        "Not asked: b on 1 of 5 (no flow problem); c on 5 of 5 (no case; asked for a larger gap only).",
    ]


def test_our_own_solvers_look_like_all_others() -> None:
    """A colour, a marker and a dash: nothing else tells them apart, and a name does not make one bold."""
    looks = styles({name: name for name in ("blockpdhg", "dualip", "ortools-pdlp", "mine")})
    assert len({(look.slot, look.marker) for look in looks.values()}) == len(looks)
    assert {look.dash for look in looks.values()} <= set(DASHES)
    assert set(looks["blockpdhg"].__dataclass_fields__) == {"slot", "marker", "dash", "number"}


def test_no_ranking_knows_a_run_that_was_cut_short(run: Run, cases_of: Cases) -> None:
    """It reached the gap in a tenth of the time, at a limit that nobody could have known beforehand."""
    cases = cases_of(run(1.0), run(0.1, case="short", anytime=True), run(0.5, solver="b"))
    best = wins.winners(outcomes.outcomes(cases))
    assert best[["winner", "runner_up", "factor"]].to_numpy().tolist() == [["b", "a", 2.0]]
