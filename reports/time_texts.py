"""How a time is written, wherever it stands: seconds with their marks, bounds, factors and means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.records import DISTURBED, TOO_SHORT
from reports.shown import Cell, digits, factor

NARROW = "\N{NARROW NO-BREAK SPACE}"
#: Before a time of a run that a limit ended: the solver was there at an unknown time before.
AT_MOST = "≤"
AT_LEAST = "≥"
#: What those signs mean, for captions.
AT_MOST_MEANS = f"{AT_MOST}: a limit ended the run, the gap was reached at an unknown time before"
NOT_COMPARABLE = "not comparable"
#: What `limits_of` says, for captions.
CUT = "when cut"
OTHER_LIMIT_MEANS = "limit: the time limit, where it is not that of most"
CUT_MEANS = f"{AT_MOST} T {CUT}: within the gap as well where a limit ended another run at T"


def bound(text: str, sign: str) -> str:
    """`text` behind AT_MOST or AT_LEAST; as it is behind ""."""
    return f"{sign}{NARROW}{text}" if sign else text


def mark_of(row: Mapping[Any, Any]) -> str:
    """That of a disturbed time, or of one too short to tell."""
    return DISTURBED if row["disturbed"] is True else TOO_SHORT if row["too_short"] is True else ""


def seconds_of(row: Mapping[Any, Any]) -> str:
    """The seconds of a row of outcomes.outcomes with bound and mark."""
    return f"{bound(digits(row['seconds']), AT_MOST if row['at_most'] is True else '')}{mark_of(row)}"


def limits_of(row: Mapping[Any, Any]) -> list[str]:
    """The time limit of a row of outcomes.outcomes where most have another, and cut_of."""
    told = []
    if row["other_limit"] is True:
        limit = row["time_limit"]
        told.append(f"limit {limit:g} s" if pd.notna(limit) else "no limit")
    return [*told, *cut_of(row)]


def cut_of(row: Mapping[Any, Any]) -> list[str]:
    """When a limit ended other runs that were within the gap by then; nothing where there are none."""
    return [f"{bound(digits(row['cut_at']), AT_MOST)} {CUT}"] if pd.notna(row["cut_at"]) else []


def limit_signs(rows: pd.DataFrame) -> dict[str, bool]:
    """What the words of `limits_of` mean, and whether one of `rows` has them."""
    return {OTHER_LIMIT_MEANS: bool(rows["other_limit"].any()), CUT_MEANS: bool(rows["cut_at"].notna().any())}


def lead_of(row: Mapping[Any, Any]) -> str:
    """The factor of a row of wins.winners over the next; a lower bound where the winner's time is an upper one."""
    return bound(factor(row["factor"]), AT_LEAST if row["at_most"] is True else "")


def scaled_mean_cell(scaled: float, mean: float, *, at_most: bool, scale_at_most: bool) -> Cell:
    """A mean in units of the least one, seconds below it; at_most, scale_at_most: which of the two are upper bounds.

    Where both are, and it is not the least one itself, nothing is known of their ratio.
    """
    if math.isnan(mean):
        return Cell(text=digits(mean), muted=True)
    note = f"{bound(digits(mean), AT_MOST if at_most else '')} s"
    if scaled == 1.0 or not (at_most or scale_at_most):
        return Cell(text=digits(scaled), note=note)
    if at_most and scale_at_most:
        return Cell(text=NOT_COMPARABLE, note=note, muted=True)
    return Cell(text=bound(digits(scaled), AT_MOST if at_most else AT_LEAST), note=note)


def runs_behind(rows: pd.DataFrame) -> str:
    """How many runs the medians of outcomes.outcomes are of."""
    known = rows["repeats"].dropna()
    if known.empty or known.max() == 1:
        return "one run each"
    least = int(known.min())
    most = int(known.max())
    return f"medians of {most} runs" if least == most else f"medians of {least} to {most} runs"
