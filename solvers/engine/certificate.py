"""The engine's own proof of how good an answer is: float64, on the numbers and in the edge order of the instance.

J destinations, E edges. For x and dual >= 0, with q_e = c_e + a_e dual_j:

    bound     g0(dual) = -b'dual + sum_i min over C_i of q_i'x                <= optimum (weak duality)
    objective c'x after clipping to >= 0, scaling each source into C_i and edge e by min(1, b_j / (A x)_j) >= optimum

Scaling breaks 1'x = z, so '=' sources are filled up on edges whose budgets have slack; where those are full the
nearest feasible point is looked for (balance.py). Where that fails nothing is proved and the objective is infinite. The
harness judges answers with code of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP
from instances.mapped import sweep
from solvers.base import Vector
from solvers.engine.collectives import LOCAL, Group
from solvers.engine.layout import Layout, cut_bands, frozen
from solvers.engine.room import RAM, Room

#: What '=' sources may lack together, relative to their radii: rounding.
_FILLED = 1e-12


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
    from solvers.engine.balance import balance

    bound, loads, values = judge(lp, x, dual, group)
    factor = factor_within(lp.b, loads)
    offsets, destination, _, _, kind, radius = frozen(lp)
    objective = float(factor @ values)
    for first, last in _sources(lp, x):
        jit.scale_down(first, last, offsets, destination, kind, radius, factor, x)
    if group.max(np.array([float((kind == Kind.SIMPLEX_EQUALITY).any())]))[0]:
        lacking = _fill_up(lp, x, dual, np.maximum(0.0, lp.b - factor * loads), group)
        objective = balance(lp, x, group) if lacking > _FILLED else float(judge(lp, x, dual, group)[2].sum())
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
            for first, last in _sources(lp, x):
                lacking += jit.fill_up(first, last, offsets, destination, a, c, kind, radius, dual, left, x)
        slack = np.maximum(0.0, slack - group.sum(slack - left))
    lacking, total = group.sum(np.array([lacking, float(radius.sum())]))
    return float(lacking / max(1.0, total))


def factor_within(b: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """min(1, b_j / load_j) for each budget row."""
    return np.where(loads > b, b / np.where(loads > b, loads, 1.0), 1.0)


def judge(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Group = LOCAL) -> tuple[float, Any, Any]:
    """The lower bound of `dual`, and by destination the loads and values of x brought into C, over all ranks."""
    from solvers.engine import certificate_jit as jit

    band = cut_bands(lp)
    bound, loads, values = np.zeros(band.size - 1), *(np.zeros((band.size - 1, lp.destinations)) for _ in range(2))
    offsets, destination, a, c, kind, radius = frozen(lp)
    for first, last in _bands(lp, band, x):
        sums = (bound[first:last], loads[first:last], values[first:last])
        jit.certify(band[first : last + 1], offsets, destination, a, c, kind, radius, x, dual, *sums)
    total = group.sum(np.concatenate((loads.sum(axis=0), values.sum(axis=0), [bound.sum()])))
    return float(total[-1] - lp.b @ dual), total[: lp.destinations], total[lp.destinations : -1]


def _bands(lp: MatchingLP, band: npt.NDArray[np.int64], x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) band of one step after another through the instance and x; see instances.mapped.sweep."""
    import numba

    starts = lp.offsets[band]
    streams = [(lp.offsets, band), *((array, starts) for array in (lp.destination, lp.a, lp.c))]
    return sweep(band.size - 1, numba.get_num_threads(), [*streams, *([] if x is None else [(x, starts)])])


