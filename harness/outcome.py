"""From what a solver did to the row that is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from harness import disturbance
from harness.case import Case
from harness.folder import write_array
from harness.identity import array_hash
from harness.records import CaseRecord, Seconds, readable
from harness.solve import Result
from instances import MatchingLP, content_hash, digest

_TRACE_POINTS = 400
Point = TypeVar("Point")


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What came of one case, in types that travel between processes."""

    status: str
    reason: str = ""
    raw_status: str = ""
    edges: int | None = None
    seconds: Seconds = field(default_factory=Seconds)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    isolated: bool = False
    iterations: int | None = None
    peak_memory: dict[str, int | None] = field(default_factory=dict)
    certificate: dict[str, Any] | None = None
    trace: dict[str, list[float]] | None = None
    dual: npt.NDArray[np.float64] | None = None
    content_hash: str | None = None
    x_hash: str | None = None
    x_kept: bool = False
    disturbance: dict[str, float | None] = field(default_factory=dict)


def outcome_of(result: Result, lp: MatchingLP, *, keep_x: str = "") -> Outcome:
    """keep_x: the file that x goes to; "" to keep its hash alone."""
    answer, certificate = result.answer, result.certificate
    trace = [] if answer is None else thinned(answer.trace)
    judged = certificate is not None and certificate.dual_bound is not None
    return Outcome(
        status=str(result.status),
        reason=result.reason,
        raw_status="" if answer is None else answer.raw_status,
        edges=lp.edges,
        content_hash=content_hash(lp),
        x_hash=None if answer is None else array_hash(answer.x),
        x_kept=bool(keep_x) and answer is not None and write_array(Path(keep_x), answer.x),
        seconds=result.seconds,
        iterations=None if answer is None else answer.iterations,
        peak_memory=dict(result.peak_memory),
        certificate=None if certificate is None else asdict(certificate),
        trace={k: [getattr(p, k) for p in trace] for k in ("seconds", "iteration", "gap")} if trace else None,
        dual=answer.dual.astype(np.float64) if judged and answer is not None and answer.dual is not None else None,
        disturbance=dict(result.disturbance),
    )


def thinned(trace: Sequence[Point]) -> list[Point]:
    """Every k-th point, and the last: enough to draw, whatever the number of iterations."""
    stride = -(-len(trace) // _TRACE_POINTS)
    return [*trace[: -1 : max(1, stride)], *trace[-1:]]


def case_record(
    case: Case, outcome: Outcome, *, environment: str, dual_file: str | None = None, x_file: str | None = None
) -> CaseRecord:
    """The row of a case, as it is read back; `environment` is the id of an environment row."""
    spec = case.parsed
    record = CaseRecord(
        case=case.id,
        suite=case.suite,
        instance=case.instance,
        spec=spec.text,
        spec_hash=digest(spec),
        family=spec.family,
        sources=spec.sources,
        destinations=spec.destinations,
        edges=outcome.edges,
        cells=spec.sources * spec.destinations,
        solver=case.card.id,
        solver_version=case.card.availability.version,
        settings=asdict(case.settings),
        repeat=case.repeat,
        status=outcome.status,
        raw_status=outcome.raw_status,
        reason=outcome.reason,
        seconds=outcome.seconds,
        cpu_seconds=outcome.cpu_seconds,
        isolated=outcome.isolated,
        iterations=outcome.iterations,
        peak_memory=outcome.peak_memory,
        certificate=outcome.certificate,
        trace=outcome.trace,
        disturbance=outcome.disturbance,
        disturbed=disturbance.marks(outcome.disturbance),
        dual_file=dual_file,
        content_hash=outcome.content_hash,
        adapter_hash=case.card.adapter_hash,
        x_hash=outcome.x_hash,
        x_file=x_file if outcome.x_kept else None,
        environment=environment,
        time=utc_now(),
    )
    return readable(record)


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
