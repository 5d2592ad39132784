"""A point within hard rows near one that leaves them: the cheapest moves of mass, as an LP over few moves.

Moves come by column generation: the multipliers of one LP (move_lp.py) choose the moves that enter the next
(moves.py), first until no row is left, then until a further LP saves little. It is solved again for what its tolerance
leaves, until only rounding is left. It proves nothing: whoever takes the point checks it. R rows, E edges.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from harness.general.layers import layers, sides_of
from harness.general.move_lp import ROUNDING, MoveProblem, Solution, Target
from harness.general.moves import Moves, Offer, best_moves
from harness.rounding import Float64
from harness.sources import Chunk, over_chunks
from instances import MatchingLP

#: A point that leaves rows by a larger share is not near them.
_LARGEST_EXCESS = 0.5
#: Sides are moved inward by this share of their row, so that the point is surely within the sides themselves, and two
#: sides by this share of their distance at most.
_INWARD = 1e-10
_MOST_INWARD = 0.25
_ROUNDS = 5
#: Where rows are left by less than this share, what moves cost does not matter.
_COSTLY = 1e-9
#: LPs of a round: those that look for a point within the rows, and those that make it cheaper.
_SEARCHES = 12
_REDUCTIONS = 6
#: A further LP has to lower the cost by this share of what the first moves cost.
_WORTHWHILE = 0.02


def moved_within(lp: MatchingLP, x: Float64, pool: ThreadPoolExecutor) -> Float64 | None:
    """A point [E] near x[E], which is in C, within hard rows but for rounding; None where none is found."""
    target = _target(lp, x, pool)
    point = x.copy()
    before = _LARGEST_EXCESS
    for _ in range(_ROUNDS):
        activity = _sums(lp, point, pool, absolute=False)
        unit = target.excess(activity)
        if unit <= ROUNDING:
            return point
        if unit > before or not _improve(lp, point, MoveProblem(target, activity, unit), unit, pool):
            return None
        before = 0.5 * unit
    return None


def _target(lp: MatchingLP, x: Float64, pool: ThreadPoolExecutor) -> Target:
    sides = sides_of(lp)
    finite = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (sides.lower, sides.upper)]
    size = np.maximum(np.maximum(*finite), _sums(lp, x, pool, absolute=True))
    inward = np.minimum(_INWARD * size, _MOST_INWARD * (sides.upper - sides.lower))
    moved = replace(sides, lower=sides.lower + inward, upper=sides.upper - inward)
    return Target(sides=moved, size=size)


def _sums(lp: MatchingLP, x: Float64, pool: ThreadPoolExecutor, *, absolute: bool) -> Float64:
    """A x, or |A| x."""

    def of_chunk(chunk: Chunk) -> Float64:
        total = np.zeros(lp.row_count)
        values = x[chunk.edges]
        for layer in layers(chunk):
            coefficient = np.abs(layer.coefficient) if absolute else layer.coefficient
            total += layer.activity(coefficient * values[layer.edges], total.size)
        return total

    total = np.zeros(lp.row_count)
    for part in over_chunks(lp, pool, of_chunk):
        total += part
    return total


def _improve(lp: MatchingLP, point: Float64, problem: MoveProblem, unit: float, pool: ThreadPoolExecutor) -> bool:
    """Bring `point` within the rows but for the tolerance of an LP, in place; whether that succeeded."""
    offer = Offer(lp=lp, point=point, least=unit, taken=np.zeros(lp.sources, np.bool_))
    moves = _enough(problem, offer, pool)
    first = None if moves is None else problem.solved(moves, cheapest=True)
    if moves is None or first is None:
        return False
    moves, solution = _cheaper(problem, offer, moves, first, pool) if unit > _COSTLY else (moves, first)
    moves.add(unit * solution.amount, point)
    return True


def _enough(problem: MoveProblem, offer: Offer, pool: ThreadPoolExecutor) -> Moves | None:
    """Moves by which no hard row is left; None where they are not found."""
    moves: Moves | None = None
    solution: Solution | None = problem.without_moves()
    for _ in range(_SEARCHES):
        moves = None if solution is None else _with_best(moves, offer, solution, pool, costs=False)
        solution = None if moves is None else problem.solved(moves, cheapest=False)
        if solution is not None and solution.violation <= problem.tolerated:
            return moves
    return None


def _cheaper(
    problem: MoveProblem, offer: Offer, moves: Moves, solution: Solution, pool: ThreadPoolExecutor
) -> tuple[Moves, Solution]:
    """Further moves, while they lower the cost."""
    worthwhile = _WORTHWHILE * abs(solution.cost)
    for _ in range(_REDUCTIONS):
        more = _with_best(moves, offer, solution, pool, costs=True)
        following = None if more is None else problem.solved(more, cheapest=True)
        if more is None or following is None:
            break
        saved = solution.cost - following.cost
        moves, solution = more, following
        if saved <= worthwhile:
            break
    return moves, solution


def _with_best(
    moves: Moves | None, offer: Offer, solution: Solution, pool: ThreadPoolExecutor, *, costs: bool
) -> Moves | None:
    """`moves` and the best of further sources at the prices of the solution; None where there is no further one."""
    new = best_moves(offer, solution.price, pool, costs=costs)
    if new is None:
        return None
    offer.taken[new.source] = True
    return new if moves is None else Moves.together((moves, new))
