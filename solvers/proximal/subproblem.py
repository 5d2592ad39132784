"""The inner problem on the few edges that can change, by semismooth Newton between bounds of the prices.

R rows; L lanes and K cells of the subproblem. Maximise over low <= lambda <= high the concave

    phi(lambda) = min over x in C of  c'x + lambda'(A x - side) + ||x - centre||^2 / (2 s),  gradient A x(lambda) - side

where the side of a row is its upper or its lower limit, by the sign of its price: phi is smooth in pieces (pieces.py).
(augmented Lagrangian in its dual form: Rockafellar 1976; semismooth Newton: Qi and Sun 1993; for LPs: Li, Sun and
Toh 2020). Steps are cut by slopes, not by values of phi, because differences of values cancel near the optimum.

Where rows lie within others, systems and trust bounds are those of the prices z of nested.py.

Steps stay within a trust bound of each row, which serves where few edges change. Where many change at one price (ties,
nested rows) such bounds bend the direction: the late steps of a long solve keep it, and only their length adapts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import Cells
from solvers.engine.context import SolveContext
from solvers.engine.pieces import Piece, Pieces
from solvers.engine.prices import Prices, dot, secant_cut
from solvers.engine.rows import Rows
from solvers.proximal.arrays import COST, MOVED, ProximalStep, SubproblemPass
from solvers.proximal.constants import Constants, SearchRule
from solvers.proximal.nested import Basis, Nesting
from solvers.proximal.system import NewtonSystem

#: Keeps the trust bounds of rows that overshot again and again above 0.
_LEAST_TRUST = 1e-14
#: A cut leaves at least this share of a step, and this one where the bounds turned the step downhill.
_LEAST_CUT = 0.05
_BLIND_CUT = 0.3
#: Fewer cells per thread are not worth waiting for it, least of all on a machine with other work.
_THREAD_CELLS = 65_536


@dataclass(frozen=True, kw_only=True, eq=False)
class Subproblem:
    """The near edges of a full problem at a centre; all others stay at their x."""

    cells: Cells
    centre: npt.NDArray[Any]
    """[K], in the type of the cells."""
    pieces: Pieces
    """Of the sides of the rows, without what the edges outside contribute."""
    step: float
    context: SolveContext
    """Sums over the ranks among which the cells are spread."""
    threads: int = 1
    nesting: Nesting | None = None
    """Which rows lie within others; None where none does."""


@dataclass(kw_only=True)
class Work:
    """Of all solves so far."""

    systems: int = 0
    """Newton systems solved."""
    products: int = 0
    """Products of conjugate gradients with their matrices."""
    read: int = 0
    """Entries of free edges that these products read."""

    def count_products(self, products: int, entries: int) -> None:
        """Of a system with so many entries."""
        self.products += products
        self.read += products * entries


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """Prices, with phi and its gradient there."""

    price: Prices
    phi: float
    activity: Prices
    """A x of the edges of the subproblem, float64[R]."""
    gradient: Prices
    """That of the piece around the price; 0 where a kink holds it."""


class NewtonSolve:
    """One solve of a subproblem; ridge and trust bounds adapt from step to step."""

    def __init__(self, sub: Subproblem, rows: Rows, constants: Constants, work: Work) -> None:
        self._sub = sub
        self._rows = rows
        self._k = constants
        self._work = work
        self._ridge = constants.first_ridge
        self._trust = constants.first_trust / (sub.step * rows.rms)

        cells = sub.cells
        bands = cells.band_slice.size - 1
        self._threads = max(1, min(sub.threads, bands, cells.index.size // _THREAD_CELLS))
        self._pass = SubproblemPass(
            x=np.empty(cells.index.size),
            curvature=np.empty(cells.radius.size, dtype=np.int8),
            loads=np.zeros((bands, rows.norm.size)),
            scalars=np.zeros((bands, 3)),
        )
        self._basis: Basis | None = None
        """That of the last Newton system; None where no row lies within another."""
        self._evaluated: Point | None = None
        """The point of `_pass`, which the next Newton system is made of."""

    def maximise(
        self, price: Prices, low: Prices, high: Prices, tolerance: float, expired: Callable[[], bool]
    ) -> tuple[Prices, float]:
        """Prices at which the residual is at most `tolerance`, or as far as it came; and how much phi rose to there."""
        start = point = self.evaluate(price)
        failures = 0
        for count in range(self._k.newton_steps):
            piece = self._sub.pieces.piece(point.price, point.activity, low, high)
            if self._rows.residual(point.gradient, point.price, piece.low, piece.high) <= tolerance or expired():
                break
            movable = ~piece.blocked(point.gradient, point.price)
            direction = self.direction(point, movable, expired)
            hard = self._work.systems > self._k.easy_systems and count >= self._k.bounded_steps
            make_step = self._free_step if hard else self._bounded_step
            accepted, trial = make_step(point, direction, piece)

            if accepted:
                point = trial
                failures = 0
                continue
            failures += 1
            if failures == self._k.failures:
                break
            point = self.evaluate(point.price)  # its Newton system is solved again, with another ridge
        return point.price, point.phi - start.phi

    def evaluate(self, price: Prices) -> Point:
        """phi and its gradient; x and the curvature of the sources stay for the Newton system."""
        import numba

        from solvers.proximal import passes_jit as jit

        sub = self._sub
        done = self._pass
        numba.set_num_threads(self._threads)
        jit.subproblem_pass(sub.cells, ProximalStep(centre=sub.centre, step=sub.step, price=price), done)

        own_sums = np.concatenate((done.loads.sum(axis=0), done.scalars.sum(axis=0)[[MOVED, COST]]))
        sums = sub.context.total(own_sums)
        moved, cost = sums[-2:]
        activity = sums[:-2]
        gradient = activity - sub.pieces.piece(price, activity, price, price).side
        phi = cost + dot(price, gradient) + moved / (2 * sub.step)
        self._evaluated = Point(price=price, phi=phi, activity=activity, gradient=gradient)
        return self._evaluated

    def direction(
        self, point: Point, movable: npt.NDArray[np.bool_], expired: Callable[[], bool] = lambda: False
    ) -> Prices:
        """(s H + ridge s diag ||A_r||^2)^-1 gradient on the movable rows; `point` is the one evaluated last."""
        assert point is self._evaluated, "the Newton system is made of the pass at its point"
        sub = self._sub
        self._basis = None if sub.nesting is None else sub.nesting.among(movable)
        system = NewtonSystem(sub.cells, self._pass, sub.step, movable, sub.context.group, self._basis)
        ridge = self._ridge * sub.step * self._rows.norm**2
        gradient = self._gradient_by_z(point.gradient)
        self._work.systems += 1
        direction = self._solve_directly(system, gradient, ridge)
        if direction is None:
            direction = system.solve(gradient, ridge, self._k, expired)
            self._work.count_products(system.products, system.entries)
        return self._step_of_prices(direction)

    def _gradient_by_z(self, gradient: Prices) -> Prices:
        return gradient if self._basis is None else self._basis.gradient(gradient)

    def _step_of_z(self, step: Prices) -> Prices:
        return step if self._basis is None else self._basis.move(step)

    def _step_of_prices(self, step_of_z: Prices) -> Prices:
        return step_of_z if self._basis is None else self._basis.step(step_of_z)

    def _solve_directly(self, system: NewtonSystem, gradient: Prices, ridge: Prices) -> Prices | None:
        """By elimination, in a run whose systems are hard for conjugate gradients; None where these are better."""
        work = self._work
        if work.products <= self._k.cg_products and work.read <= self._k.cg_entries:
            return None
        if system.is_dense_better(self._k):
            return system.solve_densely(gradient, ridge)
        if system.is_sparse(self._k):
            return system.solve_sparsely(gradient, ridge, self._k)
        return None

    def _bounded_step(self, point: Point, direction: Prices, piece: Piece) -> tuple[bool, Point]:
        """A step within the trust bounds: whether it counts, and the last trial."""
        bounded = self._step_of_prices(np.clip(self._step_of_z(direction), -self._trust, self._trust))
        if not dot(point.gradient, bounded) > 0:
            bounded = np.clip(self._scaled_gradient(point), -self._trust, self._trust)
        length, trial = self._search(point, bounded, piece, self._k.bounded_search)

        self._adapt_trust(point, direction, trial, trial.activity - piece.side)
        if length is None:
            self._trust = 0.1 * self._trust
        self._adapt_ridge(whole=length == 1.0)
        return length is not None, trial

    def _free_step(self, point: Point, direction: Prices, piece: Piece) -> tuple[bool, Point]:
        """The same without bounds: cut more strictly, or extended."""
        if not dot(point.gradient, direction) > 0:
            direction = self._scaled_gradient(point)
        length, trial = self._search(point, direction, piece, self._k.free_search)

        self._adapt_ridge(whole=length == 1.0)
        if length == 1.0:
            trial = self._extended(point, direction, piece, trial)
        return length is not None, trial

    def _scaled_gradient(self, point: Point) -> Prices:
        """What takes the place of a direction that does not ascend."""
        return point.gradient / (self._sub.step * self._rows.norm**2)

    def _search(self, point: Point, direction: Prices, piece: Piece, k: SearchRule) -> tuple[float | None, Point]:
        """The length of the first step at whose end phi does not fall steeply, None where none is; the last trial."""
        length = 1.0
        for _ in range(k.tries):
            trial = self.evaluate(np.clip(point.price + length * direction, piece.low, piece.high))
            slope, end = _slopes(point, trial, piece)
            if end >= -k.curvature * slope:
                return length, trial
            length *= secant_cut(slope, end, least=_LEAST_CUT) if slope > 0 else _BLIND_CUT
        return None, trial

    def _extended(self, point: Point, direction: Prices, piece: Piece, trial: Point) -> Point:
        """A longer step than the whole one to `trial`, while phi rises at its end nearly as steeply as at first: rows
        without free edges, whose direction is short because of the ridge alone, come to the next edge so.
        """
        length = 1.0
        for _ in range(self._k.extensions):
            slope, end = _slopes(point, trial, piece)
            length *= self._k.extension
            price = np.clip(point.price + length * direction, piece.low, piece.high)
            if end <= self._k.steep * slope or np.array_equal(price, trial.price):
                break
            longer = self.evaluate(price)
            slope, end = _slopes(point, longer, piece)
            if end < -self._k.free_search.curvature * slope:
                return self.evaluate(trial.price)
            trial = longer
        return trial

    def _adapt_trust(self, point: Point, direction: Prices, trial: Point, end: Prices) -> None:
        """A row that overshot gets a smaller bound, one that ran into its bound a larger one (Levenberg, Marquardt).
        end[R]: the gradient at the trial, in the piece of the step.
        """
        gradient, end = self._gradient_by_z(point.gradient), self._gradient_by_z(end)
        direction, moved = self._step_of_z(direction), self._step_of_z(trial.price - point.price)
        same_sign = gradient * end
        overshot = (same_sign < 0) & (np.abs(end) > 0.5 * np.abs(gradient))
        at_bound = (np.abs(direction) >= self._trust) & (same_sign >= 0)
        smaller = np.maximum(0.4 * np.minimum(self._trust, np.abs(moved)), _LEAST_TRUST)
        self._trust = np.where(overshot, smaller, np.where(at_bound, 3 * self._trust, self._trust))

    def _adapt_ridge(self, *, whole: bool) -> None:
        """Smaller after a whole step, larger after one that was cut."""
        growth = self._k.ridge_growth
        ridge = self._ridge / growth if whole else self._ridge * growth
        self._ridge = min(self._k.most_ridge, max(self._k.least_ridge, ridge))


def _slopes(point: Point, trial: Point, piece: Piece) -> tuple[float, float]:
    """The slope of phi along the step from `point` to `trial`, times its length, at both ends."""
    step = trial.price - point.price
    return dot(point.gradient, step), dot(trial.activity - piece.side, step)
