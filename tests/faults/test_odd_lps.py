"""Odd but valid LPs through our own solvers, in child processes: none crashes, hangs, differs or is judged wrongly."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from typing import IO

import pytest

from instances.cpus import usable_threads
from tests.faults.conftest import ROOT
from tests.faults.odd_campaign import Case

#: LPs of one child process: each takes seconds to start.
SHARE = 1000
#: Seconds that a solver may take for one LP: most need less, and what a run reached is judged in any case.
SECONDS = 0.05
#: Seconds that compiling and starting may take besides.
_EXTRA = 300.0


def test_no_odd_lp_crashes_hangs_or_is_judged_wrongly(
    times: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    total = times(600, 100_000)
    starts = range(0, total, SHARE)
    with ThreadPoolExecutor(usable_threads()) as pool:
        shares = list(pool.map(lambda first: Share(first, min(first + SHARE, total), capsys).run(), starts))
    counts = sum((share.counts for share in shares), Counter[str]())
    faults = [fault for share in shares for fault in share.faults]
    with capsys.disabled():
        sys.stdout.write(f"{total} odd LPs: {dict(counts)}\n")
    assert not faults, "\n".join(faults[:20])
    assert counts.total() == total
    assert counts["solved"] > 0.5 * total  # more where the machine has nothing else to do


#: LPs that were once judged wrongly: rays that lean on a budget that never binds, and full rows beside forbidden edges.
_ONCE_WRONG = {
    8140: "infeasible",
    19371: "infeasible",
    27005: "infeasible",
    27973: "infeasible",
    14151: "solved",
    27633: "solved",
}


@pytest.mark.parametrize(("seed", "status"), _ONCE_WRONG.items())
def test_an_lp_that_was_once_judged_wrongly_is_judged_rightly(seed: int, status: str) -> None:
    case = Case(seed)
    assert case.tried(20.0) == (status, []), str(case)


def test_a_share_beyond_its_time_is_a_fault_that_names_its_last_lp(capsys: pytest.CaptureFixture[str]) -> None:
    share = Share(0, 10**6, capsys, limit=3.0).run()
    assert re.search(r"LPs 0\.\.999999: still running after 3 s, at (seed \d+|the start)", share.faults[-1])
    assert not share.counts


class Share:
    """The LPs first..last - 1 in a child process, whose faults are printed as they come; counts and faults are those of
    the child, and its end is a fault where it is no good one.
    """

    def __init__(
        self, first: int, last: int, capsys: pytest.CaptureFixture[str], *, limit: float | None = None
    ) -> None:
        self._name = f"LPs {first}..{last - 1}"
        self._command = ("-m", "tests.faults.odd_campaign", str(first), str(last), str(SECONDS))
        self._limit = _EXTRA + 10 * SECONDS * (last - first) if limit is None else limit
        self._capsys = capsys
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def run(self) -> Share:
        late = threading.Event()
        with TemporaryFile("w+") as seeds:  # a pipe that nobody reads would fill up
            with self._started(seeds) as child:

                def end() -> None:
                    late.set()
                    child.kill()

                timer = threading.Timer(self._limit, end)
                timer.start()
                for line in child.stdout or ():
                    self._take(line)
                status = child.wait()
                timer.cancel()
            seeds.seek(0)
            said = seeds.read()
        if late.is_set():
            last = re.findall(r"^seed \d+$", said, re.MULTILINE)[-1:] or ["the start"]
            self._fault(f"{self._name}: still running after {self._limit:g} s, at {last[0]}")
        elif status != 0:
            self._fault(f"{self._name} ended with {status}: {said[-2000:]}")
        return self

    def _started(self, seeds: IO[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *self._command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=seeds,
            text=True,
        )

    def _take(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            return  # the last line of a child that was killed
        if "counts" in told:
            self.counts.update(told["counts"])
        else:
            self._fault(f"{told['case']}: {told['fault']}")

    def _fault(self, words: str) -> None:
        self.faults.append(words)
        with self._capsys.disabled():
            sys.stdout.write(f"{words}\n")
            sys.stdout.flush()
