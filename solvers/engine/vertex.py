"""A best point on few edges, for '=' sources that leave no budget any slack (assignment, balanced transport).

I sources, J destinations, E edges. Where every row has to be full no point lies inside the budgets, and what is near
one cannot be pushed in. But near the optimum it is known which edges matter: those that x uses and those that cost
least at the dual, for each source and each row. HiGHS solves the LP on these (Huangfu and Hall 2018); its vertex is
feasible, and no worse than any feasible point on the same edges. In shares w_e = x_e / r_i, r_i = z_i, or u_i where the
sum has no limit, every row reads

    sum_e w_e = 1 (or <= 1),     sum_e (a_e r_i / b_j) w_e <= 1,     0 <= w_e <= u_i / r_i

The simplex method keeps rows within 1e-10; what is left is taken out by least squares on the edges of the vertex.
The multipliers of the budget rows are prices for the whole LP too. They give a bound that equals the objective where no
edge that was left out has a negative reduced cost, so a rough x and dual may suffice for a proof.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.collectives import LOCAL, Communicator, concatenated

Shares = npt.NDArray[np.float64]
Prices = npt.NDArray[np.float64]

#: The largest LP that is tried: its edges, and its rows, those of sources and of budgets.
_MOST_EDGES = 1 << 22
_MOST_ROWS = 20_000
#: Cheapest edges taken for each source and for each row; as many in use, where x uses more than that together.
_CHEAPEST = 12
#: An edge counts as used where x has at least this share of r on it.
_USED = 1e-9
#: A row counts as full where it misses b by at most this share.
_FULL = 1e-9
#: Rows times simplex iterations at most: some seconds. Not a time, so that equal runs end alike on any machine.
_WORK = 1e8
#: Rounds of least squares: one does unless an edge hits a bound.
_ROUNDS = 4
#: Rows count as full where the least load that all sources can make misses the budgets by this share at most.
_NO_SLACK = 1e-12
#: The first iteration at which a vertex is looked for: the rough dual of a few passes names the edges that matter.
_FIRST_TRY = 32


@dataclass(frozen=True, kw_only=True)
class Search:
    """How long a vertex may be looked for, and how good a point makes that needless."""

    seconds: float = 0.0
    enough: float = 0.0
    """A gap."""


NO_SEARCH = Search()


class VertexTries:
    """When a run whose rows have to be full looks for a vertex whatever its estimates say: x is never near them there,
    so that an estimate of the gap, which prices what x violates, falls long after a vertex could be proved.
    """

    def __init__(self, lp: MatchingLP, group: Communicator = LOCAL) -> None:
        self._next = float(_FIRST_TRY) if has_full_rows(lp, group) else math.inf

    def due(self, iteration: int) -> bool:
        """At the first try, then each time that the iterations have doubled: the tries cost what the passes do."""
        if iteration < self._next:
            return False
        self._next = 2.0 * iteration
        return True


def has_full_rows(lp: MatchingLP, group: Communicator = LOCAL) -> bool:
    """Whether '=' sources fill all budgets to the brim whatever their edges are, as in assignment and balanced
    transport, and the LP is small enough for a vertex.
    """
    if not (lp.is_short_form and _small_enough(lp, group)):
        return False
    limits = lp.per_source.limits()
    occupied = lp.degrees() > 0
    lightest = np.zeros(lp.sources)
    lightest[occupied] = np.minimum.reduceat(lp.a, lp.offsets[:-1][occupied]) if lp.edges else 0.0
    serving = limits.equality & np.isfinite(limits.at_most)
    least = float(group.sum(np.array([float(lightest[serving] @ limits.at_most[serving])]))[0])
    return 0 < float(lp.b.sum()) * (1 - _NO_SLACK) <= least


def _small_enough(lp: MatchingLP, group: Communicator) -> bool:
    """Whether an LP on few edges of this instance is tried at all."""
    limited = lp.per_source.limits().at_most < np.inf
    edges, rows = group.sum(np.array([lp.edges, int(limited.sum())])).tolist()
    return bool(edges <= _MOST_EDGES and rows + lp.row_count <= _MOST_ROWS)


def move_to_vertex(
    lp: MatchingLP, x: Vector, dual: Prices, group: Communicator = LOCAL, *, seconds: float
) -> Prices | None:
    """The prices of the budgets, float64[J], at a vertex of the LP on few edges: x[E] becomes that vertex. None where
    none is found, and x stays as it is.

    The first rank solves for all, within these seconds.
    """
    if not _small_enough(lp, group):
        return None
    chosen = _few_edges(lp, x, dual, group)
    columns = _Columns(lp, chosen, group)
    vertex = columns.solve(dual, seconds) if group.rank == 0 else columns.nothing
    shares, prices = group.sum(vertex.shares), group.sum(vertex.prices)
    if shares.size == 0 or not np.isfinite(shares).all():
        return None
    x[:] = 0
    x[chosen] = columns.own(shares)
    return prices


def _few_edges(lp: MatchingLP, x: Vector, dual: Prices, group: Communicator) -> npt.NDArray[np.int64]:
    """The edges that x uses or that are cheap at `dual`, and can hold anything; those of this rank."""
    source = lp.source_of_edge()
    radius = lp.per_source.radius[source]
    cost = lp.c + lp.a.astype(np.float64) * dual[lp.destination]
    least = np.full(lp.sources, np.inf)
    np.minimum.at(least, source, cost)
    cost -= least[source]

    used = x > _USED * radius
    uses, sources = group.sum(np.array([np.count_nonzero(used), lp.sources])).tolist()
    many = uses > _CHEAPEST * (sources + lp.destinations)
    chosen = np.zeros_like(used) if many else used.copy()
    for by in (source, lp.destination):
        chosen[_first_of_each(by, cost)] = True
        if many:
            most = _first_of_each(by, -np.asarray(x, dtype=np.float64))
            chosen[most[used[most]]] = True
    shut = (lp.b[lp.destination] == 0) & (lp.a > 0)
    return np.flatnonzero(chosen & ~shut & (radius > 0))


def _first_of_each(by: npt.NDArray[np.integer[Any]], value: Shares) -> npt.NDArray[np.int64]:
    """The _CHEAPEST edges with the least value of each group of edges, which `by` numbers."""
    order = np.argsort(value, kind="stable")
    # Numbers of 16 bits are sorted by radix, in a tenth of the time; few LPs of this size need more.
    numbers = by.astype(np.uint16) if by.max(initial=0) < 1 << 16 else by
    order = order[np.argsort(numbers[order], kind="stable")]
    first = np.searchsorted(by[order], np.arange(by.max(initial=0) + 1))
    chosen: npt.NDArray[np.int64] = order[np.arange(order.size) - first[by[order]] < _CHEAPEST]
    return chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class _Vertex:
    """NaN where there is none, or none was found in time."""

    shares: Shares
    prices: Prices
    """[J]"""


class _Columns:
    """The LP on some edges of all ranks, in shares. size: its edges."""

    def __init__(self, lp: MatchingLP, chosen: npt.NDArray[np.int64], group: Communicator) -> None:
        limits = lp.per_source.limits()
        unit = np.where(limits.at_most < np.inf, limits.at_most, limits.upper)
        before = np.zeros(group.size)
        before[group.rank] = lp.sources
        first = int(group.sum(before)[: group.rank].sum())
        source = lp.source_of_edge()[chosen]
        self._unit = unit[source]
        self._mine = (group, chosen.size)
        together = [
            concatenated(group, np.asarray(values, dtype=np.float64))
            for values in (source + first, lp.destination[chosen], lp.a[chosen] * self._unit, lp.c[chosen] * self._unit)
        ]
        self._source = together[0].astype(np.int64)
        self._destination = together[1].astype(np.int64)
        self._load, self._cost = together[2:]
        most = np.divide(limits.upper, unit, out=np.full(lp.sources, np.inf), where=unit > 0)
        self._most = concatenated(group, most)
        self._equality = concatenated(group, limits.equality.astype(np.int64)) > 0
        self._limited = concatenated(group, (limits.at_most < np.inf).astype(np.int64)) > 0
        self._serving = concatenated(group, unit) > 0
        self._b = lp.b
        self.size = self._source.size

    def own(self, shares: Shares) -> Shares:
        """x of the chosen edges of this rank."""
        group, mine = self._mine
        sizes = np.zeros(group.size, dtype=np.int64)
        sizes[group.rank] = mine
        first = int(group.sum(sizes)[: group.rank].sum())
        return self._unit * shares[first : first + mine]

    @property
    def nothing(self) -> _Vertex:
        """What other ranks than the first add to its vertex."""
        return _Vertex(shares=np.zeros(self.size), prices=np.zeros(self._b.size))

    def solve(self, dual: Prices, seconds: float) -> _Vertex:
        """A vertex; closed budgets, b_j = 0, keep the price that they have in `dual`."""
        from scipy.optimize import linprog

        with np.errstate(all="ignore"):  # numbers beyond the largest are data
            rows, right, equal = self._rows()
        nothing = _Vertex(shares=np.full(self.size, math.nan), prices=dual)
        if self.size == 0 or not (np.isfinite(rows.data).all() and np.isfinite(self._cost).all()):
            return nothing
        result = linprog(
            self._relative_cost(),
            A_ub=rows[~equal],
            b_ub=right[~equal],
            A_eq=rows[equal],
            b_eq=right[equal],
            bounds=np.column_stack((np.zeros(self.size), self._most[self._source])),
            method="highs-ds",
            options={
                "maxiter": max(1, int(_WORK / rows.shape[0])),
                "primal_feasibility_tolerance": 1e-10,
                **({"time_limit": seconds} if seconds < math.inf else {}),
            },
        )
        if result.status != 0:
            return nothing
        shares = _exact(rows, right, equal, np.maximum(0.0, result.x), self._most[self._source])
        priced = np.maximum(0.0, -result.ineqlin.marginals[-self._b.size :])
        with np.errstate(all="ignore"):
            prices = np.where(self._b > 0, priced / self._b, dual)
        return _Vertex(shares=shares, prices=prices if np.isfinite(prices).all() else dual)

    def _relative_cost(self) -> Shares:
        """Costs less the least of each source whose sum is fixed, which changes no vertex and no price."""
        least = np.full(self._equality.size, np.inf)
        np.minimum.at(least, self._source, self._cost)
        fixed = (self._equality & self._limited)[self._source]
        return self._cost - np.where(fixed, least[self._source], 0.0)

    def _rows(self) -> tuple[Any, Shares, npt.NDArray[np.bool_]]:
        """The matrix, its right side, and which rows are equations: rows of the sources whose sum is limited, then of
        the budgets.
        """
        from scipy import sparse

        column = np.arange(self.size)
        sources, budgets = self._equality.size, self._b.size
        limited = self._b[self._destination] < np.inf
        scaled = self._load / np.where(limited & (self._load > 0), self._b[self._destination], 1.0)
        counted = self._limited[self._source]
        matrix = sparse.csr_array(
            (
                np.concatenate((counted.astype(np.float64), np.where(limited, scaled, 0.0))),
                (np.concatenate((self._source, sources + self._destination)), np.concatenate((column, column))),
            ),
            shape=(sources + budgets, self.size),
        )
        equal = np.concatenate((self._equality, np.zeros(budgets, dtype=bool)))
        kept = np.concatenate((self._serving & self._limited, np.ones(budgets, dtype=bool)))
        return matrix[kept], np.ones(int(kept.sum())), equal[kept]


def _exact(rows: Any, right: Shares, equal: npt.NDArray[np.bool_], shares: Shares, most: Shares) -> Shares:
    """`shares` with the rows that are equations or full at their right side to the last digits: by least squares on
    the edges between 0 and `most`.
    """
    from scipy.sparse.linalg import lsqr

    for _ in range(_ROUNDS):
        missing = right - rows @ shares
        full = equal | (missing < _FULL)
        at_most = shares >= most * (1 - _USED)
        free = (shares > _USED) & ~at_most
        shares = np.where(free, shares, np.where(at_most, most, 0.0))
        off = np.where(full, right - rows @ shares, 0.0)
        if np.abs(off).max(initial=0.0) <= 2.0**-52 or not free.any():
            break
        step = lsqr(rows[full][:, free], off[full], atol=1e-12, btol=1e-12, iter_lim=1000)[0]
        shares[free] = np.clip(shares[free] + step, 0.0, most[free])
    return shares
