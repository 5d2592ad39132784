"""What a run shows: a live line on a terminal, one line a case elsewhere, and the table at the end."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.case import Case
from harness.numbers import measured, number, power
from harness.records import DISTURBED, TOO_SHORT, CaseRecord, too_short
from harness.steps import Step


def wide_console() -> Console:
    """A console for tables: the terminal as it is, and wide enough for every column where there is none.

    Names come from records and files: no text of theirs is taken for markup.
    """
    console = _Console(markup=False, emoji=False)
    if console.is_terminal:
        return console
    return _Console(markup=False, emoji=False, width=max(console.width, 160))


class _Console(Console):
    """rich ends the process where nobody reads; that is for the command line to decide."""

    def on_broken_pipe(self) -> None:
        raise


class LiveDisplay:
    """The case, its step and elapsed time, and what remains; a line stays behind for every finished case."""

    def __init__(self, cases: Sequence[Case], console: Console) -> None:
        self._console = console
        self._total = len(cases)
        self._done = 0
        self._left = [case.settings.time_limit or 0.0 for case in cases]
        self._case: Case | None = None
        self._since = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None

    def __enter__(self) -> LiveDisplay:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, case: Case) -> None:
        self._case = case
        self._since = time.monotonic()
        self.tick(Step.START)

    def tick(self, step: Step) -> None:
        if self._live is None or self._case is None:
            return
        elapsed = time.monotonic() - self._since
        remaining = sum(self._left[self._done :])
        title = f"{self._case.instance}  {self._case.solver}  {power(self._case.settings.tolerance)}"
        self._live.update(
            Text.assemble(
                (f" {self._done + 1}/{self._total} ", "bold"),
                (title, "cyan"),
                f"  {step} {elapsed:6.1f} s",
                (f"   {self._total - self._done} to go, at most {remaining / 60:.0f} min of runs", "dim"),
            )
        )

    def end(self, record: CaseRecord) -> None:
        self._done += 1
        self._console.print(_line(record, self._done, self._total), soft_wrap=True)


def _line(record: CaseRecord, done: int, total: int) -> Text:
    gap = (record.certificate or {}).get("certified_gap")
    colour = {"solved": "green", "skipped": "dim"}.get(record.status, "yellow")
    return Text.assemble(
        f"{done:4}/{total}  {record.instance:<22} {record.solver:<20} {power(record.settings['tolerance']):<6}",
        (f"{record.status:<16}", colour),
        f"run {number(record.seconds.run):>7} s   gap {measured(gap):<8}",
        (f"   {record.reason}" if record.status != "solved" else "", "dim"),
        (f"   disturbed: {record.disturbed}" if record.disturbed else "", "yellow"),
    )


def summary_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One row an instance and solver: run seconds at each tolerance asked for, with the gap that was certified.

    The fastest of an instance at a tolerance is bold.
    """
    tolerances = sorted({row["settings"]["tolerance"] for row in rows}, reverse=True)
    table = Table(
        title="median run seconds (certified gap) by tolerance; a failure shows its status",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.caption = _what_marks_mean(rows)
    table.caption_justify = "left"
    table.add_column("instance", no_wrap=True)
    table.add_column("edges", justify="right", no_wrap=True)
    table.add_column("solver", no_wrap=True)
    for tolerance in tolerances:
        table.add_column(power(tolerance), justify="right", no_wrap=True)
    cells: dict[tuple[str, int | None, str], dict[float, list[Mapping[str, Any]]]] = {}
    edges = {row["instance"]: row["edges"] for row in rows if row.get("edges") is not None}
    for row in rows:
        key = (row["instance"], edges.get(row["instance"]), row["solver"])
        cells.setdefault(key, {}).setdefault(row["settings"]["tolerance"], []).append(row)
    fastest: dict[tuple[str, float], float] = {}
    for (instance, _, _), by_tolerance in cells.items():
        for tolerance, repeats in by_tolerance.items():
            seconds = _median_run(repeats)
            fastest[instance, tolerance] = min(seconds, fastest.get((instance, tolerance), math.inf))
    last = ""
    for (instance, count, solver), by_tolerance in cells.items():
        if last and instance != last:
            table.add_section()
        shown = (instance, f"{count:,}" if count is not None else "-") if instance != last else ("", "")
        times = [
            _cell(by_tolerance.get(tolerance, []), fastest.get((instance, tolerance), math.nan))
            for tolerance in tolerances
        ]
        table.add_row(*shown, solver, *times)
        last = instance
    return table


def _what_marks_mean(rows: Sequence[Mapping[str, Any]]) -> str | None:
    marks = {_mark([row]) for row in rows}
    words = {
        DISTURBED: "disturbed by other work on this machine: --resume --rerun-disturbed runs it again",
        TOO_SHORT: "too short to tell whether it was disturbed",
    }
    return "\n".join(f"{mark} {meaning}" for mark, meaning in words.items() if mark in marks) or None


def _cell(rows: Sequence[Mapping[str, Any]], fastest: float) -> Text:
    """The median repeat where the gap of all is certified, and the status of a repeat that is not solved."""
    if not rows:
        return Text()
    unsolved = next((str(row["status"]).replace("_", " ") for row in rows if row["status"] != "solved"), "")
    if not all(_reached(row) for row in rows):
        return Text(unsolved, "yellow")
    middle = _middle(rows)
    seconds = _median_run(rows)
    gap = (middle.get("certificate") or {}).get("certified_gap")
    text = f"{seconds:.3g}{_mark(rows)} ({measured(gap, digits=0)}){unsolved and f', {unsolved}'}"
    return Text(text, "bold" if seconds <= fastest else "")


def _reached(row: Mapping[str, Any]) -> bool:
    """Whether the tolerance is certified, whatever the solver claimed, as the report counts it."""
    gap = (row.get("certificate") or {}).get("certified_gap")
    return bool(row["status"] == "solved" if gap is None else 0 <= gap <= row["settings"]["tolerance"])


def _mark(rows: Sequence[Mapping[str, Any]]) -> str:
    if any(row.get("disturbed") for row in rows):
        return DISTURBED
    return TOO_SHORT if any(too_short(row.get("disturbance") or {}) for row in rows) else ""


def _middle(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return sorted(rows, key=_run)[len(rows) // 2]


def _median_run(rows: Sequence[Mapping[str, Any]]) -> float:
    """Infinite where a repeat did not reach its tolerance."""
    if not all(_reached(row) for row in rows):
        return math.inf
    return statistics.median(_run(row) for row in rows)


def _run(row: Mapping[str, Any]) -> float:
    return float(row["seconds"].get("run") or 0.0)
