"""Proximal-point steps on a matching LP, each solved in its dual, most of it on a small subproblem.

I sources, J destinations, E edges.

    x_{k+1} = Proj_C(x_k - s_k (c + A'lambda)),    lambda = argmax of phi_k over 0 <= lambda <= most

(proximal method of multipliers: Rockafellar 1976). One full pass gives phi, its gradient, the certificate's estimate
and each source's margin; Newton then works on what can change within a reach, and the next full pass verifies it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.base import Status
from solvers.engine.kernel import as_numpy
from solvers.engine.prices import Prices, dot
from solvers.engine.progress import Progress
from solvers.engine.rows import Rows
from solvers.proximal.constants import Constants
from solvers.proximal.full import Cells, Whole
from solvers.proximal.subproblem import NewtonSolve, Work

#: phi may seem to fall by this share of itself from rounding alone.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """Prices with phi, the loads A x[J], ||x - centre|| and the estimated gap of a full pass at them."""

    price: Prices
    phi: float
    loads: Prices
    moved: float
    gap: float


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the phase ended: status, certified gap of the x returned, full passes so far (PDHG's among them), work.

    stalled: it ended by itself, as ITERATION_LIMIT, because rounds no longer gained anything.
    """

    status: Status
    gap: float
    iterations: int
    work: Work
    stalled: bool = False


class _EndedError(Exception):
    """The run is over: proved, at a limit, or infeasible."""


