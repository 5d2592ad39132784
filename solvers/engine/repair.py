"""A feasible point made of x, and the certificate that it gives with a dual: the engine's own proof.

J destinations, E edges. x is clipped to >= 0, each source scaled into C_i and edge e by min(1, b_j / (A x)_j): then
c'x >= optimum. An edge with a = 0 is not scaled, and scaling by row rests on one row an edge. Scaling breaks 1'x = z,
so '=' sources are filled up on edges whose budgets have slack. Where those are full others make room (relief.py), the
nearest feasible point is looked for (nearest.py), or the best one on few edges (vertex.py). Where all of it fails
nothing is proved and the objective is infinite. The harness judges answers with code of its own.

With '=' sources sums and loads hold within HELD of z and b, for nobody can hold them exactly, and the objective counts
what that may be worth: by moves within one source, and where only that stands between a point and a claim, by changes
in several (exchange.py). Where budgets miss what sources need by no more than float32 rounds (data in float32 do),
x serves the sources, and what it leaves of the budgets is priced and stated.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.arrays import edge_arrays
from solvers.engine.certificate import Certificate, proved_objective, rounding, rounding_of_answer
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.evaluate import HELD, bound_and_loads, without_bound
from solvers.engine.exchange import worth_of_exchange
from solvers.engine.fill_up import fill_up
from solvers.engine.instance import serves_equalities
from solvers.engine.nearest import nearest_feasible
from solvers.engine.relief import relieve
from solvers.engine.repair_rows import priced, repair_rows
from solvers.engine.row_bounds import row_bounds
from solvers.engine.sweeps import sources_in_turn
from solvers.engine.tensors import as_numpy, factor_within, upload
from solvers.engine.vertex import NO_SEARCH, Search, has_full_rows, move_to_vertex

#: Moves that cost less than this share of what an objective may still grow by are as good as free.
_FREE = 1e-2
#: What float32 rounds: of the mass that sources lack, or of a budget that falls short of what they need.
_ROUNDING = 2.0**-20
#: Edges up to which the nearest point is looked for first: it may take two dozen passes, of no account up to here.
_FEW_EDGES = 1 << 16


def repair(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    group: Communicator = LOCAL,
    search: Search = NO_SEARCH,
) -> Certificate:
    """The certificate of (x, dual); x is overwritten with the point it speaks of, up to its rounding.

    Beyond the short form see repair_rows.py; within it the dual is >= 0, and the point feasible.

    Over several ranks lp and x are the sources of this one, and the certificate that of all: sums of float64.
    search: for a vertex on few edges, where nothing else serves the '=' sources or, on full rows, not well enough;
    beyond the short form for a point within the rows, where x is within the tolerance but for them.
    """
    from solvers.engine import repair_jit as jit

    if not lp.is_short_form:
        return repair_rows(lp, x, dual, group, search)
    found = bound_and_loads(lp, x, dual, group)
    bound = found.bound(lp, dual)
    factor = as_numpy(factor_within(upload(lp.b, "cpu"), upload(found.loads, "cpu")))
    edges = edge_arrays(lp)
    for first, last in sources_in_turn(lp, x):
        jit.scale_down(first, last, edges, factor, x)

    if group.max(np.array([float(serves_equalities(lp))]))[0]:
        given = Certificate(bound=bound, objective=math.inf)
        return _serve(lp, x, dual, factor * found.loads, given, group, search)
    share = rounding(found.terms) + rounding_of_answer(x.dtype)
    objective = proved_objective(float(factor @ found.values) + found.free, found.size, share)
    return Certificate(bound=bound, objective=objective)


def _serve(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    loads: npt.NDArray[np.float64],
    given: Certificate,
    group: Communicator,
    search: Search,
) -> Certificate:
    """`given`, the bound of the dual, with the objective of x, which is within the budgets with these loads and is made
    to serve the '=' sources.
    """
    filled = fill_up(lp, x, dual, np.maximum(0.0, lp.b - loads), group)
    enough = _enough(given.bound, search)
    objective = objective_as_it_is(lp, x, dual, group, enough=enough) if filled.all_served else math.inf
    if objective == math.inf and _serve_beside_full_rows(lp, x, dual, group, allowed=enough - given.bound):
        objective = objective_as_it_is(lp, x, dual, group, enough=enough)
    found = replace(given, objective=objective)
    if search.seconds <= 0 or found.gap <= search.enough:
        return found
    # Where the rows of the cheap edges are full, what rounding lacks goes to a dear one, a forbidden one even.
    only_rounding = objective - filled.cost_beyond <= enough and filled.mass <= _ROUNDING * _mass(lp, group)
    if objective < math.inf and not only_rounding and not has_full_rows(lp, group):
        return found
    found = _at_vertex(lp, x, dual, found, group, search)
    return found if found.objective < math.inf else _beyond_rounded_budgets(lp, x, dual, found, group)


def _serve_beside_full_rows(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], group: Communicator, *, allowed: float
) -> bool:
    """Whether x, within the budgets, could be made to serve sources with full rows alone; allowed: see relieve."""
    if group.max(np.array([lp.edges]))[0] <= _FEW_EDGES:
        return nearest_feasible(lp, x, group) or relieve(lp, x, dual, group, allowed=allowed)
    return relieve(lp, x, dual, group, allowed=allowed) or nearest_feasible(lp, x, group)


def _beyond_rounded_budgets(
    lp: MatchingLP, x: Vector, dual: npt.NDArray[np.float64], found: Certificate, group: Communicator
) -> Certificate:
    """`found` with the budgets left by what the rounding of their data misses, priced: all sources of x are served."""
    fill_up(lp, x, dual, np.full(lp.destinations, math.inf), group)
    evaluated = bound_and_loads(lp, x, dual, group)
    near = priced(found.bound, row_bounds(lp), evaluated, dual, rounding_of_answer(x.dtype))
    return replace(near, dual=found.dual) if near.violation <= _ROUNDING else found


def _mass(lp: MatchingLP, group: Communicator) -> float:
    """What '=' sources have to place, at most."""
    limits = lp.per_source.limits()
    return float(group.sum(np.array([limits.at_most[limits.equality].sum()]))[0])


def _enough(bound: float, search: Search) -> float:
    """The objective that makes further search needless."""
    return bound + search.enough * max(1.0, abs(bound))


def _at_vertex(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    found: Certificate,
    group: Communicator,
    search: Search,
) -> Certificate:
    """The better parts of `found` and of what a vertex on few edges and its prices prove."""
    start = x.copy()
    prices = move_to_vertex(lp, x, dual, group, seconds=search.seconds)
    if prices is None:
        return found
    bound = bound_and_loads(lp, x, prices, group).bound(lp, prices)
    if bound > found.bound:
        found = replace(found, bound=bound, dual=prices)
    objective = objective_as_it_is(lp, x, prices, group, enough=_enough(found.bound, search))
    if objective > found.objective:
        x[:] = start
        return found
    return replace(found, objective=objective)


def objective_as_it_is(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    group: Communicator = LOCAL,
    *,
    enough: float = -math.inf,
) -> float:
    """c'x rounded up where x as it stands serves every source and keeps every budget up to rounding, else inf.

    By what it exceeds a budget even so, some mass has to go elsewhere: that counts as what it may cost. Where only that
    keeps the objective above `enough`, or what rounding hides of it might, it is known to the last digit: exchange.py.
    """
    found = without_bound(lp, x, group)
    if found.unserved or not (found.loads <= lp.b * (1 + HELD)).all():
        return math.inf
    share = rounding(found.terms) + rounding_of_answer(x.dtype)

    def objective(moved: float) -> float:
        return proved_objective(float(found.values.sum()) + found.free + moved, found.size, share)

    def worth(excess: npt.NDArray[np.float64]) -> float:
        return float(excess @ _worth_of_rows(lp, x, dual, found.loads, excess, group)) if excess.any() else 0.0

    estimate = objective(worth(np.maximum(0.0, found.loads - lp.b)))
    least = objective(0.0)
    if least >= enough or group.size > 1 or x.dtype != np.float64:
        return estimate
    largest = objective(worth(np.maximum(0.0, found.loads * (1 + rounding(found.terms)) - lp.b)))
    if largest <= enough:
        return estimate
    return min(largest, objective(worth_of_exchange(lp, np.asarray(x, np.float64), dual, _FREE * (enough - least))))


def _worth_of_rows(
    lp: MatchingLP,
    x: Vector,
    dual: npt.NDArray[np.float64],
    loads: npt.NDArray[np.float64],
    excess: npt.NDArray[np.float64],
    group: Communicator,
) -> npt.NDArray[np.float64]:
    """What taking a unit of load off each row costs, float64[J]: the cheapest move within one source that removes the
    row's excess; where there is none, the dearest move of an edge in use, or the row's price where that is more.
    """
    from solvers.engine import repair_jit as jit

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
        jit.raise_to_moves(first, last, edges, x, dearest)
    return np.where(stuck, group.max(dearest), cheapest)
