"""What a reader has to know before believing a time, one line each, for the top of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.shown import count, digits, percent, plural

#: A change of the machine's speed beyond it is said: the least of five runs is steadier than that on a quiet machine.
DRIFT = 1.05


def few_runs(outcomes: pd.DataFrame) -> list[str]:
    """One line where times rest on fewer runs than METHOD.md asks for."""
    times = outcomes.dropna(subset="seconds")
    few = int((times["repeats"] < times["runs_asked"]).sum())
    if not few:
        return []
    return [
        f"{count(few)} of {plural(len(times), 'time')} rest on fewer runs than the method asks for (5 below 10 s, 3 "
        "below a minute): they say little about how much a time varies."
    ]


def drifted(references: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a machine and kernel of the reference case whose speed changed by more than DRIFT over the records."""
    by: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in references:
        if (row["seconds"].get("least") or 0.0) > 0:
            by.setdefault((row["machine"], row["kernel"]), []).append(row)
    return [_drift(machine, kernel, rows) for (machine, kernel), rows in sorted(by.items()) if _change(rows) > DRIFT]


def _change(rows: Sequence[Mapping[str, Any]]) -> float:
    least = [float(row["seconds"]["least"]) for row in rows]
    return max(least) / min(least)


def _drift(machine: str, kernel: str, rows: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(rows, key=lambda row: float(row["seconds"]["least"]))
    least, most = (f"{digits(row['seconds']['least'])} s ({row['moment']})" for row in (ordered[0], ordered[-1]))
    return (
        f"Machine {machine} drifted by {percent(_change(rows) - 1, 1)}: the fixed kernel {kernel} took "
        f"{least} to {most}. Times of different moments compare the machine as well."
    )
