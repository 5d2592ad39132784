"""The engine's own proof of how good an answer is: float64, on the numbers and in the edge order of the instance.

J destinations, E edges. For x and dual >= 0, with q_e = c_e + a_e dual_j:

    bound     g0(dual) = -b'dual + sum_i min over C_i of q_i'x                <= optimum (weak duality)
    objective c'x after clipping to >= 0, scaling each source into C_i and edge e by min(1, b_j / (A x)_j) >= optimum

Scaling breaks 1'x = z, so '=' sources are filled up on edges whose budgets have slack; where that fails nothing is
proved and the objective is infinite. The harness judges answers with code of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP
from solvers.base import Vector
from solvers.engine.layout import Layout, frozen

_MOST_PIECES = 16


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """bound <= optimum <= objective; objective is inf where no feasible point was recovered."""

    bound: float
    objective: float

    @property
    def gap(self) -> float:
        """(objective - bound) / max(1, |bound|), inf where nothing is proved."""
        return relative_gap(self.objective, self.bound)


def relative_gap(objective: float, bound: float) -> float:
    gap = (objective - bound) / max(1.0, abs(bound))
    return gap if math.isfinite(gap) else math.inf


def repair(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64]) -> Certificate:
    """The certificate of (x, dual >= 0); x is overwritten with the feasible point it speaks of, up to its rounding."""
    from solvers.engine import certificate_jit as jit

    bound, loads, values = _judge(lp, x, dual)
    factor = factor_within(lp.b, loads)
    offsets, destination, a, c, kind, radius = frozen(lp)
    objective = float(factor @ values)
    jit.scale_down(offsets, destination, kind, radius, factor, x)
    if bool((kind == Kind.SIMPLEX_EQUALITY).any()):
        slack = np.maximum(0.0, lp.b - factor * loads)
        lacking = jit.fill_up(offsets, destination, a, c, kind, radius, dual, slack, x)
        objective = math.inf if lacking > 1e-12 * max(1.0, float(radius.sum())) else float(_judge(lp, x, dual)[2].sum())
    return Certificate(bound=bound, objective=objective)


def factor_within(b: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """min(1, b_j / load_j) for each budget row."""
    return np.where(loads > b, b / np.where(loads > b, loads, 1.0), 1.0)


def _judge(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64]) -> tuple[float, Any, Any]:
    """The lower bound of `dual`, and by destination the loads and values of x brought into C."""
    from solvers.engine import certificate_jit as jit

    pieces = max(1, min(_MOST_PIECES, lp.edges // (8 * lp.destinations)))
    bound, loads, values = np.zeros(pieces), *(np.zeros((pieces, lp.destinations)) for _ in range(2))
    offsets, destination, a, c, kind, radius = frozen(lp)
    jit.certify(offsets, destination, a, c, kind, radius, x, dual, bound, loads, values)
    return float(bound.sum() - lp.b @ dual), loads.sum(axis=0), values.sum(axis=0)


def to_edges(layout: Layout, lp: MatchingLP, cells: npt.NDArray[Any], dtype: str) -> Vector:
    """x[E] in the edge order of the instance from cells."""
    from solvers.engine import certificate_jit as jit

    x: Vector = np.empty(lp.edges, dtype=dtype)
    jit.unsort(layout.slice_start, layout.slice_lane, layout.source, frozen(lp)[0], cells, x)
    return x


def to_cells(layout: Layout, lp: MatchingLP, x: Vector) -> npt.NDArray[Any]:
    """Cells, 0 where there is no edge, from x[E]."""
    from solvers.engine import certificate_jit as jit

    cells = np.zeros(layout.cells, dtype=layout.a.dtype)
    jit.sort(layout.slice_start, layout.slice_lane, layout.source, frozen(lp)[0], x, cells)
    return cells


def ridge_point(lp: MatchingLP, price: npt.NDArray[np.float64], step: float, dtype: str) -> Vector:
    """x[E] = Proj_C(-step (c + A'price)), evaluated in float64 without a layout."""
    from solvers.engine import certificate_jit as jit

    x: Vector = np.empty(lp.edges, dtype=dtype)
    offsets, destination, a, c, kind, radius = frozen(lp)
    jit.ridge_point(offsets, destination, a, c, kind, radius, price, step, x)
    return x


def largest_dual(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """max(0, max_e -c_e / a_e) for each budget row: some optimal dual lies below, where no source has to serve (=)."""
    from solvers.engine import certificate_jit as jit

    _, destination, a, c, _, _ = frozen(lp)
    return np.asarray(jit.largest_ratio(destination, a, c, lp.destinations))


def largest_objective(lp: MatchingLP) -> float:
    """sum_i max over C_i of c_i'x: a lower bound above it proves that no x is feasible."""
    from solvers.engine import certificate_jit as jit

    offsets, _, _, c, kind, radius = frozen(lp)
    return float(jit.largest_objective(offsets, c, kind, radius))


def loads_of(lp: MatchingLP, x: Vector) -> npt.NDArray[np.float64]:
    """(A x)[J] of x brought into C."""
    return np.asarray(_judge(lp, x, np.zeros(lp.destinations))[1])
