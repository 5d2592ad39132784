"""Runs that are cut short on purpose: the certified gap of each solver at a row of time limits, rivals included.

A solver's own trace is its own word. Here every point is a run of its own, judged by the referee; such runs are marked
in their records, and no ranking knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from harness.case import Case
from solvers.base import Status

#: Seconds of the shortest limit; from there on 1, 2, 5, 10, ... which a log axis shows evenly.
_SHORTEST = 0.01
_STEPS = (1.0, 2.0, 5.0)
_MOST_DECADES = 8
_AT_LIMIT = frozenset({Status.TIME_LIMIT, Status.ITERATION_LIMIT})


def limits_below(most: float) -> list[float]:
    """The time limits below `most`: 0.01, 0.02, 0.05, 0.1, ... seconds."""
    limits = (step * _SHORTEST * 10.0**decade for decade in range(_MOST_DECADES) for step in _STEPS)
    return [float(f"{limit:g}") for limit in limits if limit < most]


def with_shorter_limits(cases: Iterable[Case]) -> Iterator[Case]:
    """The first repeat of each iterative solver at every shorter limit, then the cases themselves, by instance.

    A solver that ends at a vertex has no point on the way there that counts.
    """
    for _, of_instance in groupby(cases, key=lambda case: case.instance):
        asked = list(of_instance)
        for limit in limits_below(max(case.settings.time_limit or 0.0 for case in asked)):
            for case in asked:
                if case.repeat == 0 and not case.card.exact and limit < (case.settings.time_limit or 0.0):
                    yield replace(case, settings=replace(case.settings, time_limit=limit), anytime=True)
        yield from asked


class EndedByThemselves:
    """Solvers that ended before a shortened limit; a longer limit would give the same run."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._ended: set[tuple[str, str]] = set()
        for row in rows:
            self.note(row)

    def note(self, row: Mapping[str, Any]) -> None:
        """Remember a recorded row."""
        if row.get("anytime") and row["status"] not in _AT_LIMIT:
            self._ended.add((row["instance"], row.get("variant") or row["solver"]))

    def needless(self, case: Case) -> bool:
        """Whether a shorter limit has shown already how `case` ends."""
        return case.anytime and (case.instance, case.variant or case.card.id) in self._ended
