"""The tables of README say what the published records say: the newest of each solver, its rivals, where ours loses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.records import RECORDS_FILE, CaseRecord, Seconds, append
from reports import readme_tables
from reports.newest import newest, published_cases
from reports.time_texts import NARROW

Make = Callable[..., CaseRecord]
LATER = "2026-02-02T00:00:00Z"
BLOCK = "before\n<!-- begin fixture -->\nwhat was there\n<!-- end -->\nafter\n"


@pytest.fixture
def run(make_case: Make, certificate: Callable[[float | None], dict[str, Any]]) -> Make:
    """A case of ours unless it names a solver, within the gap unless it says another one."""

    def make(seconds: float, solver: str = "blockpdhg", gap: float = 5e-5, **changes: Any) -> CaseRecord:
        changes = {"instance": "one", "time": "2026-01-01T00:00:00Z"} | changes
        changes = {"spec_hash": changes["instance"], "seconds": Seconds(prepare=0.0, run=seconds)} | changes
        return make_case(solver=solver, certificate=certificate(gap), **changes)

    return make


@pytest.fixture
def published(tmp_path: Path, environment: dict[str, Any]) -> Callable[..., pd.DataFrame]:
    """The cases of folders by their names."""

    def write(**folders: list[CaseRecord]) -> pd.DataFrame:
        for name, rows in folders.items():
            (tmp_path / name).mkdir()
            for row in [environment, *rows]:
                append(tmp_path / name / RECORDS_FILE, row)
        return published_cases(tmp_path)

    return write


def told(cases: pd.DataFrame) -> str:
    return readme_tables.filled(BLOCK, cases).replace(NARROW, " ")


def test_readme_is_what_the_published_records_say() -> None:
    assert readme_tables.main(["--check"]) == 0, "run python -m reports.readme_tables"


def test_a_block_is_made_anew_and_nothing_else_is_touched(run: Make, published: Callable[..., pd.DataFrame]) -> None:
    cases = published(first=[run(1.0), run(3.0, "a")])
    made = told(cases)
    assert made.startswith("before\n<!-- begin fixture -->\n")
    assert made.endswith("<!-- end -->\nafter\n")
    assert "what was there" not in made
    assert readme_tables.filled(readme_tables.filled(BLOCK, cases), cases) == readme_tables.filled(BLOCK, cases)
    assert "No record of this suite is published." in readme_tables.filled(BLOCK.replace("fixture", "other"), cases)


def test_the_newest_run_of_a_solver_counts_whole(run: Make, published: Callable[..., pd.DataFrame]) -> None:
    """The later run of ours was slower: it counts, and a factor over a rival of the earlier folder says so."""
    cases = published(first=[run(1.0), run(9.0, "a")], second=[run(3.0, time=LATER)])
    made = told(cases)
    assert "| one | 100,000 | **3.00** | a | 9.00 | 3.00† |" in made
    assert "`first` (`a`) and `second` (`blockpdhg`). †: the two times are of different folders." in made
    assert "2026-01-01 to 2026-02-02" in made


def test_a_case_that_was_skipped_later_does_not_hide_one_that_was_tried(
    run: Make, published: Callable[..., pd.DataFrame]
) -> None:
    skipped = run(0.0, "a", status="skipped", reason="left out", time=LATER)
    made = newest(published(first=[run(1.0), run(9.0, "a")], second=[skipped]))
    assert set(made["folder"]) == {"first"}


def test_nothing_measured_on_an_older_instance_of_the_same_name_counts(
    run: Make, published: Callable[..., pd.DataFrame]
) -> None:
    cases = published(first=[run(1.0), run(9.0, "a")], second=[run(3.0, spec_hash="made anew", time=LATER)])
    assert set(newest(cases)["competitor"]) == {"blockpdhg"}


def test_where_ours_does_not_win_is_said(run: Make, published: Callable[..., pd.DataFrame]) -> None:
    late = {"status": "time_limit"}
    rows = [
        *(run(2.0, instance=name) for name in ("beaten", "cut", "level", "lost", "vain", "walkover")),
        run(60.0, gap=0.5, instance="missed", **late),
        run(9.0, "a", instance="beaten"),
        run(30.0, "a", instance="cut", **late),
        run(2.1, "a", instance="level"),
        run(1.0, "a", instance="lost"),
        run(60.0, "a", gap=0.5, instance="vain", **late),
        run(5.0, "a", instance="missed"),
    ]
    made = told(published(first=rows))
    assert "clearly faster than all others asked on 2 of 7" in made
    assert "level on level (`a` 2.10 s, ours 2.00)" in made
    assert "**slower on lost (`a` 1.00 s, ours 2.00)**" in made
    assert "**not there on missed (`a` 5.00 s, ours missed)**" in made
    assert "not comparable on cut (`a` ≤ 30.0 s), as a limit ended those runs within the gap" in made
    assert "nobody to compare with on walkover" in made
    assert "| cut | 100,000 | 2.00 | a | ≤ 30.0 | not comparable |" in made
    assert "| vain | 100,000 | **2.00** | none of 1 | &gt; 60.0 | &gt; 30.0 |" in made
    assert "| lost | 100,000 | 2.00 | a | **1.00** | 0.500 |" in made


def test_a_rival_that_is_clearly_faster_beats_ours_though_a_third_is_not_comparable(
    run: Make, published: Callable[..., pd.DataFrame]
) -> None:
    rows = [run(5.0), run(1.0, "a"), run(30.0, "b", status="time_limit")]
    assert "**slower on one (`a` 1.00 s, ours 5.00)**" in told(published(first=rows))


def test_every_solver_that_was_asked_stands_in_the_folded_table_with_options_apart(
    run: Make, published: Callable[..., pd.DataFrame]
) -> None:
    tuned = {"tolerance": 1e-4, "options": {"presolve": True}}
    made = told(published(first=[run(1.0), run(2.0, "a"), run(3.0, "b"), run(0.1, "c", settings=tuned)]))
    assert "| instance | edges | blockpdhg | a | b |" in made
    assert "| one | 100k | **1.00** | 2.00 | 3.00 |" in made


def test_a_solver_alone_has_its_steps_by_size_and_no_factor(run: Make, published: Callable[..., pd.DataFrame]) -> None:
    made = told(published(first=[run(1.0, iterations=7)]))
    assert "| 10,000 x 100 | 100,000 | 1M | 1.00 | 7 | 5.00e-5 |" in made
    assert "faster" not in made
