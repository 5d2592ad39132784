"""Series of days: each solve begins from yesterday's answer alone, and a killed series goes on as if never killed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import carried, records, solve
from harness.case import Case
from harness.cli import BAD_INPUT, invoke
from harness.folder import open_folder
from harness.records import CaseRecord
from harness.recurring.plan import chains, series_of
from harness.recurring.run import missing_days, run_days
from harness.staying import churn
from harness.steps import Step
from harness.suite import Suite, SuiteError
from harness.suite_file import load_suite, parse_suite
from harness.trust.compare import compare
from harness.trust.verify import Outcome, verify
from instances import SpecError, generate, parse_spec, stayed

SPEC = "unit:sources=300,destinations=12,degree=4,seed=5"
SUITE = f"""
instances = ["{SPEC}"]
solvers = ["blockpdhg", "scipy-highs-ds"]
tolerances = [1e-4]
time_limit = 60
threads = 1
days = 2
drifts = [0.05]
"""


class Silent:
    """Shows nothing, and interrupts the run once so many solves are recorded."""

    def __init__(self, most: int = 1000) -> None:
        self._left = most

    def begin(self, case: Case) -> None: ...

    def tick(self, step: Step) -> None: ...

    def leave_out(self) -> None: ...

    def end(self, record: CaseRecord) -> None:  # noqa: ARG002 - the contract
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


def suite_with(change: str = "") -> Suite:
    return parse_suite("s", (SUITE + change).encode())


def run(folder: Path, *, most: int = 1000, resume: bool = False, keep_x: bool = False) -> list[dict[str, Any]]:
    suite = suite_with()
    run_days(suite, open_folder(suite, folder, resume=resume), Silent(most), in_process=True, keep_x=keep_x)
    return records.read(folder).recurring


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return run(tmp_path_factory.mktemp("days") / "out")


def without_times(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("case", "spec", "status", "iterations", "certificate", "day", "chain", "churn", "stayed_edges", "x_hash")
    return {name: row[name] for name in kept} | {"start": row["start"] and row["start"]["hash"]}


def test_every_chain_has_a_row_a_day(rows: list[dict[str, Any]]) -> None:
    found = [(row["day"], row["solver"], row["chain"]) for row in rows]
    later = [("blockpdhg", "cold"), ("blockpdhg", "warm"), ("blockpdhg", "prices"), ("scipy-highs-ds", "cold")]
    first = [(0, solver, "cold") for solver in ("blockpdhg", "scipy-highs-ds")]
    assert found == [*first, *((day, *chain) for day in (1, 2) for chain in later)]
    assert {row["status"] for row in rows} == {"solved"}
    assert [row["spec"] for row in rows if row["solver"] != "blockpdhg"] == [
        parse_spec(f"{SPEC},day={day},drift=0.05").text for day in range(3)
    ]


def test_a_day_begins_from_yesterdays_answer_and_tells_how_far_it_went(rows: list[dict[str, Any]]) -> None:
    specs = [parse_spec(f"{SPEC},day={day},drift=0.05") for day in range(2)]
    lps = [generate(spec) for spec in specs]
    same = stayed((specs[0], lps[0]), (specs[1], lps[1]))
    asked: dict[str, Any] = {"tolerance": 1e-4, "threads": 1, "time_limit": 60.0}
    cold = solve(lps[0], "blockpdhg", **asked)
    assert cold.start is not None
    warm = solve(lps[1], "blockpdhg", start=carried(cold.start, same, lps[1]), **asked)
    (row,) = [row for row in rows if (row["day"], row["chain"]) == (1, "warm")]
    assert warm.started is not None
    assert warm.answer is not None
    assert warm.answer.x is not None
    assert row["start"]["hash"] == warm.started.hash
    assert row["iterations"] == warm.answer.iterations
    assert cold.answer is not None
    assert cold.answer.x is not None
    assert row["churn"] == churn(warm.answer.x[same.after], cold.answer.x[same.before])
    assert row["stayed_edges"] == same.before.size


def test_prices_alone_leave_the_decisions_aside(rows: list[dict[str, Any]]) -> None:
    assert {row["start"]["parts"] for row in rows if row["chain"] == "prices"} == {"dual"}
    assert {row["start"]["parts"] for row in rows if row["chain"] == "warm"} == {"x and dual"}
    assert all(row["start"] is None for row in rows if row["chain"] == "cold")


@pytest.mark.parametrize("most", [1, 5, 7])
def test_a_killed_series_goes_on_as_if_it_had_not_been(tmp_path: Path, rows: list[dict[str, Any]], most: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", most=most)
    assert len(records.read(tmp_path / "out").recurring) == most
    assert len(missing_days(suite_with(), open_folder(suite_with(), tmp_path / "out", resume=True))) == len(rows) - most
    again = run(tmp_path / "out", resume=True)
    assert [without_times(row) for row in again] == [without_times(row) for row in rows]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"records.jsonl", "duals"}
    found = list(verify(tmp_path / "out"))
    assert [one.outcome for one in found] == [Outcome.AGREES] * len(rows)


def test_x_is_kept_where_asked_for_and_derived_from(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", most=4, keep_x=True)
    found = list(verify(tmp_path / "out"))
    assert [one.outcome for one in found] == [Outcome.AGREES] * 4
    assert {one.detail for one in found} == {"bound and feasible objective derived"}


def test_days_are_compared_with_the_same_day_of_another_run(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    run(tmp_path / "out")
    again = records.read(tmp_path / "out")
    found = compare(again, again)
    assert len(found.ratios) == len(rows)
    assert {ratio.case.split("drift 0.05|")[1] for ratio in found.ratios if ratio.solver == "blockpdhg"} == {
        "day 0|cold",
        *(f"day {day}|{chain}" for day in (1, 2) for chain in ("cold", "warm", "prices")),
    }


def test_a_suite_with_days_repeats_what_is_short_and_records_the_speed_of_the_machine(tmp_path: Path) -> None:
    suite = dataclasses.replace(suite_with(), solvers=("blockpdhg",), days=1, repeats="auto", reference=True)
    with pytest.raises(KeyboardInterrupt):
        run_days(suite, open_folder(suite, tmp_path / "out", resume=False), Silent(13), in_process=True)
    folder = open_folder(suite, tmp_path / "out", resume=True)
    assert len(missing_days(suite, folder)) == 7
    run_days(suite, folder, Silent(), in_process=True)
    found = records.read(tmp_path / "out")
    repeats = [(row["day"], row["chain"], row["repeat"]) for row in found.recurring]
    assert sorted(repeats) == sorted(
        [(0, "cold", repeat) for repeat in range(5)]
        + [(1, chain, repeat) for chain in ("cold", "warm", "prices") for repeat in range(5)]
    )
    assert len({row["start"]["hash"] for row in found.recurring if row["chain"] == "warm"}) == 1
    assert {(row["moment"], row["kernel"]) for row in found.references} >= {("start", "glop"), ("middle", "numpy")}


def test_a_folder_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", most=1)
    folder = open_folder(suite_with(), tmp_path / "out", resume=True)
    other = dataclasses.replace(suite_with(), dtype="float64")
    with pytest.raises(SuiteError, match="cannot go on, dtype of blockpdhg is another: choose another --out"):
        missing_days(other, folder)


def test_chains_follow_from_what_a_solver_can_begin_from() -> None:
    card = suite_with().card("blockpdhg")
    names = [
        [chain.name for chain in chains(dataclasses.replace(card, warm_starts=parts, stays=stays), (0.001, 0.5))]
        for parts, stays in (((), False), (("dual",), False), (("x", "dual"), True))
    ]
    assert names == [["cold"], ["cold", "warm"], ["cold", "warm", "prices", "stay 0.001", "stay 0.5"]]


def test_real_data_go_as_far_as_they_reach() -> None:
    suite = dataclasses.replace(suite_with(), instances=("journey-quarter-3", SPEC), days=4, drifts=(0.01, 0.05))
    found = [(series.instance, series.drift, len(series.days)) for series in series_of(suite)]
    assert found == [("journey-quarter-3", None, 2), (SPEC, 0.01, 5), (SPEC, 0.05, 5)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("stays = [0.0]", "stays=[0.0]: expected numbers > 0"),
        ("stays = [1e-3, 1e-3]", "stays lists 0.001 twice"),
    ],
)
def test_bad_series_are_refused_in_one_line(change: str, message: str) -> None:
    with pytest.raises(SuiteError) as refusal:
        suite_with(change)
    assert message in str(refusal.value)


def test_an_instance_without_days_is_refused() -> None:
    suite = dataclasses.replace(suite_with(), instances=("movielens",))
    with pytest.raises(SpecError, match=r"movielens:capacity=1 has no next day: use a generated family"):
        series_of(suite)


def test_options_that_contradict_days_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "days.toml").write_text(SUITE)
    command = ["run", str(tmp_path / "days.toml"), "--out", str(tmp_path / "out"), "--resume", "--rerun-disturbed"]
    assert invoke(command) == BAD_INPUT
    assert "a suite with days takes no --rerun-disturbed: each day has begun from the last" in capsys.readouterr().err


def test_the_suite_recurring_can_be_run() -> None:
    suite = load_suite("recurring")
    lengths = {(series.instance, series.drift): len(series.days) for series in series_of(suite)}
    assert set(lengths.values()) == {1 + suite.days}
    assert len(lengths) == len(suite.drifts) * (len(suite.instances) - 1) + 1  # the quarters of a year are one series
