"""The row of a case: what each field means, and what it must be.

This is the only list of the fields. From the annotations come the check of a row (harness/rows.py) and the columns of a
report (`case_columns`); from the sentences under the fields comes RECORDS.md (`python -m harness.fields`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, NamedTuple, get_type_hints

from harness.certificate import Certificate
from harness.shapes import (
    BYTES,
    CERTIFICATE,
    FACTS,
    FLAG,
    NUMBER,
    OBJECT,
    SECONDS,
    TEXT,
    TOLERANCE,
    TRACE,
    WHOLE,
    Entries,
    Shape,
    marks,
)

SCHEMA = 2
#: `row_kinds` of an instance that has nothing beyond it.
SHORT_FORM = "one '<=' family"


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Wall time of the steps of a case (harness/steps.py), on a monotonic clock."""

    warm_up: float | None = None
    """The solver's first tiny solve in its process, with imports and compilation; None where it was warm already."""

    isolation: float | None = None
    """Starting a process for the case, handing over the instance and the outcome, and ending the process."""

    generate: float | None = None
    """Making the instance."""

    prepare: float | None = None
    """Turning the instance into the solver's own form: conversion, layout, upload."""

    run: float | None = None
    """The solver's work, from what it prepared to an answer in plain arrays."""

    deliver: float | None = None
    """Handing x and dual over to the process that judges them."""

    referee: float | None = None
    """The judgement."""


@dataclass(frozen=True, kw_only=True)
class InstanceForm:
    """What an instance is, in words (harness/instance_form.py)."""

    families: str = ""
    """Its families of rows: how many rows, over which edges, between which limits."""

    row_kinds: str = ""
    """What its rows have beyond one '<=' family (instances.RowKind), or SHORT_FORM."""

    polytopes: str = ""
    """What sources may do."""

    tightness: str = ""
    """How many rows would be left if each source took what is best for it alone; "" where that was not tried."""


_SETTINGS = Entries(
    {
        "tolerance": TOLERANCE,
        "time_limit": NUMBER.or_null,
        "iteration_limit": WHOLE.or_null,
        "threads": WHOLE.or_null,
        "device": TEXT.or_null,
        "dtype": TEXT.or_null,
        "stay": NUMBER.or_null,
        "options": OBJECT.or_null,
    }
)
_SECONDS = Entries({seconds.name: None for seconds in fields(Seconds)})
_CPU = Entries({"prepare": None, "run": None}, "cpu_{}")
_MEMORY = Entries({"host": None, "device": None}, "{}_memory")
_FORM = Entries({part.name: TEXT.or_null for part in fields(InstanceForm)}, "instance_{}")
_START = Entries(
    {"hash": TEXT.or_null, "parts": TEXT.or_null, "churn": NUMBER.or_null, "stay_gap": NUMBER.or_null}, "start_{}"
)
_CERTIFICATE = Entries({figure.name: None for figure in fields(Certificate)}, texts=("reason",))
#: What harness.disturbance.between measures.
_DISTURBANCE = Entries(dict.fromkeys(("seconds", "cores", "other_load", "steal", "swapped", "throttled", "clock")))


