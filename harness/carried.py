"""Yesterday's answer as a start of today's solve, though sources came and went."""

from __future__ import annotations

import numpy as np

from instances import InputError, MatchingLP, Stayed
from solvers import Start


def carried(start: Start, same: Stayed, lp: MatchingLP) -> Start:
    """`start` in the order of `lp`: x of the edges that stayed and 0 on new ones, the dual where `lp` has as many rows.

    Raises InputError where `same` is not of these two instances, or nothing can be carried.
    """
    x = None if start.x is None else _carried_x(start.x, same, lp.edges)
    dual = None if start.dual is None or start.dual.size != lp.row_count else start.dual
    if x is None and dual is None:
        raise InputError("nothing of the start can be carried: it has prices alone, of other rows")
    return Start(x=x, dual=dual)


def _carried_x(x: np.ndarray, same: Stayed, edges: int) -> np.ndarray:
    for places, size in ((same.before, x.size), (same.after, edges)):
        if places.size and not 0 <= int(places[0]) <= int(places[-1]) < size:
            raise InputError(
                f"the edges that stayed go up to {int(places[-1]):,}, one of the two instances has {size:,}: "
                "give instances.stayed of yesterday's instance and today's, in this order"
            )
    found = np.zeros(edges, dtype=x.dtype)
    found[same.after] = x[same.before]
    return found
