"""Odd but valid LPs through our own solvers, in child processes: none crashes, hangs, differs or is judged wrongly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from instances.cpus import usable_threads
from tests.faults.conftest import ROOT

#: LPs of one child process: each takes seconds to start.
SHARE = 1000
#: Seconds that a solver may take for one LP: most need less, and what a run reached is judged in any case.
SECONDS = 0.05
#: Seconds that compiling and starting may take besides.
_EXTRA = 300.0


def test_no_odd_lp_crashes_hangs_or_is_judged_wrongly(
    times: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    total = times(2000, 100_000)
    starts = range(0, total, SHARE)
    with ThreadPoolExecutor(usable_threads()) as pool:
        found = list(pool.map(lambda first: campaign(first, min(first + SHARE, total)), starts))
    counts = sum((Counter(lines.pop()["counts"]) for lines in found), Counter[str]())
    faults = [f"{line['case']}: {line['fault']}" for lines in found for line in lines]
    with capsys.disabled():
        sys.stdout.write(f"{total} odd LPs: {dict(counts)}\n")
    assert not faults, "\n".join(faults[:20])
    assert counts.total() == total
    assert counts["solved"] > 0.5 * total  # more where the machine has nothing else to do


def campaign(first: int, last: int) -> list[dict[str, Any]]:
    """The lines that the LPs first..last - 1 print, the counts last."""
    process = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.faults.odd_campaign", str(first), str(last), str(SECONDS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=_EXTRA + 10 * SECONDS * (last - first),
    )
    if process.returncode != 0:
        pytest.fail(f"LPs {first}..{last - 1} ended with {process.returncode}: {process.stderr[-2000:]}")
    return [json.loads(line) for line in process.stdout.splitlines()]
