"""From the result of a case to the row that is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from harness import disturbance
from harness.case import Case
from harness.division import division_of
from harness.records import CaseRecord, readable
from harness.result import Result
from harness.staying import started_of
from instances import digest
from solvers import TracePoint

_TRACE_POINTS = 400
Point = TypeVar("Point")


def thinned(trace: Sequence[Point]) -> list[Point]:
    """Every k-th point, and the last: enough to draw, whatever the number of iterations."""
    stride = -(-len(trace) // _TRACE_POINTS)
    return [*trace[: -1 : max(1, stride)], *trace[-1:]]


def case_record(
    case: Case, result: Result, *, environment: str, dual_file: str | None = None, x_file: str | None = None
) -> CaseRecord:
    """The row of a case, as it is read back; `environment` is the id of an environment row."""
    spec = case.parsed
    answer = result.answer
    record = CaseRecord(
        case=case.id,
        suite=case.suite,
        instance=case.instance,
        spec=spec.text,
        spec_hash=digest(spec),
        family=spec.family,
        sources=spec.sources,
        destinations=spec.destinations,
        edges=result.arrays.edges,
        cells=spec.sources * spec.destinations,
        solver=case.card.id,
        variant=case.variant,
        division=division_of(asdict(case.settings)),
        anytime=case.anytime,
        solver_version=case.card.availability.version,
        settings=asdict(case.settings),
        repeat=case.repeat,
        status=str(result.status),
        raw_status=result.raw_status,
        reason=result.reason,
        seconds=result.seconds,
        cpu_seconds=result.cpu_seconds,
        isolated=result.isolated,
        iterations=None if answer is None else answer.iterations,
        peak_memory=result.peak_memory,
        certificate=None if result.certificate is None else asdict(result.certificate),
        trace=None if answer is None else _trace(answer.trace),
        start=_start(case, result),
        disturbance=result.disturbance,
        disturbed=disturbance.marks(result.disturbance),
        dual_file=dual_file,
        content_hash=result.arrays.content_hash,
        instance_form=None if result.arrays.form is None else asdict(result.arrays.form),
        adapter_hash=case.card.adapter_hash,
        x_hash=result.arrays.x_hash,
        x_file=x_file if result.arrays.x_kept else None,
        environment=environment,
        time=utc_now(),
    )
    return readable(record)


def _start(case: Case, result: Result) -> dict[str, Any] | None:
    """Of a run that failed too, which has no answer to look at."""
    known = result.started or started_of(case.warm)
    return None if known is None else asdict(known)


def _trace(points: Sequence[TracePoint]) -> dict[str, list[float]] | None:
    few = thinned(points)
    if not few:
        return None
    return {name: [getattr(point, name) for point in few] for name in ("seconds", "iteration", "gap")}


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
