"""The row of whole decisions measured: what each field means, and what it must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from harness.measured_row import MeasuredRecord
from harness.shapes import FACTS, FLAG, NUMBER, TEXT, WHOLE


@dataclass(frozen=True, kw_only=True)
class WholeRecord(MeasuredRecord):
    """Whole decisions of one instance; `certificate` is theirs."""

    effort: Annotated[float, NUMBER]
    """Moves that were looked at for each edge, at most about."""

    repeat: Annotated[int, WHOLE]
    """The number of the repeat, from 0."""

    gap: Annotated[float | None, NUMBER.or_null]
    """The certified gap of the whole decisions against the bound of the LP; null where they are none."""

    bound_gap: Annotated[float | None, NUMBER.or_null]
    """The certified gap of the LP's own answer."""

    integral: Annotated[bool, FLAG]
    """Whether every x is a whole number."""

    kept: Annotated[bool, FLAG]
    """Whether every source and every hard row is kept, to 12 digits."""

    decided: Annotated[int, WHOLE]
    """Sources that got something, and '=' sources that got all they must."""

    undecided: Annotated[Mapping[str, int], FACTS]
    """All other sources by reason (harness/integral/judge.py)."""

    best_known: Annotated[float | None, NUMBER.or_null] = None
    """The best known value of a whole x, where one is published."""

    above_best: Annotated[float | None, NUMBER.or_null] = None
    """objective / best_known - 1, of decisions that keep all limits."""

    dual_file: Annotated[str | None, TEXT.or_null] = None
    """The dual of the LP beside the records, float64 .npy."""

    x_file: Annotated[str, TEXT]
    """x beside the records, .npy, a byte an edge where that holds it."""

    x_hash: Annotated[str, TEXT]
    """A hash of that x (harness.arrays.array_hash)."""

    kind: str = "whole"
    """"whole"."""
