"""A proof that no x is feasible. I sources, J destinations.

A ray is a y >= 0 with sum_i min over C_i of (A'y)_i'x > b'y: a feasible x would have y'A x <= b'y. Only '=' sources
give the left side anything. Where the bound g0(y) = -b'y + sum_i min over C_i of (c + A'y)_i'x exceeds every objective,
y is a ray: the dual that an ascent follows becomes one. A bound by passes in float32 is a reason to look, no proof.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.engine.arrays import edge_arrays
from solvers.engine.bands import cut_bands
from solvers.engine.certificate import rounding
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.progress import Progress
from solvers.engine.sweeps import bands_in_turn, sources_in_turn, terms_of

#: Below, products of numbers are not exact to a share of themselves.
_TINY = 1e-280
#: Looks at the gap before the first look at a dual whose bound is no reason to.
_FIRST = 64


def objective_upper_bound(lp: MatchingLP, group: Communicator = LOCAL) -> float:
    """At least sum_i max over C_i of c_i'x: a lower bound above it proves that no x is feasible."""
    from solvers.engine import rays_jit as jit

    edges = edge_arrays(lp)
    own = sum(jit.largest_objective(first, last, edges) for first, last in sources_in_turn(lp))
    return float(group.sum(np.array([own], dtype=np.float64))[0])


def is_ray(lp: MatchingLP, y: npt.NDArray[np.float64], group: Communicator = LOCAL) -> bool:
    """Whether y float64[J] proves, rounding counted, that no x is feasible; lp: the sources of this rank."""
    from solvers.engine import rays_jit as jit

    if not (np.isfinite(y).all() and (y >= 0).all()):
        return False
    band = cut_bands(lp)
    sums = np.zeros((band.size - 1, 2))
    edges = edge_arrays(lp)
    for first, last in bands_in_turn(lp, band):
        jit.support_of_ray(band[first : last + 1], edges, y, sums[first:last])
    least, size, terms = group.sum(np.array([*sums.sum(axis=0), terms_of(lp, band)]))
    budget = float(lp.b[y > 0] @ y[y > 0])
    proved = least - budget - rounding(float(terms)) * (size + budget)
    return bool(_TINY < proved < math.inf)


class Infeasibility:
    """Looks whether the best dual of a run is a ray, or its change since the last look.

    It looks often where the bound of the dual seems to exceed every objective, and now and then anyway: where costs are
    large beside the budgets, a dual is a ray long before its bound says so. A dual without a maximum comes to move
    along a ray (Applegate et al. 2024).
    """

    ray: npt.NDArray[np.float64] | None
    """float64[J], once there is one."""

    def __init__(self, lp: MatchingLP, progress: Progress, objective_upper_bound: float, group: Communicator) -> None:
        """objective_upper_bound: over all ranks; infinite where there are no '=' sources, so that it never looks."""
        self._lp = lp
        self._progress = progress
        self._objective_upper_bound = objective_upper_bound
        self._group = group
        self._asked = 0
        self._next_if_suspect = 1
        self._next_anyway = _FIRST
        self._before = np.zeros(lp.destinations)
        self.ray = None

    def proved(self) -> bool:
        """Whether there is a ray; asked after every look at the gap."""
        if self._objective_upper_bound == math.inf:
            return False
        self._asked += 1
        suspect = self._progress.best_bound > self._objective_upper_bound
        if self._asked < (self._next_if_suspect if suspect else self._next_anyway):
            return False
        # each look costs a pass over the edges, so looks become rarer as the run goes on
        self._next_if_suspect = self._asked + 1 + self._asked // 4
        self._next_anyway = 2 * self._asked

        dual = self._progress.best_dual
        for direction in (dual, np.maximum(0.0, dual - self._before)):
            largest = float(direction.max(initial=0.0))
            ray = direction / largest if 0 < largest < math.inf else direction
            if self.ray is None and is_ray(self._lp, ray, self._group):
                self.ray = ray
        self._before = dual.copy()
        return self.ray is not None
