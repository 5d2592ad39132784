"""Proximal-point steps on a matching LP, each solved in its dual, most of it on a small subproblem.

I sources, J destinations, E edges.

    x_{k+1} = Proj_C(x_k - s_k (c + A'lambda)),    lambda = argmax of phi_k over 0 <= lambda <= most

(proximal method of multipliers: Rockafellar 1976). One full pass gives phi, its gradient, the certificate's estimate
and each source's margin; Newton then works on what can change within a reach, and the next full pass verifies it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from solvers.base import Vector
from solvers.engine.iterate import Assessment, Finish, Method, MethodState, Problem
from solvers.engine.prices import Prices, dot
from solvers.engine.progress import Progress
from solvers.engine.repair import repair
from solvers.engine.rows import Rows
from solvers.engine.tensors import as_numpy
from solvers.proximal.constants import Constants
from solvers.proximal.full import CellVector, Whole
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


#: Asks for full passes, one price after another, and is sent the point of each.
_Passes = Generator[Prices, _Point, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Handover:
    """Where PDHG leaves a run. From here on both vectors of cells belong to Newton's method, which uses them in turn as
    centre and as last point.
    """

    x: CellVector
    """The first centre."""

    spare: CellVector
    """As long; its values do not matter."""

    price: Prices

    weight: float
    """The primal weight."""

    iteration: int
    """Passes so far."""


class ProximalNewton(Method):
    """From the point and the primal weight of PDHG; an iteration is a full pass.

    to_edges: the x[E] of an answer out of cells. snapshot: a checkpoint of PDHG at a centre with these prices and
    loads; the x of that centre then lies in both vectors of cells.
    """

    def __init__(
        self,
        problem: Problem,
        whole: Whole,
        rows: Rows,
        progress: Progress,
        begin: Handover,
        *,
        to_edges: Callable[[CellVector], Vector],
        snapshot: Callable[[Prices, Prices], MethodState],
        constants: Constants | None = None,
    ) -> None:
        self._problem, self._whole, self._rows, self._progress = problem, whole, rows, progress
        self._k = constants or Constants()
        self._centre, self._x, self._centre_gap = begin.x, begin.spare, math.inf
        self._unit = 1.0 / begin.weight
        self._step, self._share, self._box = self._k.first_step * self._unit, self._k.share, self._k.first_box
        self._to_edges, self._snapshot_at = to_edges, snapshot
        self._first_iteration = self._iteration = begin.iteration
        self._work = Work()
        self._least_gap, self._idle_rounds = math.inf, 0
        self._new_centre: _Point | None = None
        progress.forget_bound()
        self._passes = self._rounds(np.clip(begin.price, 0.0, rows.price_limit))
        self._wanted = next(self._passes)

    @property
    def remark(self) -> str:
        return f"finished by {self._work.systems} Newton systems from iteration {self._first_iteration}"

    def step(self, iteration: int, *, last: bool) -> Assessment:  # noqa: ARG002 - every pass leaves a point
        """The full pass that the rounds wait for."""
        self._iteration = iteration
        self._point = self._evaluate(self._wanted)
        return Assessment(gap=self._point.gap, worth_proving=self._progress.worth_proving(self._point.gap))

    def advance(self, iteration: int) -> Method:  # noqa: ARG002
        """Go on to the next full pass, past the subproblem and the end of the round that lie between."""
        self._new_centre = None
        self._wanted = self._passes.send(self._point)
        return self

    def finish(self, *, last: bool) -> Finish:
        """The last point; at a limit the better one of that and the centre, which a longer step may have left far."""
        problem = self._problem
        x = self._to_edges(self._x if self._point.gap <= self._centre_gap or not last else self._centre)
        dual, seconds = self._progress.best_dual, self._progress.remaining
        certificate = repair(problem.lp, x, dual, problem.context.group, seconds=seconds)
        return Finish(certificate=certificate, x=lambda: x)

    def snapshot(self) -> MethodState | None:
        """PDHG at the centre, where a round has just ended."""
        if self._new_centre is None:
            return None
        np.copyto(self._x, self._centre)
        return self._snapshot_at(self._new_centre.price, self._new_centre.loads)

    def _rounds(self, price: Prices) -> _Passes:
        """Proximal steps, each from the point of the last one."""
        point = yield from self._long_enough((yield price))
        while True:
            point, solves, reached = yield from self._round(point)
            self._centre, self._x, self._centre_gap = self._x, self._centre, point.gap
            self._count_idle(point.gap)
            if solves <= self._k.easy:
                self._lengthen()
            elif not reached:
                self._step = max(self._step / self._k.grow, self._k.first_step * self._unit)
            self._new_centre = point
            point = yield point.price

    def _lengthen(self) -> None:
        self._step = min(self._step * self._k.grow, self._k.most_step * self._unit)

    def _count_idle(self, gap: float) -> None:
        """Give up after many rounds in a row that neither made the gap smaller nor can be followed by a longer step."""
        gains = gap < self._least_gap or self._step < self._k.most_step * self._unit
        self._idle_rounds = 0 if gains else self._idle_rounds + 1
        self._least_gap = min(self._least_gap, gap)
        if self._idle_rounds >= self._k.patient_rounds:
            self._progress.limits.give_up()

    def _long_enough(self, point: _Point) -> Generator[Prices, _Point, _Point]:
        """A longer first step while most sources have free edges: few can be left out of a subproblem then."""
        free = self._whole.free_share()
        for _ in range(3):
            if free <= self._k.free_share:
                break
            self._lengthen()
            point, before = (yield point.price), free
            free = self._whole.free_share()
            if free > self._k.free_fall * before:
                break
        return point

    def _round(self, point: _Point) -> Generator[Prices, _Point, tuple[_Point, int, bool]]:
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
                return ((yield point.price) if stale else point), solves, reached
            reach = self._whole.reach(self._share)
            price, rise, hit = self._solve(point, reach, self._k.sub_tolerance * tolerance)
            solves += 1
            trial = yield price
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
        return self._progress.limit(self._iteration) is not None

    def _evaluate(self, price: Prices) -> _Point:
        """A full pass."""
        result = self._whole.evaluate(self._centre, self._step, price, self._x)
        gap = self._progress.estimate(self._iteration, result, price)
        moved, cost = float(result.sums[1]), float(result.sums[3])
        loads = as_numpy(result.loads)
        phi = cost + dot(price, loads - self._whole.b) + moved / (2 * self._step)
        return _Point(price=price, phi=phi, loads=loads, moved=math.sqrt(moved), gap=gap)
