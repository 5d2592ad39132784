"""Sums and products in float64 whose rounding is known: what the referee's proofs stand on.

UNIT is the largest relative rounding of one operation, SMALLEST twice the largest absolute one of a product that
underflows. The error-free transformations are those of Ogita, Rump and Oishi, Accurate sum and dot product (2005).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

UNIT = 2.0**-53
SMALLEST = 2.0**-1074
#: What `two_product` may be off by where a part of the product underflows.
PRODUCT_UNDERFLOW = 2.0**-1068
#: Products of factors of at least this size do not underflow.
NO_UNDERFLOW = 2.0**-480
_SPLITTER = 2.0**27 + 1
#: A product of at least this size has an error that does not underflow.
TINY = 2.0**-900


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Numbers whose exact sum is at most that of the terms they stand for, and less by at most `error`."""

    values: list[float]
    error: float


def two_sum(a: Float64, b: Float64) -> tuple[Float64, Float64]:
    """a + b rounded, and what the rounding took away, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Float64, b: Float64) -> tuple[Float64, Float64]:
    """a b rounded, and what the rounding took away (Dekker, Veltkamp): exact unless something under- or overflows."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, error


def scaled_pairs(factor: Float64, first: Float64, second: Float64) -> Terms:
    """factor (first + second), with factor >= 0."""
    high, low = two_product(factor, first)
    rest, rest_low = two_product(factor, second)
    underflows = ((first != 0) & (np.abs(high) < TINY)) | ((second != 0) & (np.abs(rest) < TINY))
    error = np.where((factor > 0) & underflows, 2 * PRODUCT_UNDERFLOW, 0.0)
    values = np.concatenate((high, low, rest, rest_low, -error))
    return Terms(values=values[values != 0].tolist(), error=2 * float(error.sum()))


def power_above(sums: Float64) -> Float64:
    """A power of two of at least 4 times each sum; 0 where nothing is summed, NaN where the sum is too large."""
    exponent = np.frexp(sums)[1] + 2
    power = np.where(exponent < 1000, np.ldexp(1.0, np.minimum(exponent, 1000)), np.nan)
    return np.where(sums == 0, 0.0, power)


def extracted(values: Float64, grid: Float64) -> Float64:
    """`values` rounded to whole multiples of 2^-52 of `grid`: sums of them up to `grid` are exact (Rump)."""
    rounded: Float64 = (values + grid) - grid
    return rounded


def _split(value: Float64) -> tuple[Float64, Float64]:
    """Two halves with 26 bits each."""
    large = _SPLITTER * value
    high = large - (large - value)
    return high, value - high


def bounded_sum(values: Float64) -> tuple[float, float, float]:
    """The sum, a bound on its rounding, and the sum of magnitudes (rounded up)."""
    magnitude = float(np.abs(values).sum()) * (1 + 2 * (values.size + 1) * UNIT)
    depth = 0
    while values.size > 1:  # by halves, so that no term takes part in more than log2(n) roundings
        half = values.size // 2
        pairs = values[:half] + values[half : 2 * half]
        values = np.append(pairs, values[-1]) if values.size % 2 else pairs
        depth += 1
    total = float(values[0]) if values.size else 0.0
    return total, (depth + 1) * UNIT * magnitude, magnitude


def expansion(values: Iterable[float]) -> list[float]:
    """Three numbers whose sum is that of `values` but for 2^-150 of the largest of them; NaN where it is too large."""
    terms = list(values)
    parts: list[float] = []
    try:
        for _ in range(3):
            parts.append(math.fsum(terms))
            terms.append(-parts[-1])
    except OverflowError:
        return [math.nan]
    return parts


def rounded_down(values: Iterable[float]) -> float:
    """The largest float64 that is not above the exact sum; NaN where the sum is not finite."""
    terms = list(values)
    try:
        total = math.fsum(terms)
        return math.nextafter(total, -math.inf) if math.fsum([*terms, -total]) < 0 else total
    except (OverflowError, ValueError):  # beyond the largest number, or infinity - infinity
        return math.nan


def lowered(values: Float64, units: float | Float64, absolute: float | npt.NDArray[Any] = 0.0) -> Float64:
    """`values` less `units` roundings of themselves and an absolute amount."""
    result: Float64 = values - (units * UNIT * np.abs(values) + absolute)
    return result


def units_below(values: Float64, count: int) -> Float64:
    """Nonnegative `values`, each `count` units in the last place smaller, never below 0."""
    bits = np.ascontiguousarray(values, np.float64).view(np.int64)
    return np.maximum(bits - count, 0).view(np.float64)
