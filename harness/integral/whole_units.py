"""Whole numbers within limits, and names of what limits them."""

from __future__ import annotations

import numpy as np

from harness.rounding import Float64
from instances import RaggedRows, Rows
from instances.words import shown

#: A limit is held to this share of 1 + itself, so that ten times 0.1 fill a budget of 1.
ROUNDING = 1e-12


def floor(limit: Float64) -> Float64:
    """The largest whole number within a limit, which may be short of one by rounding."""
    down: Float64 = np.floor(limit + ROUNDING * (1 + np.abs(limit)))
    return down


def named_row(family: Rows | RaggedRows, row: int) -> str:
    """A row in the words of a refusal, by its key where it has one."""
    key = row if family.keys is None else family.keys[row]
    return f"row {key} of {shown(family.name)}"
