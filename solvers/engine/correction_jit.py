"""The loop of correction.py over partly used edges, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

from solvers.engine.arrays import PartlyUsed
from solvers.engine.compiled import compiled


@compiled(nogil=True)
def move(edges: PartlyUsed, price: Any, change: Any, loads: Any) -> None:
    """change[F] = W P A'price; loads[R] grow by A change.

    P takes off the mean of each source, sum_e w_e (A'price)_e / (sum_e w_e + s_i), which is 0 where s_i is inf.
    """
    start, row, a, weight = edges.start, edges.row, edges.a, edges.weight
    for i in range(edges.source_start.size - 1):
        first, last = edges.source_start[i], edges.source_start[i + 1]
        weighted = 0.0
        total = edges.slack_weight[i]
        for f in range(first, last):
            rise = 0.0
            for n in range(start[f], start[f + 1]):
                rise += a[n] * price[row[n]]
            change[f] = rise
            weighted += weight[f] * rise
            total += weight[f]

        mean = weighted / total if total > 0.0 else 0.0
        for f in range(first, last):
            change[f] = weight[f] * (change[f] - mean)
            for n in range(start[f], start[f + 1]):
                loads[row[n]] += a[n] * change[f]
