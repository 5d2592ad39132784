"""The table at the end of a run."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from rich.console import Console

from harness.display import wide_console
from harness.records import as_row
from harness.summary import summary_table
from tests.support.records import case_record


def case(solver: str, seconds: float, **changes: Any) -> dict[str, Any]:
    return {**as_row(case_record(solver=solver, **changes)), "seconds": {"run": seconds}}


def shown(*rows: dict[str, Any], styled: bool = False) -> str:
    console = Console(file=StringIO(), width=160, force_terminal=styled, color_system="standard" if styled else None)
    console.print(summary_table(rows))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_cell_is_the_median_over_the_repeats() -> None:
    rows = [case("a", seconds, repeat=k) for k, seconds in enumerate((0.5, 4.0, 1.25))]
    assert "1.25 (-)" in shown(*rows)


def test_a_gap_that_is_certified_is_reached_whatever_ended_the_solver() -> None:
    """The report counts it, so the table does."""
    judged = {"certificate": {"certified_gap": 5e-5}, "status": "iteration limit"}
    assert "0.25 (5e-5), iteration limit" in shown(case("a", 0.25) | judged)
    missed = {"certificate": {"certified_gap": 5e-3}, "status": "iteration limit"}
    assert re.search(r"a +iteration limit", shown(case("a", 0.25) | missed))


def test_a_negative_gap_is_never_reached() -> None:
    assert re.search(
        r"a +inaccurate", shown(case("a", 0.1) | {"certificate": {"certified_gap": -1.0}, "status": "inaccurate"})
    )


def test_marks_are_explained_once_where_they_stand() -> None:
    short = {"disturbance": {"seconds": 0.02, "cores": 2}}
    text = shown(case("a", 0.02) | short, case("b", 3.0) | {"disturbed": "5000 pages were swapped"}, case("c", 1.0))
    assert "0.02° (" in text
    assert "3~ (" in text
    assert text.count("too short to tell") == 1
    assert text.count("disturbed by other work") == 1
    assert "too short" not in shown(case("c", 1.0))


def test_the_fastest_that_solved_every_repeat_is_bold() -> None:
    rows = [case("a", 1.0), case("b", 2.0), case("c", 0.1, status="time_limit")]
    text = shown(*rows, styled=True)
    assert re.findall(r"\x1b\[1m *(\d) \(-\)", text) == ["1"]
    assert "time limit" in text


def test_kinds_of_rows_and_who_could_not_take_them_stand_below_the_table() -> None:
    form = {"instance_form": {"row_kinds": "several families, soft rows"}}
    text = shown(case("a", 1.0) | form, case("b", 1.0, status="skipped") | form, case("c", 1.0, instance="plain"))
    assert "i: several families, soft rows; not for b" in " ".join(text.split())
    assert "plain:" not in text


def test_a_solver_with_options_takes_the_bold_of_no_other() -> None:
    tuned = {"settings": {"tolerance": 1e-4, "device": "cpu", "threads": 1, "options": {"presolve": True}}}
    rows = [case("a", 1.0), case("b", 2.0), case("c", 0.5, variant="c-tuned", **tuned)]
    bold = re.findall(r"\x1b\[1m *([0-9.]+) \(-\)", shown(*rows, styled=True))
    assert sorted(bold) == ["0.5", "1"]


def test_numbers_are_coloured_in_lines_of_ordinary_length_only() -> None:
    """rich searches a line in a time that grows with the square of its length: a record may hold a name of any."""
    colour = wide_console().highlighter
    assert colour("blockpdhg 0.93").spans
    assert not colour("x" * 1_000_000 + " 0.93").spans
