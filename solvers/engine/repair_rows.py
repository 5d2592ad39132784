"""The certificate of a point beyond the short form: rows of several families, with two sides, signs and prices.

R coupling rows, E edges. x is brought into C. What soft rows miss is priced, which is exact. Then

1. where no hard row has a floor > 0, a ceiling < 0 or a negative entry in use, and no source is '=': edge e times the
   least min(1, upper_r / act_r) of its rows is feasible;
2. where some source is '=': the same scaling, after which these sources are filled up within the slack of the rows;
3. where that leaves a hard row violated, or cannot be done: x as it is, with two numbers that are both >= 0,

       c'x + soft penalties + sum_r |dual_r| violation_r - bound        violation = max_r violation_r / (1 + |its side|)

   The first is >= 0 by weak duality for any x in C. With a violation nobody has a feasible point in hand;
4. where the first is within the tolerance: x with the least change that brings it within its rows (correction.py).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.arrays import edge_arrays
from solvers.engine.certificate import ROUNDING, Certificate, proved_objective, rounding, rounding_of_answer
from solvers.engine.collectives import Communicator
from solvers.engine.correction import corrected
from solvers.engine.evaluate import Evaluation, bound_and_loads
from solvers.engine.fill_up import fill_up
from solvers.engine.instance import serves_equalities
from solvers.engine.row_bounds import RowBounds, row_bounds
from solvers.engine.sides_to_meet import SidesToMeet
from solvers.engine.sweeps import sources_in_turn
from solvers.engine.vertex import NO_SEARCH, Search

Float64 = npt.NDArray[np.float64]


def repair_rows(
    lp: MatchingLP, x: Vector, dual: Float64, group: Communicator, search: Search = NO_SEARCH
) -> Certificate:
    """The certificate of x and of the dual within its intervals; x is overwritten with the point it speaks of."""
    rows = row_bounds(lp)
    dual = rows.clip(dual)
    found = bound_and_loads(lp, x, dual, group)
    bound = found.bound(lp, dual)
    serving = bool(group.max(np.array([float(serves_equalities(lp))]))[0])
    scalable = less_never_violates(rows, found)

    if scalable and not serving and not has_floors(rows):
        _scale_down(lp, x, factor_of_rows(rows, found))
        after = bound_and_loads(lp, x, dual, group)
        return Certificate(bound=bound, objective=scaled_objective(rows, after))
    if serving and scalable:
        given = x.copy()
        factor = factor_of_rows(rows, found)
        _scale_down(lp, x, factor)
        filled = fill_up(lp, x, dual, _slack(rows, factor * found.loads), group)
        after = bound_and_loads(lp, x, dual, group)
        if filled.all_served and not after.unserved and rows.violation(after.loads) <= ROUNDING:
            return priced(bound, rows, after, dual, rounding_of_answer(x.dtype))
        x[:] = given

    _scale_down(lp, x, np.ones(lp.row_count))
    if serving:
        fill_up(lp, x, dual, np.full(lp.row_count, math.inf), group)
        if found.unserved:
            found = bound_and_loads(lp, x, dual, group)
    near = priced(bound, rows, found, dual, rounding_of_answer(x.dtype))
    return _within(lp, x, dual, near, found, group, search)


def _within(
    lp: MatchingLP, x: Vector, dual: Float64, near: Certificate, found: Evaluation, group: Communicator, search: Search
) -> Certificate:
    """The certificate of a point within the rows near x, which becomes that point; `near` where none is found, or one
    that costs too much.
    """
    if near.feasible or search.seconds <= 0 or near.priced_gap > search.enough:
        return near
    rows = row_bounds(lp)
    correction = corrected(lp, x, found.loads, SidesToMeet.of(rows, found.load_sizes, x.dtype), group)
    if correction is None:
        return near
    given = x[correction.edge]
    x[correction.edge] = correction.x
    after = bound_and_loads(lp, x, dual, group)
    within = priced(near.bound, rows, after, dual, rounding_of_answer(x.dtype))
    if within.feasible and within.gap <= max(near.gap, search.enough):
        return within
    x[correction.edge] = given
    return near


def has_floors(rows: RowBounds) -> bool:
    """Whether some hard row asks for load."""
    return bool((rows.lower[rows.hard_below > 0] > 0).any())


def less_never_violates(rows: RowBounds, found: Evaluation) -> bool:
    """Whether hard ceilings are >= 0 and no entry in use of a row with a hard side is negative."""
    hard = (rows.hard_above > 0) | (rows.hard_below > 0)
    ceilings = not (rows.upper[rows.hard_above > 0] < 0).any()
    return ceilings and not found.negative[hard].any()


def factor_of_rows(rows: RowBounds, found: Evaluation) -> Float64:
    """min(1, upper / load) of the hard ceilings, 1 of the other rows."""
    over = (rows.hard_above > 0) & (found.loads > rows.upper)
    return np.divide(rows.upper, found.loads, out=np.ones_like(found.loads), where=over)


def _slack(rows: RowBounds, loads: Float64) -> Float64:
    """What the hard ceilings leave above `loads`, inf on other rows."""
    return np.where(rows.hard_above > 0, np.maximum(0.0, rows.upper - loads), math.inf)


def _scale_down(lp: MatchingLP, x: Vector, factor: Float64) -> None:
    from solvers.engine import repair_jit as jit

    edges = edge_arrays(lp)
    for first, last in sources_in_turn(lp, x):
        jit.scale_down(first, last, edges, factor, x)


def scaled_objective(rows: RowBounds, found: Evaluation, storing: float = 0.0) -> float:
    """At least the objective of a point that is feasible beyond rounding: x scaled down once more, by what its loads
    exceed the hard ceilings after all. storing: by what share of itself an entry may still be rounded.
    """
    excess = 1 - float(factor_of_rows(rows, found).min(initial=1.0))
    share = excess + storing + 2 * rounding(found.terms)
    paid = _paid(rows.soft_below, rows.soft_above, rows, found, share)
    return proved_objective(found.value + paid, found.size + paid, share + rounding(found.terms))


def priced(bound: float, rows: RowBounds, found: Evaluation, dual: Float64, storing: float) -> Certificate:
    """Hard violations at the prices of the dual. storing: by what share of itself an entry may still be rounded."""
    if found.unserved:
        return Certificate(bound=bound, objective=math.inf)
    price = abs(dual)
    share = rounding(found.terms) + storing
    below = rows.soft_below + price * (rows.hard_below > 0)
    above = rows.soft_above + price * (rows.hard_above > 0)
    paid = _paid(below, above, rows, found, share)
    objective = proved_objective(found.value + paid, found.size + paid, share)
    return Certificate(bound=bound, objective=objective, violation=float(rows.violation(found.loads)))


def _paid(below: Float64, above: Float64, rows: RowBounds, found: Evaluation, share: float) -> float:
    """What the violations cost at these prices of a unit, at most, if loads are off by a share of their sizes."""
    slip = share * found.load_sizes
    return float((below * rows.below(found.loads - slip) + above * rows.above(found.loads + slip)).sum())
