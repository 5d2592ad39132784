"""A point within hard rows near one that leaves them: the nearest in relative entropy, by Newton's method.

I sources, R rows, E edges. For prices y[R] and x in its polytopes,

    p(y) = x exp(-A'y), brought into C,       y_r > 0 holds row r below its upper side, y_r < 0 above its lower one.

Where no edge is at its limit u, this is the point of C nearest to x in relative entropy that has its activities, and y
maximises the concave

    phi(y) = sum_e [p log(p / x) - p + x]  +  y'(A p - side),       gradient A p - side,

side_r the one that y_r holds row r to. The derivative of A p is -A P A', P = diag(p) - p p'/sum(p) where the sum of a
source is z, without the edges at u. It proves nothing: whoever takes the point checks it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import linalg

from harness.general.layers import hard_sides, layers
from harness.polytopes.points import brought_in
from harness.rounding import Float64
from harness.sources import chunks
from instances import MatchingLP
from instances.sides import Sides

#: A point that leaves rows by more is not near them.
_LARGEST_EXCESS = 0.5
#: Entries of A in hand: some 400 MB.
_MOST_ENTRIES = 1 << 25
#: Edges that may have to grow are given these shares of an even spread, in units of the excess: at 0 they would stay
#: there. What is given away costs, and with little of it Newton's method may not succeed.
_OPENINGS = (0.01, 0.1, 1.0)
_LEAST_OPENING = 1e-12
_STEPS = 60
_HALVINGS = 12
#: Products with the matrix in one step, and entries in all of them for one opening: some seconds.
_PRODUCTS = 200
_WORK = 2e8
#: No step changes the logarithm of an edge by more, for p is far from linear in y beyond.
_LONGEST_STEP = 3.0
_LARGEST_EXPONENT = 500.0
#: p / x - 1 is above -1; below this p adds nothing to an entropy.
_LEAST_CHANGE = 2.0**-53 - 1
#: By how much a row may leave its side, as a share of it: sums are no better.
_ROUNDING = 1e-13
#: Sides are moved inward by this share of their row, so that the point is surely within the sides themselves, and two
#: sides by this share of their distance at most.
_INWARD = 1e-10
_MOST_INWARD = 0.25


def balanced(lp: MatchingLP, x: Float64, excess: float) -> Float64 | None:
    """A point [E] of C near x[E], which is in C, within hard rows but for rounding; None where none is found.

    excess: the largest share by which x leaves a row.
    """
    if excess > _LARGEST_EXCESS or not lp.edges:
        return None
    matrix = entries_by_edge(lp)
    if matrix.nnz > _MOST_ENTRIES:
        return None
    for share in _OPENINGS:
        found = _maximised(_problem(lp, matrix, x, max(_LEAST_OPENING, share * excess)))
        if found is not None:
            return found
    return None


def _maximised(problem: _Problem) -> Float64 | None:
    """The point where phi is largest, or one before it that is within the rows."""
    point = problem.point(np.zeros(problem.lower.size))
    products = 0
    for _ in range(_STEPS):
        if problem.holds(point):
            return point.values
        if products * problem.matrix.nnz > _WORK:
            return None
        step, used = _newton_step(problem, point)
        products += used
        following = _searched(problem, point, step)
        if following is None:
            return None
        point = following
    return None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """p(y), and what belongs to it."""

    y: Float64
    values: Float64
    """[E]: p."""
    activity: Float64
    """[R]: A p."""
    phi: float
    side: Float64
    """[R]: the side that a row is held to, its activity where it is held to none."""
    free: Float64
    """[E]: p, 0 on edges at u."""
    inverse_sum: Float64
    """[I]: 1 / sum of `free` where the sum of the source is z, else 0."""

    @property
    def excess(self) -> Float64:
        """[R]: the gradient of phi where y may move."""
        return self.activity - self.side

    @property
    def held(self) -> npt.NDArray[np.bool_]:
        """[R]: the rows that are at a side, or left."""
        held: npt.NDArray[np.bool_] = self.activity != self.side
        return held


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """What stays the same from step to step."""

    lp: MatchingLP
    sides: Sides
    """The hard ones."""
    x: Float64
    """[E], where edges that may have to grow are not 0."""
    matrix: sparse.csr_array
    """A', [E, R]."""
    source: npt.NDArray[np.int64]
    """[E]"""
    upper_limit: Float64
    """[E]: u."""
    at_most: Float64
    """[I]: z."""
    equality: npt.NDArray[np.bool_]
    """[I]"""
    lower: Float64
    """[R]: the sides moved inward."""
    upper: Float64
    rounding: Float64
    """[R]: by how much a row may leave a side."""

    def by_source(self, values: Float64) -> Float64:
        """Sums [I] of values [E]."""
        return np.bincount(self.source, weights=values, minlength=self.at_most.size).astype(np.float64, copy=False)

    def point(self, y: Float64) -> _Point:
        exponent = np.clip(-(self.matrix @ y), -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        wanted = self.x * np.exp(exponent)
        values = np.empty_like(wanted)
        for chunk in chunks(self.lp):
            values[chunk.edges] = brought_in(chunk, wanted[chunk.edges])

        free = np.where(values < self.upper_limit, values, 0.0)
        tight = self.equality | (self.by_source(wanted) > self.at_most)
        sums = self.by_source(free)
        activity = self.matrix.T @ values
        side = np.where(y > 0, self.upper, np.where(y < 0, self.lower, activity))
        return _Point(
            y=y,
            values=values,
            activity=activity,
            phi=_relative_entropy(values, self.x) + float(y @ (activity - side)),
            side=self._side(y, activity),
            free=free,
            inverse_sum=np.divide(1.0, sums, out=np.zeros_like(sums), where=tight & (sums > 0)),
        )

    def _side(self, y: Float64, activity: Float64) -> Float64:
        """That of the sign of y, else that which the activity leaves, else none."""
        over = (y > 0) | ((y == 0) & (activity > self.upper))
        under = (y < 0) | ((y == 0) & (activity < self.lower))
        return np.where(over, self.upper, np.where(under, self.lower, activity))

    def holds(self, point: _Point) -> bool:
        """Whether the point is within the sides but for rounding."""
        above = point.activity <= self.sides.upper + self.rounding
        return bool((above & (point.activity >= self.sides.lower - self.rounding)).all())

    def moved(self, point: _Point, step: Float64) -> Float64:
        """y + step, no further than to the kink of phi at 0."""
        y = point.y + step
        kink = point.held & (self.lower < self.upper)
        priced_above = kink & (point.side == self.upper)
        priced_below = kink & (point.side == self.lower)
        return np.where(priced_above, np.maximum(y, 0.0), np.where(priced_below, np.minimum(y, 0.0), y))


def _relative_entropy(values: Float64, x: Float64) -> float:
    """sum p log(p / x) - p + x, each term from its small difference; where x is 0, so is p."""
    used = x > 0
    change = values[used] / x[used] - 1
    return float(x[used] @ ((1 + change) * np.log1p(np.maximum(change, _LEAST_CHANGE)) - change))


def _problem(lp: MatchingLP, matrix: sparse.csr_array, x: Float64, opening: float) -> _Problem:
    sides = hard_sides(lp)
    finite = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (sides.lower, sides.upper)]
    size = np.maximum(np.maximum(*finite), abs(matrix).T @ x)
    inward = np.minimum(_INWARD * size, _MOST_INWARD * (sides.upper - sides.lower))

    limits = lp.per_source.limits()
    source = lp.source_of_edge()
    even = np.minimum(limits.at_most / np.maximum(lp.degrees(), 1), limits.upper)[source]
    opened = _opened(matrix, sides, matrix.T @ x, size) | (limits.equality[source] & ~_closed(matrix, size))
    return _Problem(
        lp=lp,
        sides=sides,
        x=np.where(opened, x + opening * (even - x), x),
        matrix=matrix,
        source=source,
        upper_limit=limits.upper[source],
        at_most=limits.at_most,
        equality=limits.equality,
        lower=sides.lower + inward,
        upper=sides.upper - inward,
        rounding=_ROUNDING * size,
    )


