"""Runs a suite: every case becomes one row of the records, whatever happens to it."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from harness import cards, records
from harness.bench import InProcess
from harness.case import Case
from harness.environment import environment
from harness.folder import LOCK, save_dual, x_name
from harness.identity import changed
from harness.isolation.isolated import Isolated
from harness.isolation.limits import Limits, parse_bytes
from harness.memory import lies_on_disk, memory_needed
from harness.outcome import Outcome, case_record, utc_now
from harness.records import RECORDS_FILE, CaseRecord
from harness.suite import Suite, SuiteError
from harness.texts import plain_text
from instances import available_memory
from instances.cpus import usable_threads
from solvers import Status


class Display(Protocol):
    """Who shows the progress of a run."""

    def begin(self, case: Case) -> None: ...
    def tick(self, step: str) -> None: ...
    def end(self, record: CaseRecord) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An output folder: records.jsonl, the duals beside it, and what solvers printed.

    rows: the cases that are recorded. again: those of them that are to be run again, by id; their duals are kept.
    """

    path: Path
    rows: tuple[Mapping[str, Any], ...] = ()
    again: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> Path:
        return self.path / RECORDS_FILE

    @property
    def done(self) -> frozenset[str]:
        """Ids of the cases that are recorded and stand."""
        return frozenset(row["case"] for row in self.rows) - set(self.again)

    def key(self, case: str) -> str:
        """What names the files of a case; one that is run again gets files of its own, since its row still stands."""
        replaced = self.again.get(case)
        return case if replaced is None else f"{case} instead of {replaced.get('dual_file')} {replaced.get('x_file')}"


def open_folder(suite: Suite, path: Path, *, resume: bool, rerun_disturbed: bool = False) -> Folder:
    """The output folder of a run; refuses one that holds another suite, or records where `resume` is not asked for.

    rerun_disturbed: cases that were disturbed count as missing. Those whose data, adapter or settings are no longer
    what was recorded always do, and a warning says so. Where other processes may write too, hold
    harness.folder.locked(path) from before this until the run has ended.
    """
    if (path / RECORDS_FILE).exists():
        found = records.read(path)
        for row in found.runs:
            if (row.get("suite"), row.get("digest")) != (suite.name, suite.digest):
                raise SuiteError(f"{path} holds records of another suite ({row.get('suite')}): choose another --out")
        if not resume:
            raise SuiteError(f"{path} already holds records of {suite.name}: add --resume, or choose another --out")
        again = {row["case"]: row for row in found.cases if rerun_disturbed and row.get("disturbed")}
        different = _different(suite, found.cases)
        lines = [
            plain_text(f"{count} cases are run again: {reason}")
            for reason, count in Counter(different.values()).items()
        ]
        by_id = {row["case"]: row for row in found.cases}
        again |= {case: by_id[case] for case in different}
        return Folder(path=path, rows=tuple(found.cases), again=again, warnings=(*found.warnings, *lines))
    if path.exists() and (not path.is_dir() or any(p.name != LOCK for p in path.iterdir())):
        raise SuiteError(f"{path} is not an empty folder: choose another --out")
    path.mkdir(parents=True, exist_ok=True)
    return Folder(path=path)


def _different(suite: Suite, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Cases whose recorded row is of other data, of another adapter or of other settings: the reason by id."""
    recorded: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        recorded.setdefault(row["case"], []).append(row)
    found = {}
    for case in suite.cases():
        reasons = [changed(row, case) for row in recorded.get(case.id, [])]
        if reasons and all(reasons):
            found[case.id] = reasons[-1]
    return found


def missing_cases(suite: Suite, folder: Folder) -> list[Case]:
    done = folder.done
    return [case for case in suite.cases() if case.id not in done]


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
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    run = {"kind": "run", "suite": suite.name, "digest": suite.digest, "description": suite.description}
    records.append(folder.records, {**run, "schema": records.SCHEMA, "command": command, "time": utc_now()})
    records.append(folder.records, place)
    worker = InProcess() if in_process else isolated(suite, folder.path)
    limits = _Limits(row for row in folder.rows if row["case"] not in folder.again)
    finished = []
    try:
        for case in cases:
            display.begin(case)
            reason = suite.excluded(case) or _cannot_run(case)
            skipped = Outcome(status=Status.SKIPPED, reason=reason) if reason else limits.implied(case)
            x_file = x_name(folder.key(case.id)) if keep_x else None
            if x_file:
                case = replace(case, keep_x=str((folder.path / x_file).absolute()))
            outcome = skipped or worker.run(case, display.tick)
            dual_file = save_dual(folder.path, folder.key(case.id), outcome.dual)
            record = case_record(case, outcome, environment=place["id"], dual_file=dual_file, x_file=x_file)
            records.append(folder.records, record)
            limits.note(records.as_row(record))
            display.end(record)
            finished.append(record)
    finally:
        worker.stop()
    return finished


def isolated(suite: Suite, folder: Path) -> Isolated:
    """Runs cases of the suite under its limits; what solvers print goes to a file in `folder`."""
    limits = Limits(grace=suite.grace, memory=parse_bytes(suite.memory_limit))
    return Isolated(suite.threads or usable_threads(), folder / "solver-output.log", limits)


class _Limits:
    """Which solvers ended at a limit on which instance: the same limit ends every tighter tolerance as well."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._ended: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for row in rows:
            self.note(row)

    def note(self, row: Mapping[str, Any]) -> None:
        if row["status"] in (Status.TIME_LIMIT, Status.ITERATION_LIMIT):
            self._ended.setdefault(
                self._key(row["instance"], row["solver"], row["settings"], row["repeat"]), []
            ).append(row)

    def implied(self, case: Case) -> Outcome | None:
        """The outcome of a case that would only repeat one that ended at its limit, None where it has to be run."""
        settings = asdict(case.settings)
        for row in self._ended.get(self._key(case.instance, case.card.id, settings, case.repeat), []):
            if row["settings"]["tolerance"] >= case.settings.tolerance:
                reason = f"not run: it reached its limit at tolerance {row['settings']['tolerance']:g}"
                return Outcome(status=row["status"], reason=reason)
        return None

    @staticmethod
    def _key(instance: str, solver: str, settings: Mapping[str, Any], repeat: int) -> tuple[Any, ...]:
        same = ("time_limit", "iteration_limit", "threads", "device", "dtype")
        return (instance, solver, repeat, *(settings.get(name) for name in same), repr(settings.get("options")))


def _cannot_run(case: Case) -> str:
    """Why the case is not even tried: a solver that is not installed, or more memory than there is."""
    found = cards.availability_now(case.card)
    if not (found.ok or found.apart):  # a case has a process of its own
        return f"{found.reason}; {found.remedy}"
    need, free = memory_needed(case.card, case.parsed), available_memory()
    if need <= free or lies_on_disk(case):
        return ""
    return f"needs about {need / 2**30:.3g} GiB of memory, {free / 2**30:.3g} GiB are available"
