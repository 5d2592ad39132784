"""How promising each edge is."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled

#: A source that leaves less than this share of its limit has used it up.
_SLACK = 1e-6
#: Puts edges with x > 0 before all others.
_FIRST = 1e100


@compiled(nogil=True)
def rank(offsets: Any, x: Any, at_most: Any, q: Any) -> None:
    """Make of the reduced costs q[E] an order of the edges, the most promising the lowest.

    First all edges of sources that use nothing and must; then those with x > 0, the largest x first; then the others,
    by how much more a unit costs there than where its source has the worst one. What a source leaves of at_most[I]
    costs 0.
    """
    for i in range(offsets.size - 1):
        total, worst = 0.0, -np.inf
        for e in range(offsets[i], offsets[i + 1]):
            if x[e] > 0.0:
                total += x[e]
                worst = max(worst, q[e])
        if total < at_most[i] * (1.0 - _SLACK):
            worst = max(worst, 0.0)
        for e in range(offsets[i], offsets[i + 1]):
            if x[e] > 0.0:
                q[e] = -_FIRST * x[e]
            else:
                q[e] = q[e] - worst if worst > -np.inf else -np.inf
