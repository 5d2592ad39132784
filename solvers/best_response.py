"""What each source takes at given prices by itself: x_i = argmin over C_i of (c + A'y)_i'x. E edges, R rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.general_start import reduced_costs

Float64 = npt.NDArray[np.float64]


def best_response(lp: MatchingLP, dual: Any, x: Any, chosen: npt.NDArray[np.bool_]) -> Float64:
    """x[E] with the best response to dual[R] for the sources of chosen[I]; all others keep theirs.

    The cheapest edges of a source, each at its u, while q < 0 (for '=': always) and its z is not used up. The first
    edge in the order of the LP where several cost the same.
    """
    best: Float64 = np.array(x, dtype=np.float64)
    source = np.repeat(np.arange(lp.sources), lp.degrees())
    edges = np.flatnonzero(chosen[source])
    source = source[edges]
    q = reduced_costs(lp, dual)[edges]

    order = np.lexsort((q, source))
    limits = lp.per_source.limits()
    wanted = (q[order] < 0) | limits.equality[source]
    most = np.where(wanted, np.minimum(lp.upper_of_edges()[edges[order]], limits.at_most[source]), 0.0)
    first = np.searchsorted(source, source)
    before = (np.arange(source.size) - first) * most  # those before are at their u
    if lp.edge_upper is not None:
        held = np.append(0.0, np.cumsum(most))
        before = held[:-1] - held[first]
    best[edges[order]] = np.clip(limits.at_most[source] - before, 0.0, most)
    return best
