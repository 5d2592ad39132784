"""The table at the end of a run."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from rich.console import Console

from harness.display import summary_table
from harness.records import as_row
from tests.harness.cases import case_record


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


def test_the_fastest_that_solved_every_repeat_is_bold() -> None:
    rows = [case("a", 1.0), case("b", 2.0), case("c", 0.1, status="time_limit")]
    text = shown(*rows, styled=True)
    assert re.findall(r"\x1b\[1m *(\d) \(-\)", text) == ["1"]
    assert "time limit" in text
