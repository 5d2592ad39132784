"""Solvers that misbehave, as files that a user could write, and a place to run them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.case import Case
from harness.isolation.isolated import Isolated
from harness.isolation.limits import Limits
from harness.result import Result
from solvers import Settings

SPEC = "unit:sources=200,destinations=10,degree=4,seed=1"
ADAPTER = """
import ctypes, json, os, signal, subprocess, sys, tempfile, threading, time
import numpy as np
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver, Status

NOTES = Path({notes!r})

class Mine(Solver):
    id, title, citation, bytes_per_edge = "mine", "mine", "mine", 0.0
    polytopes = EXPLICIT_KINDS
    warm_starts = ("x", "dual")
    start = None

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        return lp, settings

    def warm_start(self, state, start):
        self.start = start
        return state

    def run(self, state):
        lp, settings = state
        said = "nothing"
        if (lp.sources > 50) != {in_warm_up}:  # the other one is well-behaved
{body}
        return Answer(
            x=np.zeros(lp.edges), dual=np.zeros(lp.destinations), status=Status.ITERATION_LIMIT, raw_status=said
        )
"""


class Place:
    """One harness for several tests. notes: where a solver leaves what the test wants to know."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.notes, self.log = folder, folder / "notes", folder / "log"
        self.isolated = Isolated(1, self.log)
        self._number = 0

    def run(
        self,
        body: str,
        limits: Limits | None = None,
        *,
        time_limit: float = 0.2,
        spec: str = SPEC,
        start: str = "",
        in_warm_up: bool = False,
    ) -> Result:
        """The result of a solver whose run executes `body`, or that of its warm-up; `said` becomes its raw status."""
        self.notes.unlink(missing_ok=True)
        text = textwrap.indent(textwrap.dedent(body).strip(), " " * 12)
        adapter = ADAPTER.format(body=text, notes=str(self.notes), in_warm_up=in_warm_up)
        return self.run_file(adapter, limits or Limits(grace=60.0), time_limit=time_limit, spec=spec, start=start)

    def run_file(self, adapter: str, limits: Limits, *, time_limit: float, spec: str = SPEC, start: str = "") -> Result:
        """The result of an adapter, given as the text of its file."""
        self._number += 1
        file = self.folder / f"solver_{self._number}.py"
        file.write_text(adapter)
        self.isolated.limits = limits
        settings = Settings(time_limit=time_limit)
        case = Case(suite="s", instance="i", spec=spec, solver=str(file), settings=settings, start=start)
        return self.isolated.run(case, lambda _: None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("isolation"))
    yield made
    made.isolated.stop()
