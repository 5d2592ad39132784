"""The row of one day of a series: that of a case, and what it has to do with the day before."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

from harness.record import CaseRecord
from harness.shapes import NUMBER, TEXT, WHOLE


@dataclass(frozen=True, kw_only=True)
class RecurringRecord(CaseRecord):
    """One solve of a series of days. All fields of a case; `instance` is the name of the series, `spec` that of the
    day.
    """

    day: Annotated[int, WHOLE]
    """Days since the first, which is 0."""

    drift: Annotated[float | None, NUMBER.or_null] = None
    """By how much values and limits move a day (instances/drift.py); null for real data."""

    chain: Annotated[str, TEXT]
    """From what each day begins (harness/recurring/plan.py): "cold", "warm", "prices" or "stay RHO"."""

    churn: Annotated[float | None, NUMBER.or_null] = None
    """sum |x - x_before| / (2 sum x) over the edges that were there the day before, x_before the answer of the same
    chain; null on the first day, without one of both answers, and where x is 0 there."""

    stayed_edges: Annotated[int | None, WHOLE.or_null] = None
    """How many edges that were; null on the first day."""

    kind: str = "recurring"
    """"recurring"."""

    @classmethod
    def of(cls, record: CaseRecord, **of_day: object) -> RecurringRecord:
        """The row of a case with what is said of its day, which may rename it."""
        case = {field.name: getattr(record, field.name) for field in fields(CaseRecord) if field.name != "kind"}
        return cls(**(case | of_day))
