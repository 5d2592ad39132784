"""The output folder of a run: records.jsonl, the duals and x beside it, and what solvers printed.

One process at a time writes into a folder (`locked`). A folder belongs to one suite; `open_folder` refuses another one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness import records
from harness.anytime import EndedByThemselves
from harness.case import Case
from harness.disk import PARTIAL, write_whole
from harness.identity import changed
from harness.least_runs import AUTO, RunsTaken
from harness.records import RECORDS_FILE
from harness.suite import Suite, SuiteError
from harness.texts import plain_text
from instances import InputError

LOCK = ".lock"
#: The suite of a run beside its records, as it was read.
SUITE_FILE = "suite.toml"
_DUALS = "duals"
_XS = "x"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An output folder as a run finds it."""

    path: Path
    """Where it lies."""

    rows: tuple[Mapping[str, Any], ...] = ()
    """The cases that are recorded."""

    again: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Those of them that are to be run again, by id; their duals are kept."""

    warnings: tuple[str, ...] = ()
    """Lines for the reader."""

    @property
    def records(self) -> Path:
        return self.path / RECORDS_FILE

    @property
    def standing(self) -> list[Mapping[str, Any]]:
        """The recorded cases that need not be run again."""
        return [row for row in self.rows if row["case"] not in self.again]

    def key(self, case: str) -> str:
        """The name of a case's files. A case that is run again gets new ones: its old row refers to the old files."""
        replaced = self.again.get(case)
        return case if replaced is None else f"{case} instead of {replaced.get('dual_file')} {replaced.get('x_file')}"


def open_folder(suite: Suite, path: Path, *, resume: bool, rerun_disturbed: bool = False) -> Folder:
    """The output folder of a run; refuses one that holds another suite, or records where `resume` is not asked for.

    rerun_disturbed: cases that were disturbed count as missing. Cases whose data, adapter or settings are no longer
    what was recorded always do, and a warning says so. Where other processes may write too, hold `locked(path)` from
    before this call until the run has ended.
    """
    if (path / RECORDS_FILE).exists():
        return _recorded(suite, path, resume=resume, rerun_disturbed=rerun_disturbed)
    if path.exists() and (not path.is_dir() or any(p.name != LOCK for p in path.iterdir())):
        raise SuiteError(f"{path} is not an empty folder: choose another --out")
    path.mkdir(parents=True, exist_ok=True)
    return Folder(path=path)


def _recorded(suite: Suite, path: Path, *, resume: bool, rerun_disturbed: bool) -> Folder:
    """A folder that holds records."""
    file = records.read(path)
    for row in file.runs:
        if (row.get("suite"), row.get("digest")) != (suite.name, suite.digest):
            raise SuiteError(f"{path} holds records of another suite ({row.get('suite')}): choose another --out")
    if not resume:
        raise SuiteError(f"{path} already holds records of {suite.name}: add --resume, or choose another --out")

    different = _different(suite, file.cases)
    counts = Counter(different.values()).items()
    lines = [plain_text(f"{count} cases are run again: {reason}") for reason, count in counts]

    by_id = {row["case"]: row for row in file.cases}
    again = {case: row for case, row in by_id.items() if rerun_disturbed and row.get("disturbed")}
    again |= {case: by_id[case] for case in different}
    return Folder(path=path, rows=tuple(file.cases), again=again, warnings=(*file.warnings, *lines))


def _different(suite: Suite, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Cases whose recorded row is of other data, of another adapter or of other settings: the reason by id."""
    recorded: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        recorded.setdefault(row["case"], []).append(row)

    different = {}
    for case in suite.cases():
        reasons = [changed(row, case) for row in recorded.get(case.id, [])]
        if reasons and all(reasons):
            different[case.id] = reasons[-1]
    return different


def missing_cases(suite: Suite, folder: Folder) -> list[Case]:
    """The cases of the suite that the folder lacks, in running order; with repeats = "auto" all that may be needed."""
    done = {row["case"] for row in folder.standing}
    missing = [case for case in suite.cases() if case.id not in done]
    ended = EndedByThemselves(folder.standing)
    missing = [case for case in missing if not ended.needless(case)]
    if suite.repeats != AUTO:
        return missing
    runs = RunsTaken(folder.standing)
    return [case for case in missing if not runs.needless(case.id)]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only process that writes into `folder`, which is made where it is absent; InputError where another is.

    The kernel holds the lock and releases it when the process ends, in whatever way. What a killed process left half
    written is removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder} is not a folder: choose another --out") from None
    file = _lock(folder)
    try:
        for kept in (_DUALS, _XS):
            for partial in folder.glob(f"{kept}/.*{PARTIAL}"):
                partial.unlink(missing_ok=True)
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        file.close()


def save_dual(folder: Path, key: str, dual: Any) -> str | None:
    """Write the dual of the run `key`. Returns the file's path relative to the folder, None without a dual."""
    if dual is None:
        return None
    content = io.BytesIO()
    np.save(content, np.asarray(dual), allow_pickle=False)
    name = f"{_DUALS}/{_name(key)}.npy"
    write_whole(folder / name, content.getvalue())
    return name


def x_name(key: str) -> str:
    """The file of the x of the run that `key` names, relative to the folder."""
    return f"{_XS}/{_name(key)}.npy"


def _name(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:16]


def _lock(folder: Path) -> IO[str]:
    """The locked file, with the holder's process in it."""
    while True:
        file = (folder / LOCK).open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = " ".join(file.read(200).split()) or "another process"
            file.close()
            raise InputError(f"{holder} is writing into {folder}: wait for it, or choose another --out") from None
        if _is_there(folder / LOCK, file):
            break
        file.close()  # the process that held it has just removed it
    file.truncate(0)
    with contextlib.suppress(OSError):  # on a full disk the lock still holds, only its text is missing
        os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()}".encode())
    return file


def _is_there(path: Path, file: IO[str]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
