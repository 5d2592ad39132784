"""What an x costs and puts on the rows of a matching LP, in float64. E edges, R rows of all families."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InputError
from instances.mapped import release_pages
from instances.matching import MatchingLP

Float64 = npt.NDArray[np.float64]
_CHUNK = 1 << 20  # edges at a time


def activities(lp: MatchingLP, x: npt.NDArray[Any]) -> Float64:
    """act[R] = A x, family after family; `lp.split` gives each family its own."""
    _require_edges(lp, x)
    total = [np.zeros(family.rows) for family in lp.rows]
    for first in range(0, lp.edges, _CHUNK):
        values = np.asarray(x[first : first + _CHUNK], dtype=np.float64)
        for load, family in zip(total, lp.rows, strict=True):
            load += family.activity(values, first)
    return np.concatenate(total)


def penalty_cost(lp: MatchingLP, activity: Float64) -> float:
    """What leaving the sides of the rows costs at act[R], rounded once; inf where a hard side is left."""
    if activity.size != lp.row_count:
        raise InputError(f"activity has {activity.size} entries: expected one for each of {lp.row_count} rows")
    of_family = lp.split(activity)
    return math.fsum(cost for family in lp.rows for cost in family.sides.cost(of_family[family.name]))


def objective(lp: MatchingLP, x: npt.NDArray[Any]) -> float:
    """c'x with the cost of each side that x leaves; inf where x leaves a hard one."""
    return linear_cost(lp, x) + penalty_cost(lp, activities(lp, x))


def linear_cost(lp: MatchingLP, x: npt.NDArray[Any]) -> float:
    """c'x."""
    _require_edges(lp, x)
    parts = []
    for first in range(0, lp.edges, _CHUNK):
        c = lp.c[first : first + _CHUNK]
        parts.append(float(c.astype(np.float64) @ np.asarray(x[first : first + _CHUNK], dtype=np.float64)))
        release_pages(lp.c, first, first + c.size)
    return math.fsum(parts)


def _require_edges(lp: MatchingLP, x: npt.NDArray[Any]) -> None:
    if x.shape != (lp.edges,):
        raise InputError(f"x has shape {list(x.shape)}: expected one number for each of {lp.edges} edges")
