"""Numbers as a reader sees them, the same on a terminal and on a page."""

from __future__ import annotations

import math


def number(value: float | None, style: str = ".3g", absent: str = "-") -> str:
    """A number in a format of Python's, or what stands for none."""
    return absent if value is None else format(value, style)


def measured(value: float | None, digits: int = 2, absent: str = "-") -> str:
    """3.00e-5, 3.42e-5: a figure that was measured, such as a certified gap."""
    if value is None or not math.isfinite(value):
        return absent
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if value else "0"


def power(value: float | None, absent: str = "-") -> str:
    """1e-4, 3.42e-5: a figure that was asked for, such as a tolerance."""
    return measured(value, absent=absent).replace(".00e", "e")