def _opened(matrix: sparse.csr_array, sides: Sides, activity: Float64, size: Float64) -> npt.NDArray[np.bool_]:
    """[E] edges that bring a row back which is left."""
    short = (activity < sides.lower).astype(np.float64)
    over = (activity > sides.upper).astype(np.float64)
    helping: npt.NDArray[np.bool_] = (matrix > 0) @ short + (matrix < 0) @ over > 0
    return helping & ~_closed(matrix, size)


def _closed(matrix: sparse.csr_array, size: Float64) -> npt.NDArray[np.bool_]:
    """[E] edges of rows with sides of 0 that nothing is on: nothing may be."""
    closed: npt.NDArray[np.bool_] = (matrix != 0) @ (size == 0).astype(np.float64) > 0
    return closed


def entries_by_edge(lp: MatchingLP) -> sparse.csr_array:
    """A', float64[E, R]."""
    edges: list[npt.NDArray[np.int64]] = []
    rows: list[npt.NDArray[np.intp]] = []
    values: list[Float64] = []
    for chunk in chunks(lp):
        numbers = np.arange(chunk.edges.start, chunk.edges.stop)
        for layer in layers(chunk):
            used = layer.coefficient != 0
            edges.append(numbers[layer.edges][used])
            rows.append(layer.row[used])
            values.append(layer.coefficient[used])
    entries = (np.concatenate(edges), np.concatenate(rows))
    return sparse.csr_array((np.concatenate(values), entries), shape=(lp.edges, lp.row_count))


def _searched(problem: _Problem, point: _Point, step: Float64) -> _Point | None:
    """The point after as much of the step as makes phi rise, or halves the excess where rounding hides that."""
    worst = float(np.max(np.abs(point.excess), initial=0.0))
    for halving in range(_HALVINGS):
        trial = problem.point(problem.moved(point, step / 2**halving))
        if trial.phi > point.phi or float(np.max(np.abs(trial.excess), initial=0.0)) <= 0.5 * worst:
            return trial
    return None


def _newton_step(problem: _Problem, point: _Point) -> tuple[Float64, int]:
    """A P A' step = excess on the rows held, by conjugate gradients, shortened; and the products that took."""
    held = point.held
    matrix = problem.matrix
    diagonal = matrix.power(2).T @ point.free
    ridge = 1e-9 * diagonal + 1e-300
    products = 0

    def hessian(v: Float64) -> Float64:
        nonlocal products
        products += 2
        v = np.where(held, v, 0.0)
        moved = point.free * (matrix @ v)
        mean = point.inverse_sum * problem.by_source(moved)
        product = matrix.T @ (moved - point.free * mean[problem.source]) + ridge * v
        return np.where(held, product, v)

    shape = (diagonal.size, diagonal.size)
    precondition = linalg.LinearOperator(shape, matvec=lambda v: v / np.where(held, diagonal + ridge, 1.0))
    step: Float64 = linalg.cg(
        linalg.LinearOperator(shape, matvec=hessian),
        np.where(held, point.excess, 0.0),
        rtol=1e-2,
        maxiter=_PRODUCTS // 2,
        M=precondition,
    )[0]
    longest = float(np.max(np.abs(matrix @ step), initial=0.0))
    return step * min(1.0, _LONGEST_STEP / longest) if longest > 0 else step, products
