"""An upper bound of ||S A||_2, S the scaling of the rows, for the step sizes of a first-order method.

R rows of all families. Where every edge lies in one row, rows scaled to norm 1 make S A A' S the identity. Otherwise
||S A||_2^2 is at most the spectral radius of M = S |A| |A|' S, and for any v > 0 that is at most max_r (M v)_r / v_r
(Collatz 1942), which falls with every power step. A bound of the norm keeps the method stable, an estimate may not.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.engine.arrays import edge_arrays
from solvers.engine.bands import cut_bands
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.sweeps import bands_in_turn

#: Power steps: the bound is then within a few percent on the families tried.
_STEPS = 8


def norm_bound(lp: MatchingLP, scale: npt.NDArray[np.float64], group: Communicator = LOCAL) -> float:
    """At least ||S A||_2 over all ranks; scale float64[R] > 0 is S, by norms of the rows."""
    if lp.is_short_form:
        return 1.0
    least = math.inf
    v = np.ones(scale.size)
    for _ in range(_STEPS):
        image = group.sum(_image(lp, scale, v))
        used = image > 0
        least = min(least, float((image[used] / v[used]).max(initial=0.0)))
        v = np.where(used, image / image.max(initial=1e-300), v)
    return math.sqrt(least) if least > 0 else 1.0


def _image(lp: MatchingLP, scale: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """M v of this rank's edges."""
    from solvers.engine import operator_norm_jit as jit

    band = cut_bands(lp)
    sums = np.zeros((band.size - 1, scale.size))
    edges = edge_arrays(lp)
    weight = scale * v
    for first, last in bands_in_turn(lp, band):
        jit.absolute_product(band[first : last + 1], edges, weight, sums[first:last])
    image: npt.NDArray[np.float64] = scale * sums.sum(axis=0)
    return image
