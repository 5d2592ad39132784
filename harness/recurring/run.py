"""Runs a series of days: every solve in a process of its own, one row each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from harness import records
from harness.carried import carried
from harness.case import Case
from harness.environment import environment
from harness.folder import Folder, save_dual
from harness.identity import changed
from harness.least_runs import AUTO, RunsTaken
from harness.recording import case_record, utc_now
from harness.recurring.answers import Answers, churn_between
from harness.recurring.plan import COLD, Day, Series, days_of, series_of
from harness.recurring.row import RecurringRecord
from harness.reference import Moment, References
from harness.result import Result
from harness.runner import Display, Worker, cannot_run, isolated, run_row
from harness.starts import write_start
from harness.suite import Suite, SuiteError
from harness.worker import InProcess
from instances import MatchingLP, Stayed, generate, stayed
from solvers import Start, Status


def missing_days(suite: Suite, folder: Folder) -> list[Day]:
    """The solves that the folder lacks, in running order; with repeats = "auto" all that may be needed.

    SuiteError where one that it has is not of this suite.
    """
    recorded = {row["case"]: row for row in records.read(folder.path).recurring} if folder.records.exists() else {}
    runs = RunsTaken(recorded.values())
    missing = []
    for series in series_of(suite):
        for number in range(len(series.days)):
            for day in days_of(suite, series, number):
                row = recorded.get(day.id)
                other = "" if row is None else changed(row, day.case)
                if other:
                    raise SuiteError(f"{folder.path} cannot go on, {other}: choose another --out")
                needless = suite.repeats == AUTO and runs.needless(day.id)
                if row is None and not needless:
                    missing.append(day)
    return missing


def run_days(suite: Suite, folder: Folder, display: Display, *, in_process: bool = False, keep_x: bool = False) -> None:
    """Run the solves that the folder lacks; each is on the disk before the next begins. keep_x: as of `run_suite`."""
    missing = missing_days(suite, folder)
    if not missing:
        return
    place = environment()
    records.append(folder.records, run_row(suite, place["id"]))
    records.append(folder.records, place)

    answers = Answers(folder.path, keep_x=keep_x)
    worker: Worker = InProcess() if in_process else isolated(suite, folder.path)
    runs = RunsTaken(records.read(folder.path).recurring)
    at = {"suite": suite.name, "environment": place["id"], "cases": len(missing)}
    references = References(folder.records, **at) if suite.reference else None
    solves = itertools.count()
    try:
        for (series, number), days in groupby(missing, key=lambda day: (day.series, day.number)):
            between = _Between(series, number)
            for day in days:
                if references:
                    references.before(next(solves), utc_now())
                if suite.repeats == AUTO and runs.needless(day.id):
                    display.leave_out()
                    continue
                display.begin(day.case)
                record = _Solve(suite, folder, answers, between, day).run(worker, display, environment=place["id"])
                records.append(folder.records, record)
                runs.note(records.as_row(record))
                display.end(replace(record, instance=_when(record), variant=_how(record)))
            answers.keep_only(day.id for day in days_of(suite, series, number))
        if references:
            references.at(Moment.END, utc_now())
    finally:
        worker.stop()
    answers.remove()


class _Between:
    """A day and the one before; both instances are made where the first solve of the day asks for them."""

    def __init__(self, series: Series, number: int) -> None:
        self._series = series
        self._number = number
        self._known: tuple[MatchingLP, Stayed] | None = None

    def known(self) -> tuple[MatchingLP, Stayed]:
        """The instance of the day, and the edges that it has from the day before."""
        if self._known is None:
            specs = self._series.days[self._number - 1], self._series.days[self._number]
            before, lp = (generate(spec) for spec in specs)
            self._known = lp, stayed((specs[0], before), (specs[1], lp))
        return self._known


class _Solve:
    """One solve of a day."""

    def __init__(self, suite: Suite, folder: Folder, answers: Answers, between: _Between, day: Day) -> None:
        self._suite = suite
        self._folder = folder
        self._answers = answers
        self._between = between
        self._day = day

    def run(self, worker: Worker, display: Display, *, environment: str) -> RecurringRecord:
        """The row, with the answer kept."""
        day = self._day
        before = self._answers.read(day.of_yesterday()) if day.number else None
        case = replace(day.case, keep_x=str(self._answers.x_file))
        reason = self._suite.excluded(case) or cannot_run(case)
        if day.chain.parts and not reason:
            begin = self._begin(before)
            if begin is None:
                reason = f"no {' and '.join(day.chain.parts)} of the day before to begin from"
            else:
                write_start(self._answers.start_file, begin)
                case = replace(case, start=str(self._answers.start_file))

        result = Result(status=Status.SKIPPED, reason=reason) if reason else worker.run(case, display.tick)
        return self._row(case, result, before, environment)

    def _begin(self, before: Start | None) -> Start | None:
        """What the chain takes of yesterday's answer, in the order of today's edges; None where it lacks."""
        parts = {part: getattr(before, part, None) for part in self._day.chain.parts}
        given: Mapping[str, Any] = {part: array for part, array in parts.items() if array is not None}
        if not given:
            return None
        lp, same = self._between.known()
        return carried(Start(**given), same, lp)

    def _row(self, case: Case, result: Result, before: Start | None, environment: str) -> RecurringRecord:
        day = self._day
        after = self._answers.keep(day.id, result)
        x_file = self._answers.keep_x(day.id, result)
        of_day: dict[str, Any] = {
            "case": day.id,
            "day": day.number,
            "drift": day.series.drift,
            "chain": day.chain.name,
        }
        if day.number:
            _, same = self._between.known()
            of_day |= {"stayed_edges": int(same.before.size), "churn": churn_between(before, after, same)}
        dual_file = save_dual(self._folder.path, day.id, result.proved_dual)
        record = case_record(case, result, environment=environment, dual_file=dual_file, x_file=x_file)
        return RecurringRecord.of(record, **of_day)


def _when(record: RecurringRecord) -> str:
    drift = "" if record.drift is None else f" {record.drift:g}"
    return f"{record.instance}{drift} day {record.day}"


def _how(record: RecurringRecord) -> str:
    name = record.variant or record.solver
    return name if record.chain == COLD else f"{name} {record.chain}"
