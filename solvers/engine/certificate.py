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
from solvers.engine.collectives import LOCAL, Group
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


def repair(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Group = LOCAL) -> Certificate:
    """The certificate of (x, dual >= 0); x is overwritten with the feasible point it speaks of, up to its rounding.

    Over several ranks lp and x are the sources of this one, and the certificate that of all: sums of float64.
    """
    from solvers.engine import certificate_jit as jit

    bound, loads, values = judge(lp, x, dual, group)
    factor = factor_within(lp.b, loads)
    offsets, destination, _, _, kind, radius = frozen(lp)
    objective = float(factor @ values)
    jit.scale_down(offsets, destination, kind, radius, factor, x)
    if group.max(np.array([float((kind == Kind.SIMPLEX_EQUALITY).any())]))[0]:
        lacking = _fill_up(lp, x, dual, np.maximum(0.0, lp.b - factor * loads), group)
        objective = math.inf if lacking > 1e-12 else float(judge(lp, x, dual, group)[2].sum())
    return Certificate(bound=bound, objective=objective)


def _fill_up(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], slack: npt.NDArray[np.float64], group: Group
) -> float:
    """Fill the '=' sources, rank after rank since all draw on one slack; what is lacking, relative to all radii."""
    from solvers.engine import certificate_jit as jit

    offsets, destination, a, c, kind, radius = frozen(lp)
    lacking = 0.0
    for turn in range(group.size):
        left = slack.copy()
        if turn == group.rank:
            lacking = jit.fill_up(offsets, destination, a, c, kind, radius, dual, left, x)
        slack = np.maximum(0.0, slack - group.sum(slack - left))
    lacking, total = group.sum(np.array([lacking, float(radius.sum())]))
    return float(lacking / max(1.0, total))


def factor_within(b: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """min(1, b_j / load_j) for each budget row."""
    return np.where(loads > b, b / np.where(loads > b, loads, 1.0), 1.0)


def judge(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Group = LOCAL) -> tuple[float, Any, Any]:
    """The lower bound of `dual`, and by destination the loads and values of x brought into C, over all ranks."""
    from solvers.engine import certificate_jit as jit

    pieces = max(1, min(_MOST_PIECES, lp.edges // (8 * lp.destinations)))
    bound, loads, values = np.zeros(pieces), *(np.zeros((pieces, lp.destinations)) for _ in range(2))
    offsets, destination, a, c, kind, radius = frozen(lp)
    jit.certify(offsets, destination, a, c, kind, radius, x, dual, bound, loads, values)
    total = group.sum(np.concatenate((loads.sum(axis=0), values.sum(axis=0), [bound.sum()])))
    return float(total[-1] - lp.b @ dual), total[: lp.destinations], total[lp.destinations : -1]


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


def largest_dual(lp: MatchingLP, group: Group = LOCAL) -> npt.NDArray[np.float64]:
    """max(0, max_e -c_e / a_e) for each budget row: some optimal dual lies below, where no source has to serve (=)."""
    from solvers.engine import certificate_jit as jit

    _, destination, a, c, _, _ = frozen(lp)
    return group.max(np.asarray(jit.largest_ratio(destination, a, c, lp.destinations)))


def largest_cost(lp: MatchingLP, group: Group = LOCAL) -> float:
    """max_e |c_e|, 1 where all are 0: the unit of what is measured in costs."""
    mine = max(float(lp.c.max(initial=0.0)), -float(lp.c.min(initial=0.0)))
    return float(group.max(np.array([mine]))[0]) or 1.0


def largest_objective(lp: MatchingLP, group: Group = LOCAL) -> float:
    """sum_i max over C_i of c_i'x: a lower bound above it proves that no x is feasible."""
    from solvers.engine import certificate_jit as jit

    offsets, _, _, c, kind, radius = frozen(lp)
    return float(group.sum(np.array([jit.largest_objective(offsets, c, kind, radius)]))[0])


def loads_of(lp: MatchingLP, x: Vector, group: Group = LOCAL) -> npt.NDArray[np.float64]:
    """(A x)[J] of x brought into C."""
    return np.asarray(judge(lp, x, np.zeros(lp.destinations), group)[1])
