"""The engine's own proof of how good an answer is: float64, on the numbers and in the edge order of the instance.

J destinations, E edges. For x and dual >= 0, with q_e = c_e + a_e dual_j:

    bound     g0(dual) = -b'dual + sum_i min over C_i of q_i'x                <= optimum (weak duality)
    objective c'x after clipping to >= 0, scaling each source into C_i and edge e by min(1, b_j / (A x)_j) >= optimum

An edge with a = 0 is not scaled. Scaling breaks 1'x = z, so '=' sources are filled up on edges whose budgets have
slack; where those are full the nearest feasible point is looked for (balance.py), or the best one on few edges
(vertex.py). Where all of it fails nothing is proved and the objective is infinite. The harness judges answers with code
of its own.

Both numbers are moved outward by what rounding can do: a sum of n numbers t, in any order, is off by at most
gamma_n sum |t|, gamma_n = n u / (1 - n u), u = 2^-53 (Higham 2002, 3.1). So objective >= bound whatever the numbers are
like, and where it is not, something is wrong and nothing is proved. With '=' sources sums and loads hold within HELD of
z and b, for nobody can hold them exactly, and the objective counts what that may be worth.
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
from solvers.engine.arrays import edge_arrays
from solvers.engine.collectives import LOCAL, Group
from solvers.engine.layout import cut_bands

#: What a sum of a '=' source may miss of z, and a load exceed of b, as shares of them: their own rounding.
HELD = 1e-13
#: The same for the sums of an x in float32: what a rounding of every entry can do.
_HELD_IN_FLOAT32 = 2.0**-22
#: Roundings of a value on its way into a sum, and of the few numbers that make a bound or an objective of the sums.
_FEW = 64
#: Below, products of numbers are not exact to a share of themselves.
_TINY = 1e-300


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """bound <= optimum <= objective, rounding counted; objective is inf where no feasible point was recovered."""

    bound: float
    objective: float

    @property
    def gap(self) -> float:
        """(objective - bound) / max(1, |bound|), inf where nothing is proved."""
        return relative_gap(self.objective, self.bound)


def relative_gap(objective: float, bound: float) -> float:
    """inf where it is no number >= 0: then nothing is proved."""
    gap = (objective - bound) / max(1.0, abs(bound))
    return gap if 0 <= gap < math.inf else math.inf


def rounding(terms: float) -> float:
    """What the sum of so many numbers can be off by, as a share of the sum of their sizes."""
    units = (terms + _FEW) * 2.0**-53
    return units / (1 - units) if units < 1 else math.inf


def rounding_of_answer(dtype: Any) -> float:
    """What storing x can change of c'x, a share of sum |c_e x_e|: each entry, then its source and row scaled back."""
    return 0.0 if np.dtype(dtype) == np.float64 else 4 * 2.0**-24


def proved_bound(least: float, size: float, budget: float, terms: float) -> float:
    """least - budget moved down by its rounding; least is a sum of numbers of that size together, budget = b'dual."""
    bound = least - budget - rounding(terms) * (size + budget) - _TINY
    return bound if math.isfinite(bound) else -math.inf


def proved_objective(value: float, size: float, share: float) -> float:
    """value moved up by a share of its size."""
    objective = value + share * size + _TINY
    return objective if math.isfinite(objective) else math.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """x brought into C by clipping and scaling, and a dual, over all ranks.

    least: a lower bound of sum_i min over C_i of q_i'x, least_size the sum of the sizes. loads, values float64[J]: A x,
    and c'x of the edges with load, by destination; free: c'x of the others. size: sum |c_e x_e|. unserved: '=' sources
    that x misses. terms: no sum has more, one after another.
    """

    least: float
    least_size: float
    loads: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    free: float
    size: float
    unserved: float
    terms: float

    def bound(self, lp: MatchingLP, dual: npt.NDArray[np.float64]) -> float:
        """g0(dual), rounded down."""
        return proved_bound(self.least, self.least_size, float(lp.b @ dual), self.terms)


