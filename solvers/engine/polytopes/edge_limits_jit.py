"""What one source may do, and the reduced costs of its edges, in the order of the instance (Numba, import late).

C_i = {0 <= x_e <= u, 1'x <= z}, or 1'x = z: every kind says its z and u in `limits_of`, inf where it has no such limit.
No other loop over edges knows kinds, so a kind that limits the sum, each edge, or both is added there alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.families_jit import fold, sum_below
from solvers.engine.polytopes.kinds import BOX, BOX_CUT, BOX_CUT_EQUALITY, EQUALITY

#: LLVM has to inline what is called for each edge or source: a call would copy all fields of the records.
INLINE: dict[str, Any] = {"cache": False, "forceinline": True}


class Limits(NamedTuple):
    """What one source may do."""

    at_most: float
    """z: the limit of the sum of its edges, inf where there is none."""
    upper: float
    """u: the limit of each edge, inf where there is none."""
    equality: bool
    """The sum is z."""


class Support(NamedTuple):
    """A sum of numbers, and the sum of their sizes, by which the rounding of the sum is bounded."""

    least: float
    size: float


@compiled(**INLINE)
def limits_of(edges: EdgeArrays, source: int) -> Limits:
    """z and u of a source, and whether the sum is z."""
    kind = of_source(edges.kind, source)
    if kind in (BOX_CUT, BOX_CUT_EQUALITY):
        return Limits(of_source(edges.radius, source), of_source(edges.upper, source), kind == BOX_CUT_EQUALITY)
    if kind == BOX:
        return Limits(np.inf, of_source(edges.radius, source), False)  # noqa: FBT003 - Numba knows no keywords here
    return Limits(of_source(edges.radius, source), np.inf, kind == EQUALITY)


@compiled(**INLINE)
def limits_both(limits: Limits) -> bool:
    """Whether the sum and each edge are limited. Loops over edges treat these sources apart: their arithmetic, inlined
    beside that of the others, would slow those down by a third.
    """
    return limits.at_most < np.inf and limits.upper < np.inf


@compiled(**INLINE)
def reduced(edges: EdgeArrays, e: int, price: Any) -> Any:
    """q_e = c_e + (A'price)_e."""
    j = np.uint32(edges.destination[e])  # unsigned, because Numba would look for a negative index
    q = np.float64(edges.c[e]) + np.float64(edges.a[e]) * price[j]
    return fold(edges.more, e, _raised, price, q)


@compiled(**INLINE)
def _raised(row: int, a: float, price: Any, q: float) -> Any:
    return q + np.float64(a) * price[row]


@compiled(**INLINE)
def reduced_below(edges: EdgeArrays, e: int, price: Any) -> Any:
    """At most q_e: below the sum in float64 by more than its rounding. Without further families price is >= 0."""
    return raised_below(edges, e, np.float64(edges.c[e]), price)


@compiled(**INLINE)
def raised_below(edges: EdgeArrays, e: int, cost: float, price: Any) -> Any:
    """At most cost + (A'price)_e, as `reduced_below`."""
    rise = np.float64(edges.a[e]) * price[edges.destination[e]]
    return sum_below(edges.more, e, price, cost, rise)
