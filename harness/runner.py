"""Runs a suite: every case becomes one row of the records, whatever happens to it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from harness import cards, records
from harness.anytime import EndedByThemselves
from harness.case import Case
from harness.environment import environment
from harness.folder import SUITE_FILE, Folder, missing_cases, save_dual, x_name
from harness.isolation.isolated import Isolated
from harness.isolation.limits import Limits, parse_bytes
from harness.least_runs import AUTO, RunsTaken
from harness.memory import lies_on_disk, memory_needed
from harness.method import method_version
from harness.recording import case_record, utc_now
from harness.records import CaseRecord
from harness.reference import Moment, References
from harness.result import Result
from harness.steps import OnStep, Step
from harness.suite import Suite
from harness.worker import InProcess
from instances import available_memory
from instances.cpus import usable_threads
from solvers import Status


class Display(Protocol):
    """Shows the progress of a run."""

    def begin(self, case: Case) -> None: ...
    def tick(self, step: Step) -> None: ...
    def leave_out(self) -> None: ...
    def end(self, record: CaseRecord) -> None: ...


class Worker(Protocol):
    """Runs cases, in this process or in processes of their own."""

    def run(self, case: Case, on_step: OnStep) -> Result: ...
    def stop(self) -> None: ...


def run_suite(
    suite: Suite, folder: Folder, display: Display, *, in_process: bool = False, keep_x: bool = False
) -> list[CaseRecord]:
    """Run the cases that the folder lacks, in processes of their own; each is on the disk before the next begins.

    keep_x: keep the x of every answer beside the duals, so that `verify` can derive the feasible objective as well.
    """
    cases = missing_cases(suite, folder)
    if not cases:
        return []
    place = environment()
    records.append(folder.records, run_row(suite, place["id"]))
    records.append(folder.records, place)
    if suite.text:
        records.write_whole(folder.path / SUITE_FILE, suite.text.encode())

    worker: Worker = InProcess() if in_process else isolated(suite, folder.path)
    limits = EndedAtLimits(folder.standing)
    runs = RunsTaken(folder.standing)
    ended = EndedByThemselves(folder.standing)
    at = {"suite": suite.name, "environment": place["id"], "cases": len(cases)}
    references = References(folder.records, **at) if suite.reference else None
    finished = []
    try:
        for number, case in enumerate(cases):
            if references:
                references.before(number, utc_now())
            if (suite.repeats == AUTO and runs.needless(case.id)) or ended.needless(case):
                display.leave_out()
                continue
            display.begin(case)
            reason = suite.excluded(case) or cannot_run(case)
            without_run = Result(status=Status.SKIPPED, reason=reason) if reason else limits.implied(case)
            record = _finish(case, folder, without_run or worker, display.tick, place["id"], keep_x=keep_x)
            row = records.as_row(record)
            limits.note(row)
            runs.note(row)
            ended.note(row)
            display.end(record)
            finished.append(record)
        if references:
            references.at(Moment.END, utc_now())
    finally:
        worker.stop()
    return finished


def run_row(suite: Suite, environment_id: str) -> dict[str, Any]:
    """The row of kind "run": which suite, by which command."""
    return {
        "kind": "run",
        "suite": suite.name,
        "digest": suite.digest,
        "description": suite.description,
        "schema": records.SCHEMA,
        "method": method_version(),
        "environment": environment_id,
        "price_per_hour": suite.price_per_hour,
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "time": utc_now(),
    }


def _finish(
    case: Case, folder: Folder, worker: Worker | Result, on_step: OnStep, environment_id: str, *, keep_x: bool
) -> CaseRecord:
    """Run a case, or take the result that is given in place of a worker, and record it.

    A separate function, so that the memory of one case is released before the next case begins.
    """
    key = folder.key(case.id)
    x_file = x_name(key) if keep_x else None
    if x_file:
        case = replace(case, keep_x=str((folder.path / x_file).absolute()))

    result = worker if isinstance(worker, Result) else worker.run(case, on_step)
    dual_file = save_dual(folder.path, key, result.proved_dual)
    record = case_record(case, result, environment=environment_id, dual_file=dual_file, x_file=x_file)
    records.append(folder.records, record)
    return record


def isolated(suite: Suite, folder: Path) -> Isolated:
    """Runs cases of the suite under its limits; what solvers print goes to a file in `folder`."""
    limits = Limits(grace=suite.grace, memory=parse_bytes(suite.memory_limit))
    return Isolated(suite.threads or usable_threads(), folder / "solver-output.log", limits)


class EndedAtLimits:
    """Pairs of solver and instance that ended at a limit, which would end every tighter tolerance as well."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._ended: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for row in rows:
            self.note(row)

    def note(self, row: Mapping[str, Any]) -> None:
        """Remember a row that ended at a limit."""
        if row["status"] in (Status.TIME_LIMIT, Status.ITERATION_LIMIT):
            key = self._key(row["instance"], row["solver"], row["settings"], row["repeat"])
            self._ended.setdefault(key, []).append(row)

    def implied(self, case: Case) -> Result | None:
        """The result of a case whose looser tolerance has ended at the same limit; None where it has to be run."""
        settings = asdict(case.settings)
        for row in self._ended.get(self._key(case.instance, case.card.id, settings, case.repeat), []):
            if row["settings"]["tolerance"] >= case.settings.tolerance:
                reason = f"not run: it reached its limit at tolerance {row['settings']['tolerance']:g}"
                return Result(status=Status(row["status"]), reason=reason)
        return None

    @staticmethod
    def _key(instance: str, solver: str, settings: Mapping[str, Any], repeat: int) -> tuple[Any, ...]:
        same = ("time_limit", "iteration_limit", "threads", "device", "dtype")
        return (instance, solver, repeat, *(settings.get(name) for name in same), repr(settings.get("options")))


def cannot_run(case: Case) -> str:
    """Why a case is skipped: its solver is not installed, or needs more memory than the machine has."""
    able = cards.availability_now(case.card)
    if not (able.ok or able.apart):  # a case has a process of its own
        return f"{able.reason}; {able.remedy}"
    need = memory_needed(case.card, case.parsed)
    free = available_memory()
    if need <= free or lies_on_disk(case):
        return ""
    return f"needs about {need / 2**30:.3g} GiB of memory, {free / 2**30:.3g} GiB are available"