def repair(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Group = LOCAL, *, seconds: float = 0.0
) -> Certificate:
    """The certificate of (x, dual >= 0); x is overwritten with the feasible point it speaks of, up to its rounding.

    Over several ranks lp and x are the sources of this one, and the certificate that of all: sums of float64.
    seconds: what the search for a vertex on few edges may take, where '=' sources find no room otherwise.
    """
    from solvers.engine import certificate_jit as jit

    judged = judge(lp, x, dual, group)
    bound = judged.bound(lp, dual)
    factor = factor_within(lp.b, judged.loads)
    edges = edge_arrays(lp)
    for first, last in sources_in_turn(lp, x):
        jit.scale_down(
            first, last, edges.offsets, edges.destination, edges.a, edges.kind, edges.radius, factor, x
        )  # fmt: skip
    if group.max(np.array([float((edges.kind == Kind.SIMPLEX_EQUALITY).any())]))[0]:
        return _serve(lp, x, dual, factor * judged.loads, group, seconds=seconds, bound=bound)
    share = rounding(judged.terms) + rounding_of_answer(x.dtype)
    objective = proved_objective(float(factor @ judged.values) + judged.free, judged.size, share)
    return Certificate(bound=bound, objective=objective)


def _serve(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    loads: npt.NDArray[np.float64],
    group: Group,
    *,
    seconds: float,
    bound: float,
) -> Certificate:
    """The certificate with '=' sources: x within the budgets, with these loads, is made to serve them."""
    from solvers.engine.balance import balance
    from solvers.engine.vertex import vertex

    served = _fill_up(lp, x, dual, np.maximum(0.0, lp.b - loads), group)
    objective = objective_as_it_is(lp, x, dual, group) if served else math.inf
    if objective == math.inf and balance(lp, x, group):
        objective = objective_as_it_is(lp, x, dual, group)
    if objective == math.inf and seconds > 0 and vertex(lp, x, dual, group, seconds=seconds):
        objective = objective_as_it_is(lp, x, dual, group)
    return Certificate(bound=bound, objective=objective)


def objective_as_it_is(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Group = LOCAL) -> float:
    """c'x rounded up where x as it stands serves every source and keeps every budget up to rounding, else inf.

    By what it exceeds a budget even so, some mass has to go elsewhere: that counts as what it may cost.
    """
    judged = judge(lp, x, dual, group)
    if judged.unserved or not (judged.loads <= lp.b * (1 + HELD)).all():
        return math.inf
    share = rounding(judged.terms) + rounding_of_answer(x.dtype)
    excess = np.maximum(0.0, judged.loads - lp.b)
    moved = float(excess @ _worth_of_rows(lp, x, dual, judged.loads, group)) if excess.any() else 0.0
    return proved_objective(float(judged.values.sum()) + judged.free + moved, judged.size, share)


def _worth_of_rows(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], loads: npt.NDArray[np.float64], group: Group
) -> npt.NDArray[np.float64]:
    """What taking a unit of load off each row costs, float64[J]: the cheapest move within one source that removes the
    row's excess; where there is none, the dearest move of an edge in use, or the row's price where that is more.
    """
    from solvers.engine import certificate_jit as jit

    excess = np.maximum(0.0, loads - lp.b)
    slack = np.maximum(0.0, lp.b * (1 - HELD) - loads)
    edges = edge_arrays(lp)
    cheapest = np.full(lp.destinations, np.inf)
    for first, last in sources_in_turn(lp, x):
        jit.lower_to_moves(first, last, edges, x, excess, slack, excess.sum(), cheapest)
    cheapest = -group.max(-cheapest)
    stuck = np.isinf(cheapest)
    if not stuck[excess > 0].any():
        return np.where(stuck, 0.0, cheapest)

    dearest = dual.copy()
    for first, last in sources_in_turn(lp, x):
        jit.raise_to_moves(first, last, *edges[:5], x, dearest)
    return np.where(stuck, group.max(dearest), cheapest)


