"""The row of a run over ranks: what each field means, and what it must be, as harness/record.py says it of a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from harness.shapes import (
    CERTIFICATE,
    COUNT,
    FLAG,
    MODEL,
    OBJECT,
    RANKS,
    RATIO,
    SECONDS,
    TEXT,
    TRACE,
    WHOLE,
    Entries,
)


class ScalingRecord(TypedDict, total=False):
    """One case on some number of ranks. What only a run that ended has is absent where the ranks did not finish."""

    schema: int
    """The version of this form."""

    kind: str
    """"scaling"."""

    mode: Annotated[str, TEXT]
    """"strong": the same instance on any number of ranks; "weak": sources in proportion to the ranks."""

    spec: Annotated[str, TEXT]
    """The text that makes the instance of this run."""

    spec_hash: str
    """A hash of the spec."""

    family: Annotated[str, TEXT]
    """The family of the instance."""

    sources: Annotated[int, WHOLE]
    """I of the instance."""

    destinations: Annotated[int, WHOLE]
    """J of the instance."""

    edges: Annotated[int | None, WHOLE.or_null]
    """E of the instance, of all ranks together."""

    digest: str
    """A hash of the blocks of the instance, as the ranks made them."""

    content_hash: Annotated[str | None, TEXT.or_null]
    """A hash of the arrays of the instance, as the referee made it; null where it was not judged."""

    solver: Annotated[str, TEXT]
    """The id of the solver."""

    solver_version: str
    """What the solver says of its version."""

    adapter_hash: Annotated[str | None, TEXT.or_null]
    """A hash of the file of an adapter that is not of this package, else ""; null in schema 1."""

    settings: Annotated[Mapping[str, Any], Entries({"threads": COUNT, "device": TEXT})]
    """What every rank was asked for (solvers.Settings); threads are those of one rank."""

    ranks: Annotated[int, COUNT]
    """The number of ranks."""

    status: Annotated[str, TEXT]
    """How the run ended (solvers.Status), by the referee's word."""

    reason: Annotated[str | None, TEXT.or_null]
    """One line for anything but solved, and for a point that is within tolerance, not feasible."""

    claim: str
    """The status that the solver gave itself."""

    raw_status: str
    """The solver's own words."""

    certificate: Annotated[Mapping[str, Any] | None, CERTIFICATE.or_null]
    """The referee's figures (harness/certificate.py)."""

    seconds: Annotated[Mapping[str, float | None] | None, SECONDS.or_null]
    """generate, prepare, run: the maximum over the ranks. per_iteration: of one pass, the maximum over the ranks, mean
    over the middle half of the passes. to_gap: run, where the referee confirms the tolerance."""

    iterations: Annotated[int | None, WHOLE.or_null]
    """Iterations by the solver's own count."""

    bytes_per_iteration: Annotated[int | None, WHOLE.or_null]
    """The length of the sum over all ranks that an iteration needs."""

    wire: str
    """The type of the numbers in that sum."""

    restarts: Annotated[int | None, WHOLE.or_null]
    """How often the ranks were started again after one had died."""

    checkpoints: int
    """How many checkpoints were written."""

    notes: Sequence[str]
    """Lines for the reader, such as one about a checkpoint that could not be written."""

    shared: Annotated[bool | None, FLAG.or_null]
    """Whether ranks had to share cores."""

    efficiency: Annotated[Mapping[str, Any] | None, OBJECT.or_null, Entries({"value": RATIO.or_null})]
    """value, against_ranks, definition: see harness/scaling/series.py; null where ranks shared cores."""

    per_rank: Annotated[Sequence[Mapping[str, Any]] | None, RANKS.or_null]
    """What each rank did: host, cores, edges, seconds, peak memory, compute, communication, waiting, speeds."""

    model: Annotated[Mapping[str, Any] | None, MODEL.or_null]
    """What harness/scaling/model.py predicts from the speeds that this run measured; error is relative to
    per_iteration."""

    trace: Annotated[Mapping[str, Sequence[float]] | None, TRACE.or_null]
    """Progress by the solver's own view, as of a case."""

    dual_file: str
    """The dual beside the records, float64 .npy."""

    x_hash: Annotated[str | None, TEXT.or_null]
    """A hash of the x of all ranks as the referee got it."""

    x_file: str
    """That x beside the records, .npy, where `scale --keep-x` kept it."""

    environment: Annotated[str | None, TEXT.or_null]
    """The id of a row of kind "environment"."""

    time: Annotated[str | None, TEXT.or_null]
    """When the run ended: ISO 8601, UTC."""
