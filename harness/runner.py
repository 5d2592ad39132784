"""Runs a suite: every case becomes one row of the records, whatever happens to it."""

from __future__ import annotations

import hashlib
import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from harness import records
from harness.case import Case
from harness.environment import environment
from harness.outcome import Outcome, case_record, utc_now
from harness.records import RECORDS_FILE, CaseRecord
from harness.suite import Suite, SuiteError
from harness.worker import Worker
from instances import available_memory, memory_bytes
from solvers import Status, get_solver


class Display(Protocol):
    """Who shows the progress of a run."""

    def begin(self, case: Case) -> None: ...
    def tick(self, step: str) -> None: ...
    def end(self, record: CaseRecord) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An output folder: records.jsonl, the duals beside it, and what solvers printed."""

    path: Path
    done: frozenset[str]
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> Path:
        return self.path / RECORDS_FILE

    def save_dual(self, case: str, dual: Any) -> str | None:
        """Write the dual of a case beside the records; returns its name relative to the folder, None without a dual."""
        if dual is None:
            return None
        name = f"duals/{hashlib.sha256(case.encode()).hexdigest()[:16]}.npy"
        (self.path / "duals").mkdir(exist_ok=True)
        np.save(self.path / name, dual, allow_pickle=False)
        return name


def open_folder(suite: Suite, path: Path, *, resume: bool) -> Folder:
    """The output folder of a run; refuses one that holds another suite, or records where `resume` is not asked for."""
    if (path / RECORDS_FILE).exists():
        found = records.read(path)
        for row in found.runs:
            if (row.get("suite"), row.get("digest")) != (suite.name, suite.digest):
                raise SuiteError(f"{path} holds records of another suite ({row.get('suite')}): choose another --out")
        if not resume:
            raise SuiteError(f"{path} already holds records of {suite.name}: add --resume, or choose another --out")
        return Folder(path=path, done=frozenset(r["case"] for r in found.cases), warnings=tuple(found.warnings))
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise SuiteError(f"{path} is not an empty folder: choose another --out")
    path.mkdir(parents=True, exist_ok=True)
    return Folder(path=path, done=frozenset())


def missing_cases(suite: Suite, folder: Folder) -> list[Case]:
    return [case for case in suite.cases() if case.id not in folder.done]


def run_suite(suite: Suite, folder: Folder, display: Display) -> list[CaseRecord]:
    """Run the cases that the folder lacks; each is on the disk before the next begins."""
    cases = missing_cases(suite, folder)
    if not cases:
        return []
    place = environment()
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    run = {"kind": "run", "suite": suite.name, "digest": suite.digest, "description": suite.description}
    records.append(folder.records, {**run, "schema": records.SCHEMA, "command": command, "time": utc_now()})
    records.append(folder.records, place)
    worker = Worker(cases[0].settings.threads, folder.path / "solver-output.log")
    finished = []
    try:
        for case in cases:
            display.begin(case)
            reason = suite.excluded(case) or _cannot_run(case)
            skipped = Outcome(status=Status.SKIPPED, reason=reason)
            outcome = skipped if reason else worker.run(case, display.tick)
            record = case_record(
                case, outcome, environment=place["id"], dual_file=folder.save_dual(case.id, outcome.dual)
            )
            records.append(folder.records, record)
            display.end(record)
            finished.append(record)
    finally:
        worker.stop()
    return finished


def _cannot_run(case: Case) -> str:
    """Why the case is not even tried: a solver that is not installed, or more memory than there is."""
    solver = get_solver(case.solver)
    found = solver.available()
    if not found.ok:
        return f"{found.reason}; {found.remedy}"
    need = memory_bytes(case.parsed) + math.ceil(solver.bytes_per_edge * case.parsed.expected_edges)
    free = available_memory()
    if need > free:
        return f"needs about {need / 2**30:.3g} GiB of memory, {free / 2**30:.3g} GiB are available"
    return ""
