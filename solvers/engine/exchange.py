"""What taking an excess of rounding size out of full rows costs, by changes in several sources: with '=' sources.

I sources, J destinations, E edges. Where no source alone can take a row's excess, the dearest edge of a source bounds
what it costs: with a forbidden edge of 1e9 that is more than a tolerance allows for 1e-17 of a budget. The changes
y[E] that remove it solve

    A y <= b - A x,      1'y_i = z_i - 1'x_i  ('<=': at most that),      -x <= y <= u - x

with right-hand sides that are summed without rounding (math.fsum of unrounded products), divided by the largest of
them, an LP for HiGHS on the cheap edges and those that its multipliers ask for. An excess that no edge can remove is in
the budgets; it counts at the dual, as weak duality has it. The harness judges with code of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP

Float64 = npt.NDArray[np.float64]
Edges = npt.NDArray[np.int64]

#: The largest LP that is tried.
_MOST_EDGES = 1 << 22
_MOST_ROWS = 20_000
#: Edges of each source in the first LP, and added to it at once.
_CHEAPEST = 4
_ROUNDS = 20
#: Seconds of one LP.
_SECONDS = 5.0
#: What an edge is charged at most, in units of the least charge, and an excess, which is far above any path of those.
_DEAREST = 1e3
_EXCESS = 1e7
_LARGEST_CHANGE = 1e7
#: Less than this share of what HiGHS was asked to remove is its tolerance.
_LEFT = 1e-6
#: Splits a float64 into halves of 26 bits (Dekker 1971).
_SPLITTER = 2.0**27 + 1


def worth_of_exchange(lp: MatchingLP, x: Float64, dual: Float64, matters: float) -> float:
    """What it costs that the loads of x[E] keep b and its sums z; inf where no changes were found, or too dear ones.

    matters: a cost below this is as good as none.
    """
    if lp.edges > _MOST_EDGES or lp.sources + lp.destinations > _MOST_ROWS:
        return math.inf
    with np.errstate(all="ignore"):  # numbers beyond the largest are data
        worth = _worth(lp, x, dual, matters)
    return worth if math.isfinite(worth) else math.inf


def _worth(lp: MatchingLP, x: Float64, dual: Float64, matters: float) -> float:
    missing = _missing(lp, x)
    unit = missing.largest
    if unit == 0:
        return 0.0
    if not math.isfinite(unit):
        return math.inf
    problem = _problem(lp, x, missing, unit / matters)
    if not (np.isfinite(problem.matrix.data).all() and np.isfinite(problem.charge).all()):
        return math.inf
    solution = _solved(problem)
    if solution is None:
        return math.inf

    amount, excess = solution
    moved = unit * problem.sign * problem.cap * amount
    cost = float(lp.c[problem.edge].astype(np.float64) @ moved)
    stays = np.where(excess > _LEFT, excess, 0.0)
    left = unit * problem.left(amount, stays) * float(np.abs(lp.c).max(initial=0.0))
    return max(0.0, cost) + float(dual @ (unit * stays * lp.b)) + left


@dataclass(frozen=True, kw_only=True, eq=False)
class _Missing:
    """lack [I]: z - sum, 0 where nothing limits it; slack [J]: b - load; largest: the largest share that is missed."""

    lack: Float64
    slack: Float64
    largest: float


def _missing(lp: MatchingLP, x: Float64) -> _Missing:
    limits = lp.per_source.limits()
    limited = np.isfinite(limits.at_most)
    sums = _sums(lp.source_of_edge(), x, lp.sources)
    lack = np.array([math.fsum((z, -total, -rest)) for z, total, rest in zip(limits.at_most, *sums, strict=True)])
    lack = np.where(limited, lack, 0.0)

    product, rounded = _product(lp.a.astype(np.float64), x)
    loads = _sums(np.concatenate((lp.destination, lp.destination)), np.concatenate((product, rounded)), lp.destinations)
    slack = np.array([math.fsum((b, -total, -rest)) for b, total, rest in zip(lp.b, *loads, strict=True)])

    with np.errstate(all="ignore"):
        off = np.where(limits.equality, np.abs(lack), np.maximum(-lack, 0.0))
        shares = np.where(off > 0, off / limits.at_most, 0.0)
        over = np.where(slack < 0, -slack / lp.b, 0.0)
    return _Missing(lack=lack, slack=slack, largest=float(max(shares.max(initial=0.0), over.max(initial=0.0))))


def _sums(group: npt.NDArray[Any], values: Float64, count: int) -> tuple[list[float], list[float]]:
    """The exact sums of each group, as two numbers each."""
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=count))
    totals, rests = [], []
    for part in np.split(values[order], ends[:-1] if count else []):
        total = math.fsum(part.tolist())
        totals.append(total)
        rests.append(math.fsum([*part.tolist(), -total]))
    return totals[:count], rests[:count]


def _product(a: Float64, x: Float64) -> tuple[Float64, Float64]:
    """a x rounded, and what that took away."""
    product = a * x
    a_high, x_high = (_SPLITTER * value - (_SPLITTER * value - value) for value in (a, x))
    a_low, x_low = a - a_high, x - x_high
    return product, a_low * x_low - (((product - a_high * x_high) - a_low * x_high) - a_high * x_low)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """Changes k, an edge up or down by shares of `cap`, over rows counted in shares of b and z and in units: first the
    budgets, then the sources.
    """

    edge: Edges
    sign: Float64
    cap: Float64
    charge: Float64
    most: Float64
    source: Edges
    matrix: Any
    side: Float64
    equal: npt.NDArray[np.bool_]
    budgets: int
    right: Float64
    """b, then z, 0 where a source has none."""
    mass: Float64
    """What an edge may have to give up for a unit of each."""

    def left(self, amount: Float64, stays: Float64) -> float:
        """The mass that has to move even so, in units: HiGHS keeps rows to a tolerance."""
        missing = self.matrix @ amount - self.side
        missing[: stays.size] -= stays
        off = np.where(self.equal, np.abs(missing), np.maximum(missing, 0.0))
        return float(off @ (self.right * self.mass))


def _problem(lp: MatchingLP, x: Float64, missing: _Missing, weight: float) -> _Problem:
    """weight: 1 over the cost of a unit that matters."""
    from scipy import sparse

    limits = lp.per_source.limits()
    source = lp.source_of_edge()
    a, c = lp.a.astype(np.float64), lp.c.astype(np.float64)
    budget = lp.b[lp.destination]
    through = np.divide(budget, a, out=np.full(lp.edges, math.inf), where=a > 0)
    cap = np.minimum(np.minimum(limits.at_most, limits.upper)[source], through)
    least = np.full(lp.sources, math.inf)
    np.minimum.at(least, source, c)
    added = np.where(limits.equality[source], c - least[source], np.maximum(c, 0.0))
    dropped = np.where(limits.equality[source], 0.0, np.maximum(-c, 0.0))

    usable = np.flatnonzero(cap > 0)  # no budget of 0, and no source of 0
    edge = np.tile(usable, 2)
    sign = np.repeat([1.0, -1.0], usable.size)
    reach = np.concatenate(((limits.upper[source] - x)[usable], x[usable])) / (missing.largest * cap[edge])
    charge = 1 + np.minimum(np.concatenate((added[usable], dropped[usable])) * (cap[edge] * weight), _DEAREST)
    number = np.arange(edge.size)
    rows = (lp.destination[edge], lp.destinations + source[edge])
    of_row = sign * a[edge] * np.divide(cap, budget, out=np.zeros(lp.edges), where=budget > 0)[edge]
    of_source = sign * cap[edge] / limits.at_most[source[edge]]
    matrix = sparse.csc_array(
        (np.concatenate((of_row, of_source)), (np.concatenate(rows), np.concatenate((number, number)))),
        shape=(lp.destinations + lp.sources, edge.size),
    )
    right = np.concatenate((lp.b, limits.at_most))
    wanted = np.concatenate((missing.slack, missing.lack))
    side = np.divide(wanted, right * missing.largest, out=np.zeros_like(right), where=right > 0)
    return _Problem(
        edge=edge,
        sign=sign,
        cap=cap[edge],
        charge=charge,
        most=np.minimum(np.maximum(reach, 0.0), _LARGEST_CHANGE),
        source=source[edge],
        matrix=matrix,
        side=np.minimum(side, _LARGEST_CHANGE),
        equal=np.concatenate((np.zeros(lp.destinations, np.bool_), limits.equality)),
        budgets=lp.destinations,
        right=np.where(np.isfinite(right), right, 0.0),
        mass=np.repeat([1 / float(a[a > 0].min(initial=1.0)), 1.0], [lp.destinations, lp.sources]),
    )


def _solved(problem: _Problem) -> tuple[Float64, Float64] | None:
    """Amounts [k] and what stays of the excess [J], at the optimum over all changes."""
    from scipy import sparse
    from scipy.optimize import linprog

    up = problem.sign > 0
    chosen = _first(problem, np.where(up, problem.charge, math.inf)) | _first(
        problem, np.where(up, math.inf, -problem.most)
    )
    slack = sparse.eye_array(problem.side.size, problem.budgets, format="csc")
    for _ in range(_ROUNDS):
        columns = np.flatnonzero(chosen)
        rows = sparse.hstack([problem.matrix[:, columns], -slack], format="csr")
        charges = np.concatenate((problem.charge[columns], np.full(problem.budgets, _EXCESS)))
        most = np.concatenate((problem.most[columns], np.full(problem.budgets, math.inf)))
        result = linprog(
            charges,
            A_ub=rows[~problem.equal],
            b_ub=problem.side[~problem.equal],
            A_eq=rows[problem.equal],
            b_eq=problem.side[problem.equal],
            bounds=np.column_stack((np.zeros(charges.size), most)),
            method="highs-ds",
            options={"time_limit": _SECONDS},
        )
        if result.status != 0:
            return None
        price = np.zeros(problem.side.size)
        price[~problem.equal] = result.ineqlin.marginals
        price[problem.equal] = result.eqlin.marginals
        reduced = problem.charge - problem.matrix.T @ price
        more = _first(problem, np.where(reduced < -_LEFT, reduced, math.inf)) & ~chosen
        if not more.any():
            amount = np.zeros(chosen.size)
            amount[columns] = result.x[: columns.size]
            return amount, result.x[columns.size :]
        chosen |= more
    return None


def _first(problem: _Problem, value: Float64) -> npt.NDArray[np.bool_]:
    """The _CHEAPEST changes of each source with the least value below inf."""
    finite = np.flatnonzero(value < math.inf)
    order = finite[np.lexsort((value[finite], problem.source[finite]))]
    rank = np.arange(order.size) - np.searchsorted(problem.source[order], problem.source[order])
    found = np.zeros(value.size, np.bool_)
    found[order[rank < _CHEAPEST]] = True
    return found
