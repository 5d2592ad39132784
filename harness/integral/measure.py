"""Whole decisions measured: seconds and gap beside those of the LP, and on GAP beside the best known integer value."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.arrays import array_hash
from harness.case import Case
from harness.integral.decide import whole_decisions
from harness.integral.judge import judged_whole
from harness.integral.row import WholeRecord
from harness.measured import Measurements, instance_fields, solver_fields
from harness.plain import as_plain
from harness.recording import utc_now
from harness.referee import certify
from harness.result import Result
from harness.rounding import Float64
from harness.runner import Worker, cannot_run
from harness.steps import ignore_step
from instances import InputError, MatchingLP, Spec, digest, parse_spec
from solvers import Settings

_BOUNDS = "bounds.csv"


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whole decisions of one instance by one solver."""

    name: str
    """Of the instance."""

    spec: Spec

    solver: str
    """The id of the LP's solver."""

    effort: float
    """Moves to look at for each edge."""

    threads: int
    """Of the LP and of the referee."""

    repeat: int = 0

    best_known: float | None = None
    """The best known value of a whole x."""

    @property
    def case(self) -> str:
        """Text that names it."""
        return f"{self.name}|{self.solver}|effort {self.effort:g}|{self.threads}t|r{self.repeat}"


def measure_whole(question: Question, lp: MatchingLP, worker: Worker, into: Measurements) -> WholeRecord:
    """Let `worker` solve `lp` to 1e-4 and make its answer whole here; the row, with its arrays kept beside it."""
    settings = Settings(threads=question.threads)
    result, x = _solved(question, settings, worker)
    dual = result.proved_dual
    decided = whole_decisions(lp, x, dual, effort=question.effort, threads=question.threads)
    seconds = {"prepare": result.seconds.prepare, "run": result.seconds.run, "whole": decided.seconds}
    return WholeRecord(
        case=question.case,
        **instance_fields(question.name, question.spec, lp),
        **solver_fields(question.solver, settings),
        effort=question.effort,
        repeat=question.repeat,
        seconds=seconds,
        certificate=asdict(decided.certificate),
        **asdict(decided.figures),
        best_known=question.best_known,
        above_best=_above(decided.certificate.objective, question.best_known, kept=decided.figures.kept),
        dual_file=into.keep_dual(question.case, dual),
        **into.keep_whole_x(question.case, decided.x),
        environment=into.environment,
        time=utc_now(),
    )


def _solved(question: Question, settings: Settings, worker: Worker) -> tuple[Result, Float64]:
    """The result of the LP and its x. Raises InputError where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "x.npy"
        case = Case(
            suite="whole",
            instance=question.name,
            spec=question.spec.text,
            solver=question.solver,
            settings=settings,
            keep_x=str(kept),
        )
        if reason := cannot_run(case):
            raise InputError(f"{question.solver} cannot solve {question.name}: {reason}")
        result = worker.run(case, ignore_step)
        if not result.arrays.x_kept:
            reason = result.reason or result.status.sentence
            raise InputError(f"{question.solver} gave no x for {question.name}: {reason}")
        return result, np.load(kept, allow_pickle=False)


#: The arrays beside a row.
FILES = ("dual_file", "x_file")


def derived_whole(
    row: Mapping[str, Any], lp: MatchingLP, arrays: Mapping[str, Any], threads: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What dual and x give again: figures of the certificate, and those of the row."""
    stored = arrays["x_file"]
    x = np.asarray(stored, dtype=np.float64)
    certificate = certify(lp, x, arrays["dual_file"], threads=threads)
    figures: dict[str, Any] = as_plain(asdict(judged_whole(lp, x, certificate, row["bound_gap"])))
    figures["above_best"] = _above(certificate.objective, row.get("best_known"), kept=figures["kept"])
    figures["x_hash"] = array_hash(stored)
    return asdict(certificate), figures


def _above(objective: float | None, best_known: float | None, *, kept: bool) -> float | None:
    return objective / best_known - 1 if best_known is not None and objective is not None and kept else None


def gap_files(folder: Path) -> Iterator[tuple[str, Spec, float]]:
    """Each instance of the generalised assignment problem in `folder`, with the best known value of its bounds.csv.

    A file that the package holds too goes by its name alone, so that its row can be derived again anywhere.
    """
    try:
        with (folder / _BOUNDS).open(newline="", encoding="utf-8") as table:
            known = {row["Path"].rpartition("/")[2]: row["Best known solution value"] for row in csv.DictReader(table)}
    except (OSError, KeyError) as error:
        raise InputError(f"{folder} has no {_BOUNDS} with paths and best known values ({error})") from error
    for file in sorted(folder.glob("*.gz")):
        if file.stem not in known:
            raise InputError(f"{folder / _BOUNDS} has no best known value of {file.stem}: add one, or move the file")
        yield file.stem, _gap_spec(file.stem, folder), float(known[file.stem])


def _gap_spec(name: str, folder: Path) -> Spec:
    given = parse_spec(f"gap:file={name},path={folder}")
    try:
        packaged = parse_spec(f"gap:file={name}")
    except InputError:
        return given
    return packaged if digest(packaged) == digest(given) else given