def _sources(lp: MatchingLP, x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """The same as first and last source."""
    band = cut_bands(lp)
    return ((int(band[first]), int(band[last])) for first, last in _bands(lp, band, x))


def to_edges(layout: Layout, lp: MatchingLP, cells: npt.NDArray[Any], dtype: str) -> Vector:
    """x[E] in the edge order of the instance from cells."""
    import numba

    from solvers.engine import certificate_jit as jit

    x: Vector = layout.room.empty(lp.edges, dtype)
    lanes, band = layout.slice_lane[layout.chunk], layout.band
    streams = [(layout.room.mine(cells), layout.first_cell), (layout.source, lanes)]
    streams += [(lp.offsets, band), (x, lp.offsets[band])]
    for first, last in sweep(band.size - 1, numba.get_num_threads(), streams):
        jit.unsort(*_slices(layout, first, last), layout.source, frozen(lp)[0], cells, x)
    return x


def to_cells(layout: Layout, lp: MatchingLP, x: Vector) -> npt.NDArray[Any]:
    """Cells, 0 where there is no edge, from x[E]."""
    from solvers.engine import certificate_jit as jit

    cells = np.zeros(layout.cells, dtype=layout.a.dtype)
    jit.sort(layout.slice_start, layout.slice_lane, layout.source, frozen(lp)[0], x, cells)
    return cells


def ridge_point(lp: MatchingLP, price: npt.NDArray[np.float64], step: float, dtype: str, room: Room = RAM) -> Vector:
    """x[E] = Proj_C(-step (c + A'price)), evaluated in float64 without a layout."""
    from solvers.engine import certificate_jit as jit

    x: Vector = room.empty(lp.edges, dtype)
    offsets, destination, a, c, kind, radius = frozen(lp)
    for first, last in _sources(lp, x):
        jit.ridge_point(first, last, offsets, destination, a, c, kind, radius, price, step, x)
    return x


def nearest_point(lp: MatchingLP, x: Vector, price: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Proj_C(x - A'price), in float64."""
    from solvers.engine import certificate_jit as jit

    point, cost = np.empty(lp.edges), -x
    cost.flags.writeable = False
    offsets, destination, a, _, kind, radius = frozen(lp)
    for first, last in _sources(lp):
        jit.ridge_point(first, last, offsets, destination, a, cost, kind, radius, price, 1.0, point)
    return point


def largest_dual(lp: MatchingLP, group: Group = LOCAL) -> npt.NDArray[np.float64]:
    """max(0, max_e -c_e / a_e) for each budget row: some optimal dual lies below, where no source has to serve (=)."""
    from solvers.engine import certificate_jit as jit

    offsets, destination, a, c, _, _ = frozen(lp)
    top = np.zeros(lp.destinations)
    for first, last in _sources(lp):
        jit.raise_to_ratio(offsets[first], offsets[last], destination, a, c, top)
    return group.max(top)


def largest_cost(lp: MatchingLP, group: Group = LOCAL) -> float:
    """max_e |c_e|, 1 where all are 0: the unit of what is measured in costs."""
    mine = 0.0
    for first, last in _sources(lp):
        some = lp.c[lp.offsets[first] : lp.offsets[last]]
        mine = max(mine, float(some.max(initial=0.0)), -float(some.min(initial=0.0)))
    return float(group.max(np.array([mine]))[0]) or 1.0


def largest_objective(lp: MatchingLP, group: Group = LOCAL) -> float:
    """sum_i max over C_i of c_i'x: a lower bound above it proves that no x is feasible."""
    from solvers.engine import certificate_jit as jit

    offsets, _, _, c, kind, radius = frozen(lp)
    mine = sum(jit.largest_objective(first, last, offsets, c, kind, radius) for first, last in _sources(lp))
    return float(group.sum(np.array([mine], dtype=np.float64))[0])


def loads_of(lp: MatchingLP, x: Vector, group: Group = LOCAL) -> npt.NDArray[np.float64]:
    """(A x)[J] of x brought into C."""
    return np.asarray(judge(lp, x, np.zeros(lp.destinations), group)[1])


def _slices(layout: Layout, first: int, last: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """slice_start and slice_lane of the bands first..last - 1."""
    chosen = slice(layout.chunk[first], layout.chunk[last] + 1)
    return layout.slice_start[chosen], layout.slice_lane[chosen]
