"""A matching LP whose rows hold one coefficient each, as a flow problem in whole numbers.

Source i sends z_i units (a box source u_i on each of its edges) to its destinations, whose outlets to the sink hold
b_j / a_j units; what a '<=' or box source keeps goes to the sink at no cost. Quantities are multiplied by a scale,
costs divided by a step.

Nodes: I sources, J destinations, the sink. Arcs: E edges, then I that keep, then J outlets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
#: Scales tried until every quantity is whole, the smallest first.
_SCALES = sorted({float(2**k) for k in range(31)} | {float(10**k) for k in range(10)})
#: The most units that may leave all sources together, and room on all arcs together: int64 holds their sums.
_MOST_UNITS, _MOST_ROOM = 2.0**50, 2.0**60
#: Costs times nodes stay below it: algorithms that scale costs multiply them by the number of nodes, and add some.
_MOST_COST = 2.0**57
#: A share of all units below which rounding would lose a '=' source.
_SMALLEST_SHARE = 2.0**-30
_ROUNDED = 4e-16  # of a product of a quotient


@dataclass(frozen=True, kw_only=True, eq=False)
class Flow:
    """A flow problem: int64 arrays, tail, head, capacity and cost of each arc and supply[I] of the sources.

    scale: units of it to one of x. exact: no quantity was rounded down. step: what 1 of `cost` stands for. rounding: by
    how much a cost may be off.
    """

    tail: Whole
    head: Whole
    capacity: Whole
    cost: Whole
    supply: Whole
    sink: int
    scale: float
    step: float
    rounding: float
    exact: bool


def not_a_flow(lp: MatchingLP) -> str:
    """Why `lp` is no such problem; "" where it is."""
    least, most = row_coefficients(lp)
    mixed = np.flatnonzero(least < most)
    if mixed.size:
        j = int(mixed[0])
        return f"a flow needs one coefficient a row: a runs from {least[j]:.6g} to {most[j]:.6g} in row {j}"
    equal = lp.per_source.radius[lp.per_source.kind == Kind.SIMPLEX_EQUALITY]
    if (equal[equal > 0] < _SMALLEST_SHARE * _widths(lp).sum()).any():
        return "a flow is counted in whole units: an '=' source has less than 2^-30 of all units"
    return ""


def to_flow(lp: MatchingLP, cost_steps: float) -> Flow:
    """Costs rounded to the nearest of `cost_steps` steps over their range, fewer where int64 does not hold them."""
    source, equality = lp.source_of_edge(), lp.per_source.kind == Kind.SIMPLEX_EQUALITY
    scale, exact = _scale(lp)
    whole = np.rint if exact else np.floor
    radius = whole(_radii(lp) * scale).astype(np.int64)
    supply = radius * np.where(lp.per_source.kind == Kind.BOX, lp.degrees(), 1)
    outlets = whole(_rooms(lp) * scale).astype(np.int64)

    sink = lp.sources + lp.destinations
    relative, used = _relative_costs(lp, source, equality[source])
    step = float(np.abs(relative).max(initial=0.0)) / min(cost_steps, _MOST_COST / (sink + 1)) or 1.0
    steps = np.where(used, np.rint(relative / step), 1.0).astype(np.int64)
    divisor = max(1, int(np.gcd.reduce(steps, initial=0)))  # costs such as whole numbers stay small ones
    return Flow(
        tail=np.concatenate((source, np.arange(sink))),
        # An edge that takes nothing of its row goes to the sink.
        head=np.concatenate((np.where(lp.a > 0, lp.sources + lp.destination, sink), np.full(sink, sink))),
        capacity=np.concatenate((radius[source], np.where(equality, 0, supply), outlets)),
        cost=np.concatenate((steps // divisor, np.zeros(sink, dtype=np.int64))),
        supply=supply,
        sink=sink,
        scale=scale,
        step=step * divisor,
        rounding=step / 2,
        exact=exact,
    )


def with_overflow(problem: Flow) -> Flow:
    """The same, where only units cost something that a '=' source keeps: 1 each.

    Where they cannot be avoided, the prices are a ray: '=' sources pay more than all budgets are worth.
    """
    sources = problem.supply.size
    keeping = slice(problem.tail.size - problem.sink, problem.tail.size - problem.sink + sources)
    capacity, cost = problem.capacity.copy(), np.zeros_like(problem.cost)
    cost[keeping] = capacity[keeping] < problem.supply
    capacity[keeping] = problem.supply
    return replace(problem, capacity=capacity, cost=cost, step=1.0, rounding=0.0)


def to_x(lp: MatchingLP, problem: Flow, sent: Whole) -> Floats:
    """x float64[E] of the units on all arcs; a '=' source whose z was rounded down gets all of it again."""
    x = sent[: lp.edges] / problem.scale
    if problem.exact:
        return x
    equality = lp.per_source.kind == Kind.SIMPLEX_EQUALITY
    factor = np.where(equality, lp.per_source.radius * problem.scale / np.maximum(1, problem.supply), 1.0)
    return x * factor[lp.source_of_edge()]


def to_dual(lp: MatchingLP, problem: Flow, price: Whole) -> Floats:
    """Prices of budget rows, float64[J], from those of units at all nodes."""
    most = row_coefficients(lp)[1]
    return price[lp.sources : problem.sink] * problem.step / np.where(most > 0, most, 1.0)


def row_coefficients(lp: MatchingLP) -> tuple[Floats, Floats]:
    """The least and the largest a > 0 of each row, float64[J]; inf and 0 where a row has none."""
    a = lp.a.astype(np.float64)
    least, most = np.full(lp.destinations, np.inf), np.zeros(lp.destinations)
    np.minimum.at(least, lp.destination, np.where(a > 0, a, np.inf))
    np.maximum.at(most, lp.destination, a)
    return least, most


def _radii(lp: MatchingLP) -> Floats:
    """z or u of each source, float64[I]; 0 where nothing can be sent and nothing has to be."""
    idle = (lp.degrees() == 0) & (lp.per_source.kind != Kind.SIMPLEX_EQUALITY)
    return np.where(idle, 0.0, lp.per_source.radius)


def _widths(lp: MatchingLP) -> Floats:
    """The most units that each source may send, float64[I]."""
    return np.asarray(_radii(lp) * np.where(lp.per_source.kind == Kind.BOX, lp.degrees(), 1))


def _rooms(lp: MatchingLP) -> Floats:
    """The most units that each destination may get, float64[J]."""
    most = row_coefficients(lp)[1]
    with np.errstate(over="ignore"):  # all that the sources can send is less
        rooms: Floats = np.minimum(lp.b / np.where(most > 0, most, 1.0), _widths(lp).sum())
    return rooms


def _scale(lp: MatchingLP) -> tuple[float, bool]:
    """The scale, and whether every quantity is whole under it: a power of two or ten, or else the largest of two."""
    radius, widths, rooms = _radii(lp), _widths(lp), _rooms(lp)
    room_of_arcs = float(radius @ lp.degrees() + widths.sum() + rooms.sum())
    limit = min(_MOST_UNITS / max(float(widths.sum()), 1e-280), _MOST_ROOM / max(room_of_arcs, 1e-280))
    quantities = np.unique(np.concatenate((radius, rooms)))
    for scale in _SCALES:
        with np.errstate(over="ignore"):  # beyond the largest number it is no candidate
            scaled = quantities * scale
        if scale <= limit and (np.abs(scaled - np.rint(scaled)) <= _ROUNDED * scaled).all():
            return scale, True
    return 2.0 ** min(1000, math.floor(math.log2(limit))), False


def _relative_costs(
    lp: MatchingLP, source: Whole, equality: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Costs of edges, in a '=' source counted from its least one, and whether an edge may be used at all.

    Outside '=' sources an edge of positive cost never is, and its cost stands as 0: it must not stretch the range.
    """
    c = lp.c.astype(np.float64)
    least = np.full(lp.sources, np.inf)
    np.minimum.at(least, source, c)
    used = equality | (c <= 0)
    return np.where(used, c - np.where(equality, least[source], 0.0), 0.0), used
