"""What x and dual are worth in float64, on the numbers and in the edge order of the instance.

R coupling rows, E edges. For x and a dual within its intervals (row_bounds.py; >= 0 for '<=' rows), q = c + A'dual:

    bound     g0(dual) = sum_i min over C_i of q_i'x - sum_r (upper_r dual_r+ - lower_r dual_r-)  <= optimum
    loads     A x, x brought into C: clipped to >= 0, then each source scaled into C_i (a box is clipped instead)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.arrays import Sums, edge_arrays, has_box_cuts
from solvers.engine.bands import cut_bands
from solvers.engine.certificate import proved_bound
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.row_bounds import row_bounds
from solvers.engine.sweeps import bands_in_turn, terms_of

#: What a sum of a '=' source may miss of z, and a load exceed of b, as shares of them: their own rounding.
HELD = 1e-13
#: The same for the sums of an x in float32: what a rounding of every entry can do.
_HELD_IN_FLOAT32 = 2.0**-22


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """x brought into C, and a dual, over all ranks."""

    least: float
    """A lower bound of sum_i min over C_i of q_i'x."""
    least_size: float
    """The sum of the sizes of its terms."""
    loads: npt.NDArray[np.float64]
    """float64[R]: A x."""
    values: npt.NDArray[np.float64]
    """float64[R]: c'x of the edges with load, by row; zeros beyond the short form."""
    negative: npt.NDArray[np.float64]
    """float64[R]: the part of the loads that is negative, exactly 0 where nothing is."""
    free: float
    """c'x of the edges that no entry of `values` counts."""
    size: float
    """sum |c_e x_e|."""
    unserved: float
    """'=' sources whose sum misses z."""
    terms: float
    """No sum adds more numbers one after another."""

    def bound(self, lp: MatchingLP, dual: npt.NDArray[np.float64]) -> float:
        """g0(dual), rounded down, of the dual evaluated, which lies within its intervals."""
        if lp.is_short_form:
            return proved_bound(self.least, self.least_size, float(lp.b @ dual), self.terms)
        rows = row_bounds(lp)
        return proved_bound(
            self.least, self.least_size, float(rows.cost(dual)), self.terms, budget_size=float(rows.cost_size(dual))
        )

    @property
    def load_sizes(self) -> npt.NDArray[np.float64]:
        """float64[R]: the sums of |a_e x_e|."""
        return self.loads - 2 * self.negative

    @property
    def value(self) -> float:
        """c'x."""
        return float(self.values.sum()) + self.free


def bound_and_loads(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Communicator = LOCAL
) -> Evaluation:
    """x brought into C and the lower bound of `dual`, over all ranks; x stays as it is."""
    return _evaluated(lp, x, dual, group, with_box_cuts=has_box_cuts(edge_arrays(lp)))


def without_bound(lp: MatchingLP, x: Vector, group: Communicator = LOCAL) -> Evaluation:
    """The same at prices of 0 without the supports of box-cuts, which take as long as the rest: its `least` is none."""
    return _evaluated(lp, x, np.zeros(lp.row_count), group, with_box_cuts=False)


def _evaluated(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Communicator, *, with_box_cuts: bool
) -> Evaluation:
    from solvers.engine import evaluate_jit as jit

    band = cut_bands(lp)
    bands = band.size - 1
    loads = np.zeros((bands, lp.row_count))
    values = np.zeros((bands, lp.row_count))
    scalars = np.zeros((bands, 5))
    edges = edge_arrays(lp)
    for first, last in bands_in_turn(lp, band, x):
        sums = Sums(loads[first:last], values[first:last], scalars[first:last])
        jit.evaluate(band[first : last + 1], edges, x, dual, held(x.dtype), sums)
        if with_box_cuts:
            jit.add_supports_of_both(band[first : last + 1], edges, dual, sums.scalars)
    own = (loads.sum(axis=0), values.sum(axis=0), scalars.sum(axis=0), [terms_of(lp, band)])
    total = group.sum(np.concatenate(own))
    loads, values, (least, least_size, size, free, unserved, terms) = np.split(total, (lp.row_count, -6))
    none = np.zeros(lp.row_count)
    return Evaluation(
        least=float(least),
        least_size=float(least_size),
        loads=loads,
        values=values if lp.is_short_form else none,
        negative=none if lp.is_short_form else values,
        free=float(free),
        size=float(size),
        unserved=float(unserved),
        terms=float(terms),
    )


def loads_of(lp: MatchingLP, x: Vector, group: Communicator = LOCAL) -> npt.NDArray[np.float64]:
    """(A x)[R] of x brought into C."""
    return without_bound(lp, x, group).loads


def held(dtype: Any) -> float:
    """HELD for the sums of an x of this type."""
    return HELD if np.dtype(dtype) == np.float64 else _HELD_IN_FLOAT32
