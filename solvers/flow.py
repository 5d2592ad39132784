"""A matching LP whose rows hold one coefficient each, as a flow problem in whole numbers.

Source i sends z_i units, at most u_e over an edge; what a '<=' or box source keeps goes to the sink at no cost. A row
keeps its hard floor and passes the rest on to the sink: up to its room at no cost, but units up to a soft floor are
paid, and units beyond a soft upper side pay (solvers/flow_units.py). Quantities are multiplied by a scale, costs
divided by a step.

Nodes: I sources, J rows, the sink. Arcs: E edges, I that keep, J outlets, one for each soft floor, one for each soft
upper side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.flow_units import (
    Flags,
    Floats,
    UnitRows,
    dual_interval,
    edge_rows,
    not_unit_rows,
    unit_rows,
    unit_sources,
)

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
    """A flow problem: int64 arrays, tail, head, capacity and cost of each arc."""

    tail: Whole
    head: Whole
    capacity: Whole
    cost: Whole
    supply: Whole
    """int64[I + J]: what a source sends, and as a negative number what has to arrive at a row."""
    sources: int
    """I."""
    edges: int
    """E."""
    coefficient: Floats
    """float64[J]: what a unit puts on a row."""
    sink: int
    """I + J."""
    scale: float
    """Units of the problem to one of x."""
    step: float
    """What 1 of `cost` stands for."""
    rounding: float
    """By how much a cost may be off."""
    exact: bool
    """No quantity was rounded."""

    @property
    def keeping(self) -> slice:
        """The arcs over which sources keep units."""
        return slice(self.edges, self.edges + self.sources)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Quantities:
    """Units: float64, and int64 once scaled."""

    each: npt.NDArray[Any]
    """[K]: the most over one edge, as `UnitSources` has it."""
    width: npt.NDArray[Any]
    """[I]: the most that a source may send."""
    floor: npt.NDArray[Any]
    """[J]."""
    wanted: npt.NDArray[Any]
    """[J]."""
    room: npt.NDArray[Any]
    """[J]: finite."""


def not_a_flow(lp: MatchingLP) -> str:
    """Why `lp` is no such problem; "" where it is."""
    refused = not_unit_rows(lp)
    if refused:
        return refused
    limits = lp.per_source.limits()
    equal = limits.at_most[limits.equality]
    if (equal[equal > 0] < _SMALLEST_SHARE * unit_sources(lp).width.sum()).any():
        return "a flow is counted in whole units: an '=' source has less than 2^-30 of all units"
    return ""


def to_flow(lp: MatchingLP, cost_steps: float) -> Flow:
    """Costs rounded to the nearest of `cost_steps` steps over their range, fewer where int64 does not hold them."""
    source = lp.source_of_edge()
    row, a = edge_rows(lp)
    rows = unit_rows(lp)
    exact_quantities = _quantities(lp, rows)
    place = unit_sources(lp).place
    scale, exact = _scale(lp, exact_quantities, place)
    equality = lp.per_source.limits().equality
    equality_of_each = equality if lp.edge_upper is None else equality[source]
    units = _scaled(exact_quantities, scale, (equality, equality_of_each), exact=exact)

    sink = lp.sources + lp.row_count
    rewarded, priced = np.flatnonzero(rows.reward > 0), np.flatnonzero(np.isfinite(rows.surcharge))
    relative, used = _relative_costs(lp, np.where(a > 0, _pays(rows)[row], 0.0))
    costs = np.concatenate((relative, np.zeros(sink), -rows.reward[rewarded], rows.surcharge[priced]))
    step = float(np.abs(costs).max(initial=0.0)) / min(cost_steps, _MOST_COST / (sink + 1)) or 1.0
    steps = np.rint(costs / step).astype(np.int64)
    divisor = max(1, int(np.gcd.reduce(steps, initial=0)))  # costs such as whole numbers stay small ones
    beyond = np.concatenate((rewarded, priced))
    return Flow(
        tail=np.concatenate((source, np.arange(sink), lp.sources + beyond)),
        # An edge that takes nothing of its row goes to the sink.
        head=np.concatenate((np.where(a > 0, lp.sources + row, sink), np.full(sink + beyond.size, sink))),
        capacity=np.concatenate(
            (
                np.where(used, units.each[place], 0),
                np.where(equality, 0, units.width),
                np.maximum(0, units.room - units.floor - units.wanted),
                units.wanted[rewarded],
                np.full(priced.size, units.width.sum()),
            )
        ),
        cost=steps // divisor,
        supply=np.concatenate((units.width, -units.floor)),
        sources=lp.sources,
        edges=lp.edges,
        coefficient=rows.coefficient,
        sink=sink,
        scale=scale,
        step=step * divisor,
        rounding=step / 2,
        exact=exact,
    )


def with_overflow(problem: Flow) -> Flow:
    """The same, where only units cost something that a '=' source keeps, or a floor gets from nowhere: 1 each.

    Where they cannot be avoided, the prices are a ray.
    """
    short = np.flatnonzero(problem.supply < 0)
    capacity, cost = problem.capacity.copy(), np.zeros_like(problem.cost)
    supply = problem.supply[: problem.sources]
    cost[problem.keeping] = capacity[problem.keeping] < supply
    capacity[problem.keeping] = supply
    return replace(
        problem,
        tail=np.concatenate((problem.tail, np.full(short.size, problem.sink))),
        head=np.concatenate((problem.head, short)),
        capacity=np.concatenate((capacity, -problem.supply[short])),
        cost=np.concatenate((cost, np.ones(short.size, dtype=np.int64))),
        step=1.0,
        rounding=0.0,
    )


def to_x(lp: MatchingLP, problem: Flow, sent: Whole) -> Floats:
    """x float64[E] of the units on all arcs; a '=' source whose z was rounded gets all of it again."""
    x: Floats = sent[: lp.edges] / problem.scale
    if problem.exact:
        return x
    limits = lp.per_source.limits()
    supply = problem.supply[: lp.sources]
    with np.errstate(invalid="ignore"):  # a box has no z, and is no '=' source
        factor = np.where(limits.equality, limits.at_most * problem.scale / np.maximum(1, supply), 1.0)
    source = lp.source_of_edge()
    return np.minimum(x * factor[source], lp.upper_of_edges())


def to_dual(lp: MatchingLP, problem: Flow, price: Whole, *, ray: bool = False) -> Floats:
    """Prices of the rows, float64[J], from those of units at all nodes.

    A row that nothing reaches bears any price that is dear enough, so that of its interval which is nearest is right.
    """
    prices = price[lp.sources : problem.sink] * problem.step / problem.coefficient
    return np.clip(prices, *dual_interval(lp, hard_only=ray))


def source_prices(lp: MatchingLP, problem: Flow, price: Whole, *, ray: bool = False) -> Floats:
    """What the dearest unit of each source costs, float64[I]; a '=' source counts from its least cost again."""
    of_units = np.asarray(price[: lp.sources] * problem.step, dtype=np.float64)
    if ray:
        return of_units
    equality = lp.per_source.limits().equality
    of_units[equality] += _least_costs(lp)[equality]
    return of_units


def _quantities(lp: MatchingLP, rows: UnitRows) -> _Quantities:
    sources = unit_sources(lp)
    total = float(sources.width.sum())
    return _Quantities(
        each=sources.each,
        width=sources.width,
        floor=np.minimum(rows.floor, 2 * total or 1.0),  # as infeasible as a floor far beyond all units
        wanted=np.minimum(rows.wanted, total),
        room=np.minimum(rows.room, total),
    )


def _scale(lp: MatchingLP, units: _Quantities, place: Whole) -> tuple[float, bool]:
    """The scale, and whether every quantity is whole under it: a power of two or ten, or else the largest of two."""
    total = float(units.width.sum())
    room_of_arcs = float(units.each[place].sum() + 2 * total + 2 * units.room.sum() + units.floor.sum())
    room_of_arcs += total * int(np.isfinite(lp.rows[0].penalty_above).sum())
    limit = min(_MOST_UNITS / max(total, 1e-280), _MOST_ROOM / max(room_of_arcs, 1e-280))
    quantities = np.unique(np.concatenate(list(vars(units).values())))
    for scale in _SCALES:
        with np.errstate(over="ignore"):  # beyond the largest number it is no candidate
            scaled = quantities * scale
        if scale <= limit and (np.abs(scaled - np.rint(scaled)) <= _ROUNDED * scaled).all():
            return scale, True
    return 2.0 ** min(1000, math.floor(math.log2(limit))), False


def _scaled(units: _Quantities, scale: float, equality: tuple[Flags, Flags], *, exact: bool) -> _Quantities:
    """int64. What is not exact is rounded down, which what fits survives. equality: of `width` and of `each`.

    Floors may take all that '=' sources have, so that where there are any these send together what they send unrounded,
    within one unit, and rooms are rounded up.
    """
    scaled = {name: value * scale for name, value in vars(units).items()}
    if exact:
        return _Quantities(**{name: np.rint(value).astype(np.int64) for name, value in scaled.items()})

    whole = {name: np.floor(value) for name, value in scaled.items()}
    of_width, of_each = equality
    whole["each"][of_each] = np.ceil(scaled["each"][of_each])
    if (units.floor > 0).any():
        sums = np.rint(np.cumsum(np.where(of_width, scaled["width"], 0.0)))
        whole["width"][of_width] = np.diff(sums, prepend=0.0)[of_width]
        whole["room"] = np.ceil(scaled["room"])
    return _Quantities(**{name: value.astype(np.int64) for name, value in whole.items()})


def _pays(rows: UnitRows) -> Floats:
    """The most that a row pays for a unit, float64[J]; inf where it has to get some."""
    return np.where(rows.floor > 0, np.inf, rows.reward)


def _relative_costs(lp: MatchingLP, paid: Floats) -> tuple[Floats, Flags]:
    """Costs of edges, in a '=' source counted from its least one, and whether an edge may be used at all.

    Outside '=' sources an edge that costs more than its row pays never is, and its cost stands as 0: it must not
    stretch the range.
    """
    source, equality = lp.source_of_edge(), lp.per_source.limits().equality
    c = lp.c.astype(np.float64)
    used = equality[source] | (c <= paid)
    return np.where(used, c - np.where(equality, _least_costs(lp), 0.0)[source], 0.0), used


def _least_costs(lp: MatchingLP) -> Floats:
    """The least c of each source, float64[I]; 0 without edges."""
    least = np.full(lp.sources, np.inf)
    np.minimum.at(least, lp.source_of_edge(), lp.c.astype(np.float64))
    return np.where(np.isfinite(least), least, 0.0)
