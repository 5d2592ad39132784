"""The lower bound beyond the short form: weak duality, never above the exact value whatever float64 rounds."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from harness.bound import Bound
from harness.general.entries import rises
from harness.general.prices import RowSides
from harness.polytopes.support import most_mass, rounded_support
from harness.rounding import SMALLEST, UNIT, Float64, bounded_sum, rounded_down
from harness.sources import Chunk, over_chunks
from instances import MatchingLP


def lower_bound(lp: MatchingLP, dual: Float64, pool: ThreadPoolExecutor, *, costs: bool = True) -> Bound:
    """The bound at `dual` [R] brought into its intervals; `costs` False leaves c, and rows with a price, out."""
    sides = RowSides.of(lp)
    price = sides.clipped(dual, hard_only=not costs)
    parts = list(over_chunks(lp, pool, lambda chunk: _of_chunk(chunk, price, costs=costs)))
    paid, off = sides.paid(price)
    value = rounded_down([*(part.value for part in parts), *(-paid).tolist(), *(-off).tolist()])
    error = sum(part.error for part in parts) + 2 * float(off.sum()) + 2 * UNIT * abs(value)
    return Bound(value=value, error=math.inf if math.isnan(error) else error)


def proves_infeasible(lp: MatchingLP, ray: Any, *, threads: int = 1) -> bool:
    """Whether `ray` [R] proves that no x exists: sum_i min over C_i of (A'y)_i'x > sum_r (upper_r y+_r - lower_r y-_r)
    at y = ray on hard sides. False for an array of another shape or with entries that are not finite.
    """
    y = np.asarray(ray)
    if y.shape != (lp.row_count,) or y.dtype.kind not in "fiu" or not np.isfinite(y).all():
        return False
    y = y.astype(np.float64)
    largest = float(np.max(np.abs(y), initial=0.0))
    if largest > 0:
        y = np.ldexp(y, -math.frexp(largest)[1])  # any multiple is a ray; this one cannot overflow
    with ThreadPoolExecutor(max_workers=threads) as pool, np.errstate(all="ignore"):
        return lower_bound(lp, y, pool, costs=False).value > 0


def _of_chunk(chunk: Chunk, price: Float64, *, costs: bool) -> Bound:
    """The chunk's sum over sources of min over C_i of q_i'x, lowered by its rounding."""
    base = chunk.c if costs else np.zeros(chunk.c.size)
    q = rises(chunk, price, base)
    support = rounded_support(chunk, q.value - q.error, SMALLEST)
    total, rounding, magnitude = bounded_sum(support.terms)
    lost = 4 * float(np.max(q.error, initial=0.0)) + 16 * UNIT * float(np.max(q.size, initial=0.0))
    lowering = lost * float(most_mass(chunk).sum()) + 4 * SMALLEST * support.terms.size
    units = 16 + 4 * int(np.max(chunk.degrees, initial=0))
    return Bound(value=total - rounding, error=lowering + support.error + 2 * rounding + units * UNIT * magnitude)
