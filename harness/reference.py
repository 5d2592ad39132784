"""The reference case at the start, in the middle and at the end of a suite: whether the machine stayed as fast.

Two fixed kernels (harness/reference_case.py) run in a process of their own, on one core, between cases. Their rows are
of a kind of their own, "reference", and no ranking knows them.
"""

from __future__ import annotations

import enum
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from harness import disk
from harness.inherited import of_children
from harness.plain import as_plain
from harness.record import SCHEMA
from harness.shapes import SECONDS, TEXT, Entries

#: Cases below which a run is over before a machine drifts.
LEAST_CASES = 20
_MOST_SECONDS = 120.0


class Moment(enum.StrEnum):
    """When the reference case was run."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, kw_only=True)
class ReferenceRecord:
    """One kernel at one moment of a run."""

    suite: Annotated[str, TEXT]
    """The suite between whose cases it ran."""

    moment: Annotated[str, TEXT]
    """"start", "middle" or "end" of the run."""

    kernel: Annotated[str, TEXT]
    """"glop" or "numpy" (harness/reference_case.py)."""

    seconds: Annotated[Mapping[str, float], SECONDS, Entries({"least": None, "median": None, "most": None})]
    """Wall time of its five runs: "least", "median" and "most"."""

    environment: Annotated[str, TEXT]
    """The id of a row of kind "environment"."""

    time: Annotated[str, TEXT]
    """When it ended: ISO 8601, UTC."""

    schema: int = SCHEMA
    """The version of this form."""

    kind: str = "reference"
    """The kind of the row."""


def measure() -> dict[str, list[float]]:
    """Seconds of each kernel's runs now; none where the process of the kernels fails."""
    command = [sys.executable, "-P", "-m", "harness.reference_case"]
    environment = {**os.environ, **of_children(1)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, capture_output=True, env=environment, timeout=_MOST_SECONDS, check=True
        )
        measured = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return {str(kernel): list(map(float, seconds)) for kernel, seconds in measured.items()}


class References:
    """Records the reference case of one run."""

    def __init__(self, file: Path, *, suite: str, environment: str, cases: int) -> None:
        """cases: how many the run has; with fewer than LEAST_CASES nothing is measured."""
        self._file = file
        self._suite = suite
        self._environment = environment
        self._middle = cases // 2
        self._wanted = cases >= LEAST_CASES

    def before(self, case: int, now: str) -> None:
        """Measure where `case`, a number from 0, is the first of the run or the first of its second half."""
        if case in (0, self._middle):
            self.at(Moment.START if case == 0 else Moment.MIDDLE, now)

    def at(self, moment: Moment, now: str) -> None:
        """Measure and record."""
        if not self._wanted:
            return
        for kernel, seconds in measure().items():
            row = ReferenceRecord(
                suite=self._suite,
                moment=moment,
                kernel=kernel,
                seconds=summed_up(seconds),
                environment=self._environment,
                time=now,
            )
            disk.append_line(self._file, json.dumps(as_plain(asdict(row)), separators=(",", ":")).encode())


def summed_up(seconds: Sequence[float]) -> dict[str, float]:
    """Least, median and most."""
    return {"least": min(seconds), "median": statistics.median(seconds), "most": max(seconds)}
