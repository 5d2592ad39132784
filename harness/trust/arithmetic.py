"""What a row says must agree with itself: gap, status and times, whatever of it can be derived again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.accuracy import accuracy, meets, within_tolerance_only
from harness.division import division_of

#: Rows of schema 1 show a gap between this and 0, the rounding of two sums, as 0.
_ROUNDING = 1e-12
_CLOSE = 1e-9
#: What clocks of two kinds may be apart: the trace's and that of `run`, CPU time and wall time.
_TRACE_SLACK = 1.1
_CPU_FACTOR = 2.0
_SLACK_SECONDS = 0.5


def contradictions(row: Mapping[str, Any]) -> list[str]:
    """Each statement of a case or scaling row that cannot be true beside its others, in words."""
    return [*_gaps(row.get("certificate") or {}), *_status(row), *_times(row), *_sizes(row), *_division(row)]


def _division(row: Mapping[str, Any]) -> Iterator[str]:
    recorded = row.get("division")
    expected = division_of(row.get("settings") or {})
    if recorded is not None and recorded != expected:
        yield f"division is {recorded!r}, its options make it {str(expected)!r}"


def gap_of(certificate: Mapping[str, Any]) -> float | None:
    """(feasible objective - bound) / max(1, |bound|), None where one of them is not there."""
    bound = certificate.get("dual_bound")
    feasible = certificate.get("feasible_objective")
    return None if bound is None or feasible is None else (feasible - bound) / max(1.0, abs(bound))


def _gaps(certificate: Mapping[str, Any]) -> Iterator[str]:
    if "certified_gap" not in certificate:
        return  # runs over ranks before schema 2: the solver's own figures
    recorded = certificate["certified_gap"]
    expected = gap_of(certificate)
    if expected is not None and -_ROUNDING <= expected < 0 and recorded == 0:
        expected = 0.0
    if not _same(recorded, expected):
        yield f"certified_gap is {recorded!r}, its bound and feasible objective give {expected!r}"

    priced = certificate.get("priced_gap")
    if priced is not None and not _same(
        priced, gap_of({**certificate, "feasible_objective": certificate.get("priced_objective")})
    ):
        yield f"priced_gap is {priced!r}, its bound and priced objective give another"

    bound, objective, relative = (certificate.get(k) for k in ("dual_bound", "objective", "relative_gap"))
    if relative is not None:
        expected = None
        if bound is not None and objective is not None:
            expected = abs(objective - bound) / (1 + abs(objective) + abs(bound))
        if not _same(relative, expected):
            yield f"relative_gap is {relative!r}, objective and bound give {expected!r}"


def _same(recorded: float | None, expected: float | None) -> bool:
    if recorded is None or expected is None:
        return recorded is expected
    return abs(recorded - expected) <= _ROUNDING + _CLOSE * abs(expected)


def _status(row: Mapping[str, Any]) -> Iterator[str]:
    status = row["status"]
    certificate = row.get("certificate") or {}
    if "certified_gap" not in certificate and row.get("schema") == 1 and row.get("kind") == "scaling":
        return
    settings = row.get("settings") or {}
    tolerance = settings.get("tolerance")
    if settings.get("stay"):  # then the problem of staying was solved, not the LP
        gap = (row.get("start") or {}).get("stay_gap")
        judged_by = "a stay_gap"
        within = gap is not None and tolerance is not None and gap <= tolerance
    else:
        gap = accuracy(certificate)
        judged_by = "an accuracy" if within_tolerance_only(certificate) else "a certified gap"
        within = tolerance is not None and meets(certificate, tolerance)
    met = within and gap is not None and gap >= -_ROUNDING
    if status == "solved" and not met:
        yield f"status is solved, with {judged_by} of {gap!r} at tolerance {tolerance!r}"

    if status == "inaccurate" and met and "infeasible" not in str(row.get("reason")):
        yield f"status is inaccurate, with {judged_by} of {gap!r} at tolerance {tolerance!r}"

    if status == "skipped" and (certificate.get("dual_bound") is not None or (row.get("seconds") or {}).get("run")):
        yield "status is skipped, with a result"


def _times(row: Mapping[str, Any]) -> Iterator[str]:
    run = (row.get("seconds") or {}).get("run")
    if row["status"] == "solved" and not run:
        yield f"status is solved, with {run!r} s of run"
    if not run or row.get("kind") not in ("case", "recurring"):
        return
    ended = max((second for second in (row.get("trace") or {}).get("seconds") or [] if second is not None), default=0.0)
    if ended > _TRACE_SLACK * run + _SLACK_SECONDS:
        yield f"run took {run!r} s, its trace goes on to {ended!r} s"
    cpu = (row.get("cpu_seconds") or {}).get("run")
    threads = row["settings"].get("threads")
    if cpu is not None and threads and cpu > _CPU_FACTOR * threads * run + _SLACK_SECONDS:
        yield f"run took {run!r} s on {threads} threads, and {cpu!r} s of CPU time"


def _sizes(row: Mapping[str, Any]) -> Iterator[str]:
    cells = row.get("cells")
    if cells is not None and cells != row["sources"] * row["destinations"]:
        yield f"cells is {cells}, {row['sources']} sources and {row['destinations']} destinations make another"
