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