def _fill_up(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], slack: npt.NDArray[np.float64], group: Group
) -> bool:
    """Fill the '=' sources, rank after rank since all draw on one slack; whether none lacks anything then."""
    from solvers.engine import certificate_jit as jit

    edges = edge_arrays(lp)
    lacking, enough = 0, held(x.dtype)
    for turn in range(group.size):
        left = slack.copy()
        if turn == group.rank:
            for first, last in sources_in_turn(lp, x):
                lacking += jit.fill_up(first, last, *edges, dual, left, enough, x)
        slack = np.maximum(0.0, slack - group.sum(slack - left))
    return not group.sum(np.array([float(lacking)]))[0]


def held(dtype: Any) -> float:
    """HELD for the sums of an x of this type."""
    return HELD if np.dtype(dtype) == np.float64 else _HELD_IN_FLOAT32


def factor_within(b: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """min(1, b_j / load_j) for each budget row."""
    return np.where(loads > b, b / np.where(loads > b, loads, 1.0), 1.0)


def judge(lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Group = LOCAL) -> Judged:
    """x brought into C and the lower bound of `dual`, over all ranks."""
    from solvers.engine import certificate_jit as jit

    band = cut_bands(lp)
    pieces = band.size - 1
    sums = np.zeros((pieces, 5))
    loads = np.zeros((pieces, lp.destinations))
    values = np.zeros((pieces, lp.destinations))
    edges = edge_arrays(lp)
    for first, last in bands_in_turn(lp, band, x):
        out = (sums[first:last], loads[first:last], values[first:last])
        jit.certify(band[first : last + 1], *edges, x, dual, held(x.dtype), *out)
    mine = (loads.sum(axis=0), values.sum(axis=0), sums.sum(axis=0), [terms_of(lp, band)])
    total = group.sum(np.concatenate(mine))
    loads, values, (least, least_size, size, free, unserved, terms) = np.split(total, (lp.destinations, -6))
    return Judged(
        least=float(least),
        least_size=float(least_size),
        loads=loads,
        values=values,
        free=float(free),
        size=float(size),
        unserved=float(unserved),
        terms=float(terms),
    )


def terms_of(lp: MatchingLP, band: npt.NDArray[np.int64]) -> float:
    """The most numbers that a sum over these bands and over the rows adds one after another."""
    most = np.diff(lp.offsets[band]).max(initial=0) + np.diff(band).max(initial=0)
    return float(most + band.size + lp.destinations)


def bands_in_turn(lp: MatchingLP, band: npt.NDArray[np.int64], x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) band of one step after another through the instance and x; see instances.mapped.sweep."""
    import numba

    starts = lp.offsets[band]
    streams = [(lp.offsets, band), *((array, starts) for array in (lp.destination, lp.a, lp.c))]
    return sweep(band.size - 1, numba.get_num_threads(), [*streams, *([] if x is None else [(x, starts)])])


def sources_in_turn(lp: MatchingLP, x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) source of one step after another through the instance and x."""
    band = cut_bands(lp)
    return ((int(band[first]), int(band[last])) for first, last in bands_in_turn(lp, band, x))


def largest_dual(lp: MatchingLP, group: Group = LOCAL) -> npt.NDArray[np.float64]:
    """max(0, max_e -c_e / a_e) for each budget row: some optimal dual lies below, where no source has to serve (=)."""
    from solvers.engine import certificate_jit as jit

    edges = edge_arrays(lp)
    top = np.zeros(lp.destinations)
    for first, last in sources_in_turn(lp):
        jit.raise_to_ratio(edges.offsets[first], edges.offsets[last], edges.destination, edges.a, edges.c, top)
    return group.max(top)


def largest_objective(lp: MatchingLP, group: Group = LOCAL) -> float:
    """sum_i max over C_i of c_i'x: a lower bound above it proves that no x is feasible."""
    from solvers.engine import certificate_jit as jit

    edges = edge_arrays(lp)
    mine = sum(
        jit.largest_objective(first, last, edges.offsets, edges.c, edges.kind, edges.radius)
        for first, last in sources_in_turn(lp)
    )
    return float(group.sum(np.array([mine], dtype=np.float64))[0])


def loads_of(lp: MatchingLP, x: Vector, group: Group = LOCAL) -> npt.NDArray[np.float64]:
    """(A x)[J] of x brought into C."""
    return judge(lp, x, np.zeros(lp.destinations), group).loads
