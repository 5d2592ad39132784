"""How the run time of one case stands to that of another, and whether accuracy was lost.

The ratio is of medians. The spread of the repeats is the model of the noise: a case is slower or faster where the two
ranges of seconds do not meet and the ratio is beyond 1.05 either way (three repeats or more on both sides) or 1.2
(fewer), else it is level. Repeats that were disturbed (~) are set aside, in times, gaps and statuses. A case lost
accuracy when it was solved and no longer is, or when it was not solved before either and its certified gap more than
doubled; a gap within the tolerance is no loss. A single run on one side is shown and decides nothing: nothing says how
much it varies.
"""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.accuracy import accuracy
from harness.division import name_of

#: Ratios up to these are level: with at least _REPEATS repeats on both sides, and with fewer.
LEVEL = 1.05
LEVEL_OF_FEW = 1.2
_REPEATS = 3
_TICK = 1e-9  # seconds: no clock of ours tells less apart

Rows = Sequence[Mapping[str, Any]]


class Change(enum.StrEnum):
    """What can be said of the time of a case."""

    SLOWER = "slower"
    FASTER = "faster"
    LEVEL = "level"
    DISTURBED = "disturbed"  # every repeat of one side was
    UNSOLVED = "-"  # one side has no time: the time of a failure says nothing about speed
    SKIPPED = "skipped"  # neither side tried it


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One case of both sets."""

    case: str
    """Its name."""

    solver: str
    """Its id, or the name of the variant."""

    change: Change
    """What can be said of the time."""

    ratio: float | None
    """Of the medians, after over before; None where there is no time to compare, as for the next two."""

    least: float | None
    """The least ratio that single repeats give."""

    largest: float | None
    """The largest ratio that single repeats give."""

    gap_before: float | None
    """The largest certified gap over the repeats; None where one has none."""

    gap_after: float | None
    """The same of the other set."""

    status_before: str
    """Solved, or the status of the first repeat that was not."""

    status_after: str
    """The same of the other set."""

    tolerance: float
    """The certified gap that was asked for."""

    set_aside: int = 0
    """Repeats that were disturbed, of both sets."""

    repeats: int = 0
    """Repeats that nothing disturbed, of the set that has fewer."""

    spread: float | None = None
    """The largest over the least time of a set, the larger of both; None where a set has no two times."""

    @property
    def decides(self) -> bool:
        """Whether more than a single run stands on both sides."""
        return self.repeats > 1

    @property
    def lost_accuracy(self) -> str:
        """What was lost in a few words, "" where nothing was or every repeat of one set was disturbed."""
        if not self.repeats:
            return ""
        if self.status_before == "solved" and self.status_after != "solved":
            return f"solved -> {self.status_after}"
        if self.status_before == self.status_after == "solved" or self.gap_before is None:
            return ""
        if self.gap_after is None:
            return f"gap {self.gap_before:.1e} -> none"
        if self.gap_after <= max(2 * self.gap_before, self.tolerance):
            return ""
        return f"gap {self.gap_before:.1e} -> {self.gap_after:.1e}"

    def slower(self, threshold: float) -> bool:
        """Slower, and above the threshold."""
        return self.change is Change.SLOWER and self.ratio is not None and self.ratio > threshold


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One solver over its cases."""

    solver: str
    """Its id."""

    mean: float | None
    """The geometric mean of the ratios; None without one."""

    counts: Mapping[Change, int]
    """How many cases are slower, faster and so on."""

    lost: int
    """How many cases lost accuracy."""

    spread: float | None
    """The median over the cases of their spread."""


def ratio_of(name: str, before: Rows, after: Rows) -> Ratio:
    """The repeats of a case in one set against those in the other."""
    quiet = [_undisturbed(before), _undisturbed(after)]
    set_aside = len(before) + len(after) - sum(map(len, quiet))
    before, after = (rows or every for rows, every in zip(quiet, (before, after), strict=True))
    old = _seconds(before)
    new = _seconds(after)
    both = bool(old and new)
    return Ratio(
        case=name,
        solver=name_of(before[0]),
        change=_change(before, after, old, new),
        ratio=statistics.median(new) / statistics.median(old) if both else None,
        least=min(new) / max(old) if both else None,
        largest=max(new) / min(old) if both else None,
        gap_before=_worst_gap(before),
        gap_after=_worst_gap(after),
        status_before=_status(before),
        status_after=_status(after),
        tolerance=before[0]["settings"]["tolerance"],
        set_aside=set_aside,
        repeats=min(map(len, quiet)),
        spread=max(max(old) / min(old), max(new) / min(new)) if min(len(old), len(new)) > 1 else None,
    )


def summary_of(solver: str, ratios: Sequence[Ratio]) -> Summary:
    """The geometric mean and the counts of one solver."""
    known = [ratio.ratio for ratio in ratios if ratio.ratio is not None]
    spreads = [ratio.spread for ratio in ratios if ratio.spread is not None]
    return Summary(
        solver=solver,
        mean=math.exp(statistics.fmean(map(math.log, known))) if known else None,
        counts={change: sum(ratio.change is change for ratio in ratios) for change in Change},
        lost=sum(bool(ratio.lost_accuracy) for ratio in ratios),
        spread=statistics.median(spreads) if spreads else None,
    )


def _change(before: Rows, after: Rows, old: Sequence[float], new: Sequence[float]) -> Change:
    if not old or not new:
        statuses = {_status(before), _status(after)}
        if statuses == {"skipped"}:
            return Change.SKIPPED
        solved = statuses == {"solved"}
        disturbed = any(all(row.get("disturbed") for row in rows) for rows in (before, after))
        return Change.DISTURBED if solved and disturbed else Change.UNSOLVED
    ratio = statistics.median(new) / statistics.median(old)
    level = LEVEL if min(len(old), len(new)) >= _REPEATS else LEVEL_OF_FEW
    if min(new) > max(old) and ratio > level:
        return Change.SLOWER
    if max(new) < min(old) and ratio < 1 / level:
        return Change.FASTER
    return Change.LEVEL


def _undisturbed(rows: Rows) -> list[Mapping[str, Any]]:
    return [row for row in rows if not row.get("disturbed")]


def _seconds(rows: Rows) -> list[float]:
    """Run times of the repeats that nothing disturbed, where all repeats were solved."""
    if _status(rows) != "solved":
        return []
    return [max(run, _TICK) for row in rows if not row.get("disturbed") and (run := row["seconds"].get("run"))]


def _status(rows: Rows) -> str:
    """Solved where every repeat was, else the status of the first that was not."""
    return next((str(row["status"]) for row in rows if row["status"] != "solved"), "solved")


def _worst_gap(rows: Rows) -> float | None:
    gaps = [accuracy(row.get("certificate")) for row in rows]
    proved = [float(gap) for gap in gaps if gap is not None]
    return max(proved) if len(proved) == len(gaps) else None
