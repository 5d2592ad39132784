"""The row of serving from a sample: what each field means, and what it must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from harness.measured_row import MeasuredRecord
from harness.shapes import NUMBER, TEXT, WHOLE


@dataclass(frozen=True, kw_only=True)
class ServingRecord(MeasuredRecord):
    """What the sources outside a sample got at its prices; with a sample of all, the sources themselves.

    `seconds` are of the sample's LP, `certificate` is of their decisions, cut back to the budgets by the referee.
    """

    share: Annotated[float, NUMBER]
    """Of the sources that is in the sample."""

    seed: Annotated[int, WHOLE]
    """Of the sample."""

    sampled: Annotated[int, WHOLE]
    """Sources in the sample."""

    objective: Annotated[float, NUMBER]
    """c'x of the decisions over the bound of the LP of these sources; above 1 where budgets are overrun."""

    overrun: Annotated[float, NUMBER]
    """What all rows together are beyond their budgets, over the sum of the budgets."""

    rows_over: Annotated[float, NUMBER]
    """The share of the rows that are beyond their budget by more than 1 %."""

    lost: Annotated[float | None, NUMBER.or_null]
    """What is lost of the bound where the overrun is cut back to the budgets: the certified gap of the decisions."""

    dual_file: Annotated[str, TEXT]
    """The prices of the sample beside the records, float64 .npy."""

    rest_dual_file: Annotated[str, TEXT]
    """Prices of the sources outside, which prove the bound."""

    kind: str = "serving"
    """"serving"."""
