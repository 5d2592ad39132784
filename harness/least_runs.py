"""How many runs a published time needs, and which repeats a suite with `repeats = "auto"` still lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.case import question_of
from solvers.base import Status

AUTO = "auto"
MOST_RUNS = 5
#: (seconds, runs): a case that takes less than these seconds needs this many runs, because short runs vary more.
_LEAST_RUNS = ((10.0, MOST_RUNS), (60.0, 3))
#: Statuses of cases that are not repeated: another run would end at the same limit or fault.
_WITHOUT_TIME = frozenset({Status.TIME_LIMIT, Status.MEMORY_LIMIT, Status.CRASHED, Status.ERROR, Status.SKIPPED})


def least_runs(seconds: float) -> int:
    """The number of runs that a case of this many seconds needs: 5 below 10 s, 3 below a minute, 1 above."""
    return next((runs for below, runs in _LEAST_RUNS if seconds < below), 1)


class RunsTaken:
    """Finds repeats that are not needed; the shortest recorded run of a case decides how many the case needs."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._needed: dict[str, int] = {}
        for row in rows:
            self.note(row)

    def note(self, row: Mapping[str, Any]) -> None:
        """Remember a recorded row."""
        seconds = row["seconds"].get("run")
        timed = row["status"] not in _WITHOUT_TIME and seconds is not None
        question = question_of(row["case"])
        self._needed[question] = max(self._needed.get(question, 1), least_runs(seconds) if timed else 1)

    def needless(self, case_id: str) -> bool:
        """Whether this id is of a repeat beyond those that the recorded runs of its case ask for."""
        question, _, repeat = case_id.rpartition("|r")
        return int(repeat) >= self._needed.get(question, MOST_RUNS)