class ProximalNewton:
    """From x (cells, overwritten), price[J] and the primal weight of PDHG; `spare` is a second vector of cells.

    judge: makes a copy of a point feasible and returns the gap proved for it and the best dual of `progress`. Over
    several ranks every decision is taken from numbers that are alike on all. iterations: those of PDHG so far.
    infeasible: whether the best dual of `progress` proves that no x is feasible. settled: called after each round with
    the count of passes, the prices and the loads of the new centre, which then lies in both vectors of cells.
    """

    def __init__(
        self,
        whole: Whole,
        rows: Rows,
        progress: Progress,
        x: Cells,
        spare: Cells,
        price: Prices,
        weight: float,
        *,
        judge: Callable[[Cells], float],
        tolerance: float,
        iterations: int,
        infeasible: Callable[[], bool] = lambda: False,
        settled: Callable[[int, Prices, Prices], None] | None = None,
        constants: Constants | None = None,
    ) -> None:
        self._whole, self._rows, self._progress = whole, rows, progress
        self._k = constants or Constants()
        self._centre, self._x, self._centre_gap = x, spare, math.inf
        self._price = np.clip(price, 0.0, self._rows.price_limit)
        self._unit = 1.0 / weight
        self._step, self._share, self._box = self._k.first_step * self._unit, self._k.share, self._k.first_box
        self._judge, self._tolerance = judge, tolerance
        self._infeasible, self._iterations, self._settled = infeasible, iterations, settled
        self._work, self._status, self._gap = Work(), Status.ERROR, math.inf
        self._least_gap, self._idle_rounds = math.inf, 0

    def run(self) -> Ending:
        """Rounds until one ends the run. Raises LostNumberError."""
        self._progress.best_bound = -math.inf  # that of float32 passes may be above the true one
        try:
            point = self._long_enough(self._evaluate(self._price))
            while True:
                point, solves, reached = self._round(point)
                self._centre, self._x, self._centre_gap = self._x, self._centre, point.gap
                self._count_idle(point.gap)
                if solves <= self._k.easy:
                    self._lengthen()
                elif not reached:
                    self._step = max(self._step / self._k.grow, self._k.first_step * self._unit)
                if self._settled is not None:
                    np.copyto(self._x, self._centre)
                    self._settled(self._iterations, point.price, point.loads)
                point = self._evaluate(point.price)
        except _EndedError:
            stalled = self._status is Status.ITERATION_LIMIT and self._stalled
            return Ending(
                status=self._status, gap=self._gap, iterations=self._iterations, work=self._work, stalled=stalled
            )

    def _lengthen(self) -> None:
        self._step = min(self._step * self._k.grow, self._k.most_step * self._unit)

    @property
    def _stalled(self) -> bool:
        return self._idle_rounds >= self._k.patient_rounds

    def _count_idle(self, gap: float) -> None:
        """Rounds in a row that neither made the gap smaller nor can be followed by a longer step."""
        gains = gap < self._least_gap or self._step < self._k.most_step * self._unit
        self._idle_rounds = 0 if gains else self._idle_rounds + 1
        self._least_gap = min(self._least_gap, gap)

    def _long_enough(self, point: _Point) -> _Point:
        """A longer first step while most sources have free edges: few can be left out of a subproblem then."""
        free = self._whole.free_share()
        for _ in range(3):
            if free <= self._k.free_share:
                break
            self._lengthen()
            point, before = self._evaluate(point.price), free
            free = self._whole.free_share()
            if free > self._k.free_fall * before:
                break
        return point

    def _round(self, point: _Point) -> tuple[_Point, int, bool]:
        """argmax of phi at this centre and step, to the accuracy that the step allows, with its x; solves used, and
        whether the accuracy was reached.
        """
        solves, stale = 0, False
        while True:
            tolerance = self._k.inexact * point.moved * self._unit / self._step
            reached = (
                self._rows.residual(point.loads - self._whole.b, point.price, 0.0, self._rows.price_limit) <= tolerance
            )
            if reached or solves == self._k.solves:
                return (self._evaluate(point.price) if stale else point), solves, reached
            reach = self._whole.reach(self._share)
            price, rise, hit = self._solve(point, reach, self._k.sub_tolerance * tolerance)
            solves += 1
            trial = self._evaluate(price)
            self._share = self._next_share(hit=hit)
            if trial.phi < point.phi - _ROUNDING * abs(point.phi) and solves < self._k.solves:
                self._box = max(1.0, min(self._box, np.abs(price - point.price).max() / reach) / 4)
                self._whole.back()
                stale = True
                continue
            self._box = self._next_box((trial.phi - point.phi) / max(rise, 1e-300), hit=hit)
            point, stale = trial, False

    def _solve(self, point: _Point, reach: float, tolerance: float) -> tuple[Prices, float, bool]:
        """Prices of the subproblem within its box, the rise of phi it promises, whether the box stopped them."""
        sub = self._whole.subproblem(self._centre, self._step, point.price, point.loads, reach)
        low = np.maximum(0.0, point.price - self._box * reach)
        high = np.minimum(self._rows.price_limit, point.price + self._box * reach)
        newton = NewtonSolve(sub, self._rows, self._k, self._work)
        price, rise = newton.maximise(point.price, low, high, tolerance, self._expired)
        price, rise = self._whole.agreed(price, rise)
        hit = ((price <= low) & (low > 0)) | ((price >= high) & (high < self._rows.price_limit))
        return price, rise, bool(hit.any())

    def _next_share(self, *, hit: bool) -> float:
        if hit:
            return min(self._k.share, 2 * self._share)
        return max(self._k.least_share, self._k.shrink_share * self._share)

    def _next_box(self, good: float, *, hit: bool) -> float:
        """Larger where it stopped prices that phi agreed with, smaller where phi rose by little of the promise."""
        if hit and good > 0.5:
            return 4 * self._box
        return max(1.0, self._box / 2) if good < 0.2 else self._box

    def _expired(self) -> bool:
        return self._progress.limit(self._iterations) is not None

    def _evaluate(self, price: Prices) -> _Point:
        """A full pass; raises _EndedError where it ends the run."""
        result = self._whole.evaluate(self._centre, self._step, price, self._x)
        self._iterations += 1
        gap = self._progress.estimate(self._iterations, result, price)
        moved, cost = float(result.sums[1]), float(result.sums[3])
        loads = as_numpy(result.loads)
        if self._ended(gap):
            raise _EndedError
        phi = cost + dot(price, loads - self._whole.b) + moved / (2 * self._step)
        return _Point(price=price, phi=phi, loads=loads, moved=math.sqrt(moved), gap=gap)

    def _ended(self, gap: float) -> bool:
        """Whether the gap is proved, or a limit reached: then the better of the last point and the centre counts."""
        if self._infeasible():
            self._status = Status.INFEASIBLE
            return True
        limit = self._progress.limit(self._iterations)
        if limit is None and self._stalled:
            limit = Status.ITERATION_LIMIT
        if limit is None and not self._progress.worth_proving(gap):
            return False
        self._gap = self._judge(self._x if gap <= self._centre_gap or limit is None else self._centre)
        if self._gap <= self._tolerance:
            self._status = Status.SOLVED
            return True
        self._progress.not_proved(gap)
        self._status = limit or Status.ERROR
        return limit is not None
