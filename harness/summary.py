"""The table at the end of a run: seconds and certified gaps of every instance and solver."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from harness.accuracy import WITHIN_TOLERANCE, accuracy, within_tolerance_only
from harness.division import division_of, name_of
from harness.numbers import measured, power
from harness.record import SHORT_FORM
from harness.records import DISTURBED, TOO_SHORT, too_short

#: Before the accuracy of a point that is not known to satisfy all rows.
NEAR = "≈"

Row = Mapping[str, Any]
#: The repeats of each instance, solver and tolerance.
Cells = dict[tuple[str, str], dict[float, list[Row]]]


def summary_table(rows: Sequence[Row]) -> Table:
    """One row for an instance and a solver: run seconds at each tolerance asked for, and the gap that was certified.

    The fastest of an instance at a tolerance is bold, of each division.
    """
    tolerances = sorted({row["settings"]["tolerance"] for row in rows}, reverse=True)
    edges = {row["instance"]: row["edges"] for row in rows if row.get("edges") is not None}
    cells = _cells(rows)
    fastest = _fastest(cells)

    caption = "\n".join(filter(None, (_what_marks_mean(rows), *_forms(rows))))
    table = _empty_table(tolerances, caption=caption or None)
    last = ""
    for (instance, solver), repeats in cells.items():
        if last and instance != last:
            table.add_section()
        count = f"{edges[instance]:,}" if instance in edges else "-"
        heads = (instance, count) if instance != last else ("", "")
        times = [
            _cell(repeats.get(at, []), fastest.get((instance, at, _division(repeats)), math.nan)) for at in tolerances
        ]
        table.add_row(*heads, solver, *times)
        last = instance
    return table


def _empty_table(tolerances: Sequence[float], caption: str | None) -> Table:
    table = Table(
        title="median run seconds (certified gap) by tolerance; a failure shows its status",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        caption=caption,
        caption_justify="left",
    )
    table.add_column("instance", no_wrap=True)
    table.add_column("edges", justify="right", no_wrap=True)
    table.add_column("solver", no_wrap=True)
    for tolerance in tolerances:
        table.add_column(power(tolerance), justify="right", no_wrap=True)
    return table


def _cells(rows: Sequence[Row]) -> Cells:
    cells: Cells = {}
    for row in rows:
        repeats = cells.setdefault((row["instance"], name_of(row)), {})
        repeats.setdefault(row["settings"]["tolerance"], []).append(row)
    return cells


def _fastest(cells: Cells) -> dict[tuple[str, float, str], float]:
    """The least median of an instance at a tolerance in a division."""
    fastest: dict[tuple[str, float, str], float] = {}
    for (instance, _), by_tolerance in cells.items():
        for tolerance, repeats in by_tolerance.items():
            place = (instance, tolerance, _division(by_tolerance))
            fastest[place] = min(fastest.get(place, math.inf), _median_run(repeats))
    return fastest


def _division(by_tolerance: Mapping[float, Sequence[Row]]) -> str:
    """Of a solver with its options, by any of its rows."""
    return division_of(next(iter(by_tolerance.values()))[0]["settings"])


def _what_marks_mean(rows: Sequence[Row]) -> str | None:
    marks = {_mark([row]) for row in rows}
    words = {
        NEAR: WITHIN_TOLERANCE,
        DISTURBED: "disturbed by other work on this machine: --resume --rerun-disturbed runs it again",
        TOO_SHORT: "too short to tell whether it was disturbed",
    }
    marks |= {NEAR for row in rows if within_tolerance_only(row.get("certificate"))}
    return "\n".join(f"{mark} {meaning}" for mark, meaning in words.items() if mark in marks) or None


def _forms(rows: Sequence[Row]) -> list[str]:
    """The kinds of rows of each instance beyond one '<=' family, and who could not take it."""
    lines = []
    for instance in dict.fromkeys(row["instance"] for row in rows):
        mine = [row for row in rows if row["instance"] == instance]
        kinds = next((row["instance_form"]["row_kinds"] for row in mine if row.get("instance_form")), "")
        refused = [name_of(row) for row in mine if row["status"] == "skipped" and row.get("edges") is not None]
        if refused or (kinds and kinds != SHORT_FORM):
            refusals = f"; not for {', '.join(dict.fromkeys(refused))}" if refused else ""
            lines.append(f"{instance}: {kinds or 'rows not recorded'}{refusals}")
    return lines


def _cell(rows: Sequence[Row], fastest: float) -> Text:
    """The median repeat where the gap of all is certified, and the status of a repeat that is not solved."""
    if not rows:
        return Text()
    unsolved = next((str(row["status"]).replace("_", " ") for row in rows if row["status"] != "solved"), "")
    if not all(_reached(row) for row in rows):
        return Text(unsolved, "yellow")
    middle = _middle(rows)
    seconds = _median_run(rows)
    gap = accuracy(middle.get("certificate"))
    near = NEAR if within_tolerance_only(middle.get("certificate")) else ""
    text = f"{seconds:.3g}{_mark(rows)} ({near}{measured(gap, digits=0)}){unsolved and f', {unsolved}'}"
    return Text(text, "bold" if seconds <= fastest else "")


def _reached(row: Row) -> bool:
    """Whether the referee's figures reach the tolerance, whatever the solver claimed, as the report counts it."""
    gap = accuracy(row.get("certificate"))
    return bool(row["status"] == "solved" if gap is None else 0 <= gap <= row["settings"]["tolerance"])


def _mark(rows: Sequence[Row]) -> str:
    if any(row.get("disturbed") for row in rows):
        return DISTURBED
    return TOO_SHORT if any(too_short(row.get("disturbance") or {}) for row in rows) else ""


def _middle(rows: Sequence[Row]) -> Row:
    return sorted(rows, key=_run)[len(rows) // 2]


def _median_run(rows: Sequence[Row]) -> float:
    """Infinite where a repeat did not reach its tolerance."""
    if not all(_reached(row) for row in rows):
        return math.inf
    return statistics.median(_run(row) for row in rows)


def _run(row: Row) -> float:
    return float(row["seconds"].get("run") or 0.0)
