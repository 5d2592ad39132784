"""A proof that no x is feasible. I sources, R coupling rows.

A ray is a y with sum_i min over C_i of (A'y)_i'x > sum_r (upper_r y_r+ - lower_r y_r-), where y_r > 0 needs a hard
upper and y_r < 0 a hard lower: for a feasible x the left side would be at most y'A x, and that at most the right side.
Where the bound g0(y), which has c + A'y in place of A'y, exceeds every objective, y is a ray: the dual that an ascent
follows becomes one. A bound by passes in float32 is a reason to look, no proof.
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
from solvers.engine.row_bounds import row_bounds
from solvers.engine.sweeps import bands_in_turn, sources_in_turn, terms_of

#: Below, products of numbers are not exact to a share of themselves.
_TINY = 1e-280
#: Looks at the gap before the first look at a dual whose bound is no reason to.
_FIRST = 64


def objective_upper_bound(lp: MatchingLP, group: Communicator = LOCAL) -> float:
    """At least sum_i max over C_i of c_i'x and what soft rows can cost: a lower bound above it proves that no x is
    feasible.
    """
    from solvers.engine import rays_jit as jit

    edges = edge_arrays(lp)
    own = sum(jit.largest_objective(first, last, edges) for first, last in sources_in_turn(lp))
    largest = float(group.sum(np.array([own], dtype=np.float64))[0])
    rows = row_bounds(lp)
    if rows.ceilings or not (rows.soft_above.any() or rows.soft_below.any()):
        return largest
    lowest, highest = np.zeros((2, lp.row_count))
    for first, last in sources_in_turn(lp):
        jit.widest_loads(first, last, edges, lowest, highest)
    lowest, highest = group.sum(np.stack((lowest, highest)))
    return largest + float((rows.soft_above * rows.above(highest) + rows.soft_below * rows.below(lowest)).sum())


def is_ray(lp: MatchingLP, y: npt.NDArray[np.float64], group: Communicator = LOCAL) -> bool:
    """Whether y float64[R] proves, rounding counted, that no x is feasible; lp: the sources of this rank."""
    from solvers.engine import rays_jit as jit

    rows = row_bounds(lp)
    if not np.isfinite(y).all() or (y != rows.within_hard_sides(y)).any():
        return False
    band = cut_bands(lp)
    sums = np.zeros((band.size - 1, 2))
    edges = edge_arrays(lp)
    for first, last in bands_in_turn(lp, band):
        jit.support_of_ray(band[first : last + 1], edges, y, sums[first:last])
    least, size, terms = group.sum(np.array([*sums.sum(axis=0), terms_of(lp, band)])).tolist()
    cost, cost_size = float(rows.cost(y)), float(rows.cost_size(y))
    proved = least - cost - rounding(terms) * (size + cost_size)
    return bool(_TINY < proved < math.inf)


class Infeasibility:
    """Looks whether the best dual of a run is a ray, or its change since the last look.

    It looks often where the bound of the dual seems to exceed every objective, and now and then anyway: where costs are
    large beside the budgets, a dual is a ray long before its bound says so. A dual without a maximum comes to move
    along a ray (Applegate et al. 2024).
    """

    ray: npt.NDArray[np.float64] | None
    """float64[R], once there is one."""

    def __init__(self, lp: MatchingLP, progress: Progress, objective_upper_bound: float, group: Communicator) -> None:
        """objective_upper_bound: over all ranks; infinite where some x is feasible, so that it never looks."""
        self._lp = lp
        self._rows = row_bounds(lp)
        self._progress = progress
        self._objective_upper_bound = objective_upper_bound
        self._group = group
        self._asked = 0
        self._next_if_suspect = 1
        self._next_anyway = _FIRST
        self._before = np.zeros(lp.row_count)
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
        for change in (dual, dual - self._before):
            direction = self._rows.within_hard_sides(change)
            largest = float(np.abs(direction).max(initial=0.0))
            ray = direction / largest if 0 < largest < math.inf else direction
            if self.ray is None and is_ray(self._lp, ray, self._group):
                self.ray = ray
        self._before = dual.copy()
        return self.ray is not None
