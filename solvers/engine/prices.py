"""Vectors of prices, one number for each of J budget rows, and what every ascent between bounds asks of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Prices = npt.NDArray[np.float64]


def dot(u: Prices, v: Prices) -> float:
    """u'v, summed in the same order on any number of threads."""
    return float((u * v).sum())


def blocked(gradient: Prices, price: Prices, low: Prices | float, high: Prices) -> npt.NDArray[Any]:
    """Rows at a bound that the gradient pushes against."""
    return ((price <= low) & (gradient <= 0)) | ((price >= high) & (gradient >= 0))


def secant_cut(slope: float, end: float, *, least: float) -> float:
    """The share of a step to keep, along which the slope fell from `slope` > 0 to `end` < 0.

    On the line between the two slopes it ends where the slope is 0; but at `least`, and at 0.7, so that a cut is felt.
    least: each ascent has the value that it was tuned with.
    """
    return min(0.7, max(least, slope / (slope - end)))