@dataclass(frozen=True, kw_only=True)
class CaseRecord:
    """One case: instance x solver x tolerance x repeat."""

    case: Annotated[str, TEXT]
    """Text that names the case within its suite."""

    suite: Annotated[str, TEXT]
    """The suite that the case belongs to."""

    instance: Annotated[str, TEXT]
    """The name of the instance in the suite."""

    spec: Annotated[str, TEXT]
    """The text that makes the instance."""

    spec_hash: Annotated[str, TEXT]
    """A hash of the spec, and of the files that it names."""

    family: Annotated[str, TEXT]
    """The family of the instance, or the reader of its files."""

    sources: Annotated[int, WHOLE]
    """I of the instance."""

    destinations: Annotated[int, WHOLE]
    """J of the instance: its budget rows."""

    edges: Annotated[int | None, WHOLE.or_null]
    """E of the instance; null where it was never made."""

    cells: Annotated[int, WHOLE]
    """sources * destinations."""

    solver: Annotated[str, TEXT]
    """The id of the solver."""

    variant: Annotated[str, TEXT.or_null] = ""
    """The name of the solver with these options in its suite; "" where it goes by its id, and in older records."""

    division: Annotated[str | None, TEXT.or_null] = None
    """"default" or "tuned" (harness/division.py); null in older records, whose options tell."""

    anytime: Annotated[bool, FLAG.or_null] = False
    """Whether its time limit cut it short on purpose, for the gap over time (harness/anytime.py); in no ranking."""

    solver_version: Annotated[str, TEXT.or_null]
    """What the solver says of its version."""

    settings: Annotated[Mapping[str, Any], OBJECT, _SETTINGS]
    """What the solver was asked for (solvers.Settings): tolerance, limits, threads, device, dtype, seed, options."""

    repeat: Annotated[int, WHOLE]
    """The number of the repeat, from 0."""

    status: Annotated[str, TEXT]
    """How the case ended (solvers.Status)."""

    raw_status: Annotated[str, TEXT.or_null] = ""
    """The solver's own words."""

    reason: Annotated[str, TEXT.or_null] = ""
    """One line for anything but solved, and for a point that is within tolerance, not feasible."""

    seconds: Annotated[Seconds, SECONDS, _SECONDS] = field(default_factory=Seconds)
    """Wall time of each step; null for a step that did not end."""

    cpu_seconds: Annotated[Mapping[str, float], SECONDS.or_null, _CPU] = field(default_factory=dict)
    """CPU seconds of all processes of the case during prepare and run, read from outside."""

    isolated: Annotated[bool, FLAG.or_null] = False
    """Whether the solver ran in a process of its own, was timed from outside and judged in another process."""

    iterations: Annotated[int | None, WHOLE.or_null] = None
    """Iterations by the solver's own count; null where it counts none."""

    peak_memory: Annotated[Mapping[str, int | None], BYTES, _MEMORY] = field(default_factory=dict)
    """Bytes of "host" and "device" at the peak of the case."""

    certificate: Annotated[Mapping[str, Any] | None, CERTIFICATE.or_null, _CERTIFICATE] = None
    """The referee's figures (harness/certificate.py); null where there was nothing to judge."""

    trace: Annotated[Mapping[str, Sequence[float]] | None, TRACE.or_null] = None
    """Progress by the solver's own view: lists "seconds", "iteration" and "gap"."""

    start: Annotated[Mapping[str, Any] | None, OBJECT.or_null, _START] = None
    """Of a run that began from an earlier answer (harness/staying.py); null for a cold run, and in older records."""

    dual_file: str | None = None
    """The dual beside the records, float64 .npy; null where no bound was proved."""

    content_hash: Annotated[str | None, TEXT.or_null] = None
    """A hash of the arrays of the instance (instances.content_hash); null where it was never made, and in schema 1."""

    instance_form: Annotated[Mapping[str, str] | None, OBJECT.or_null, _FORM] = None
    """What the instance is, in words; null where it was never made, and in older records."""

    adapter_hash: Annotated[str | None, TEXT.or_null] = None
    """A hash of the file of an adapter that is not of this package, else ""; null in schema 1."""

    x_hash: Annotated[str | None, TEXT.or_null] = None
    """A hash of the solver's x as the referee got it (harness.arrays.array_hash); null in schema 1."""

    x_file: str | None = None
    """That x beside the records, .npy, where `run --keep-x` kept it."""

    disturbance: Annotated[Mapping[str, float | None], FACTS.or_null, _DISTURBANCE] = field(default_factory=dict)
    """What else the machine did during run (harness/disturbance.py)."""

    disturbed: Annotated[str, TEXT.or_null] = ""
    """What of it passed a threshold, in words."""

    environment: Annotated[str, TEXT.or_null] = ""
    """The id of a row of kind "environment"."""

    time: Annotated[str, TEXT.or_null] = ""
    """When the case ended: ISO 8601, UTC."""

    schema: int = SCHEMA
    """The version of this form."""

    kind: str = "case"
    """The kind of the row."""


class CaseColumn(NamedTuple):
    """One plain column of a table of cases."""

    name: str
    """How the column is called."""

    path: tuple[str, ...]
    """Where the value stands in a row: a field, or a field and an entry of it."""

    type: type[str] | type[float]
    """Texts or numbers."""


def case_columns() -> list[CaseColumn]:
    """The texts and numbers of a case, one column each, in the order of the fields."""
    return list(_columns())


def _columns() -> Iterator[CaseColumn]:
    hints = get_type_hints(CaseRecord, include_extras=True)
    for name, hint in hints.items():
        for mark in marks(hint):
            if isinstance(mark, Shape) and mark.column is not None:
                yield CaseColumn(name, (name,), mark.column)
            if isinstance(mark, Entries):
                for entry in mark.shapes:
                    kind = mark.type_of(entry)
                    column = mark.column.format(entry)
                    if kind is not None:
                        yield CaseColumn(f"{name}_{entry}" if column in hints else column, (name, entry), kind)
