"""The loop of a ray over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.kinds import EQUALITY
from solvers.engine.threads_jit import parallel_for


@compiled(cache=False)
def _ray_piece(
    piece: int, band: Any, offsets: Any, destination: Any, a: Any, kind: Any, radius: Any, ray: Any, sums: Any
) -> None:
    total = 0.0
    for i in range(band[piece], band[piece + 1]):
        if of_source(kind, i) == EQUALITY and of_source(radius, i) > 0:
            low = np.inf
            for e in range(offsets[i], offsets[i + 1]):
                low = min(low, np.float64(a[e]) * ray[destination[e]])
            total += of_source(radius, i) * low
    sums[piece] = total


@compiled(nogil=True)
def least_of_ray(*pieces: Any) -> None:
    """What `_ray_piece` takes after its piece: sums[P] of min over C_i of (A'ray)_i'x, ray >= 0, of P pieces: 0 but for
    '=' sources.
    """
    parallel_for(0, pieces[0].size - 1, _ray_piece, pieces)
