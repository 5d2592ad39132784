"""Proximal-point steps on a matching LP, each solved in its dual, most of it on a small subproblem.

I sources, R rows, E edges.

    x_{k+1} = Proj_C(x_k - s_k (c + A'lambda)),    lambda = argmax of phi_k over the intervals of the prices

(proximal method of multipliers: Rockafellar 1976). A round is one such step:

    repeat  solve       Newton's method on the edges that can change within the trust radius
            full pass   phi, its gradient, the estimated gap and the margin of each source at the new prices
            accept      where phi has risen, the prices; else the radius factor shrinks
    until   the residual is small against ||x - centre||
    the trial becomes the centre, and the step grows after an easy round
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np

from solvers.base import Vector
from solvers.engine.iterate import Assessment, Finish, Method, MethodState, Problem
from solvers.engine.prices import Prices, dot
from solvers.engine.progress import Progress
from solvers.engine.repair import repair
from solvers.engine.rows import Rows
from solvers.engine.tensors import as_numpy
from solvers.proximal.arrays import ProximalStep
from solvers.proximal.constants import Constants
from solvers.proximal.full import FullProblem
from solvers.proximal.iterates import CellVector, ProximalIterates
from solvers.proximal.subproblem import NewtonSolve, Work
from solvers.proximal.trust_region import TrustRegion

#: phi may seem to fall by this share of itself from rounding alone.
_ROUNDING = 1e-12
#: The first step is lengthened at most so often.
_LENGTHENINGS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """What a full pass says of its prices."""

    price: Prices
    phi: float
    loads: Prices
    """A x"""
    moved: float
    """||x - centre||"""
    gap: float
    """As estimated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Solve:
    """What Newton's method says of a subproblem."""

    price: Prices
    predicted: float
    """The rise of phi."""
    at_boundary: bool
    """Whether the trust region stopped a price."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Round:
    """The end of a round."""

    point: Point
    solves: int
    converged: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Handover:
    """Where PDHG leaves a run."""

    iterates: ProximalIterates
    """Its centre is the x of PDHG."""
    price: Prices
    weight: float
    """The primal weight."""
    iteration: int
    """Passes so far."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What the phase works with beside the point that it starts from."""

    problem: Problem
    full: FullProblem
    rows: Rows
    progress: Progress
    to_edges: Callable[[CellVector], Vector]
    """Makes the x[E] of an answer out of cells."""
    snapshot: Callable[[Prices, Prices], MethodState]
    """Makes a checkpoint of PDHG at a centre with these prices and loads; the centre then lies in both vectors."""
    give_back: Callable[[Prices, Prices], Method] | None = None
    """PDHG for the rest of the run, from the centre with these prices and loads; None where there is no way back."""
    constants: Constants = field(default_factory=Constants)


#: Asks for full passes, at one vector of prices after another, and is sent the point of each.
Passes = Generator[Prices, Point, None]


class ProximalNewton(Method):
    """Newton's method from the point and the primal weight of PDHG; an iteration is a full pass."""

    def __init__(self, inputs: Inputs, start: Handover) -> None:
        self._inputs = inputs
        self._full = inputs.full
        self._rows = inputs.rows
        self._progress = inputs.progress
        self._k = inputs.constants

        self._iterates = start.iterates
        self._first_iteration = start.iteration
        self._iteration = start.iteration
        self._work = Work()
        self._region = TrustRegion(self._k)
        self._unit = 1.0 / start.weight
        self._step = self._k.first_step * self._unit
        self._least_gap = math.inf
        self._idle_rounds = 0
        self._stuck_rounds = 0
        self._new_centre: Point | None = None
        """The point of the centre, where a round has just ended."""

        self._progress.forget_bound()  # float32 passes may have put it above the truth
        self._passes = self._rounds(np.clip(start.price, self._rows.price_floor, self._rows.price_limit))
        self._next_price = next(self._passes)

    @property
    def remark(self) -> str:
        return f"finished by {self._work.systems} Newton systems from iteration {self._first_iteration}"

    def step(self, iteration: int, *, last: bool) -> Assessment:  # noqa: ARG002 - every pass leaves a point
        """The full pass that the rounds wait for."""
        self._iteration = iteration
        self._point = self._evaluate(self._next_price)
        promise = self._progress.promise
        return Assessment(gap=promise, worth_proving=self._progress.worth_proving(promise))

    def advance(self, iteration: int) -> Method:  # noqa: ARG002
        """Go on to the next full pass, past the subproblem and the end of the round that lie between.

        Back to PDHG where round after round changes nothing.
        """
        self._new_centre = None
        self._next_price = self._passes.send(self._point)
        return self._successor() or self

    def _successor(self) -> Method | None:
        """PDHG at a centre after which nothing changed for long; None otherwise."""
        centre, give_back = self._new_centre, self._inputs.give_back
        if centre is None or give_back is None or self._stuck_rounds < self._k.stuck_rounds:
            return None
        return give_back(centre.price, centre.loads)

    def finish(self, *, last: bool) -> Finish:
        """The point of the end, brought into the order of the edges and repaired."""
        problem = self._inputs.problem
        x = self._inputs.to_edges(self._end_point(last=last))
        dual = self._progress.best_dual
        certificate = repair(problem.lp, x, dual, problem.context.group, self._progress.search)
        return Finish(certificate=certificate, x=lambda: x)

    def _end_point(self, *, last: bool) -> CellVector:
        """The trial; at a limit the better one of trial and centre, because a longer step may have left the trial far
        from the optimum.
        """
        return self._iterates.better(self._point.gap) if last else self._iterates.trial

    def snapshot(self) -> MethodState | None:
        """PDHG at the centre, where a round has just ended."""
        if self._new_centre is None:
            return None
        self._iterates.copy_centre()
        return self._inputs.snapshot(self._new_centre.price, self._new_centre.loads)

    def _rounds(self, price: Prices) -> Passes:
        """Round after round, each from the point of the last one."""
        point = yield from self._lengthen_first_step((yield price))
        while True:
            end = yield from self._round(point)
            self._iterates.accept(end.point.gap)
            self._note_stuck(end)
            self._give_up_where_idle(end.point.gap)
            self._adapt_step(end)
            self._new_centre = end.point
            point = yield end.point.price  # the same prices, from the new centre

    def _lengthen_first_step(self, point: Point) -> Generator[Prices, Point, Point]:
        """A longer first step while most sources have free edges: few can be left out of a subproblem then."""
        free = self._full.free_share()
        for _ in range(_LENGTHENINGS):
            if free <= self._k.free_threshold:
                break
            self._lengthen_step()
            before = free
            point = yield point.price
            free = self._full.free_share()
            if free > self._k.free_fall * before:
                break
        return point

    def _round(self, point: Point) -> Generator[Prices, Point, _Round]:
        """Maximise phi at this centre, to the accuracy that the step allows; the trial is the x of the maximum."""
        solves = 0
        trial_is_point = True
        while True:
            tolerance = self._k.inexact * point.moved * self._unit / self._step
            converged = self._residual(point) <= tolerance
            if converged or solves == self._k.most_solves:
                break

            radius = self._full.margin_quantile(self._region.quantile)
            solve = self._solve(point, radius, self._k.subproblem_accuracy * tolerance)
            solves += 1
            trial = yield solve.price
            self._region.adapt_quantile(at_boundary=solve.at_boundary)

            fell = trial.phi < point.phi - _ROUNDING * abs(point.phi)
            trial_is_point = not fell or (solves == self._k.most_solves and self._k.take_last)
            if trial_is_point:
                agreement = (trial.phi - point.phi) / max(solve.predicted, 1e-300)
                self._region.adapt_factor(agreement, at_boundary=solve.at_boundary)
                point = trial
            else:
                moved = np.abs(trial.price - point.price) / self._full.unit
                self._region.shrink(moved.max() / radius)
                self._full.restore_margins()

        if not trial_is_point:
            point = yield point.price
        return _Round(point=point, solves=solves, converged=converged)

    def _solve(self, point: Point, radius: float, tolerance: float) -> _Solve:
        """Newton's method on the subproblem of this radius."""
        at = ProximalStep(centre=self._iterates.centre, step=self._step, price=point.price)
        hard = self._work.systems > self._k.easy_systems
        sub = self._full.subproblem(at, point.loads, radius, nested=hard)
        floor, limit = self._rows.price_floor, self._rows.price_limit
        within = self._region.radius_factor * radius * self._full.unit
        low = np.maximum(floor, point.price - within)
        high = np.minimum(limit, point.price + within)

        newton = NewtonSolve(sub, self._rows, self._k, self._work)
        price, predicted = newton.maximise(point.price, low, high, tolerance, self._expired)
        price, predicted = self._full.agree(price, predicted)
        at_boundary = ((price <= low) & (low > floor)) | ((price >= high) & (high < limit))
        return _Solve(price=price, predicted=predicted, at_boundary=bool(at_boundary.any()))

    def _residual(self, point: Point) -> float:
        rows = self._rows
        piece = self._full.pieces.piece(point.price, point.loads, rows.price_floor, rows.price_limit)
        return self._rows.residual(point.loads - piece.side, point.price, piece.low, piece.high)

    def _adapt_step(self, end: _Round) -> None:
        """Longer after an easy round, shorter after one that did not converge."""
        if end.solves <= self._k.easy_solves:
            self._lengthen_step()
        elif not end.converged:
            self._step = max(self._step / self._k.step_growth, self._k.first_step * self._unit)

    def _lengthen_step(self) -> None:
        self._step = min(self._step * self._k.step_growth, self._k.longest_step * self._unit)

    def _note_stuck(self, end: _Round) -> None:
        """Rounds in a row of the shortest step that neither converged nor made the gap smaller."""
        shortest = self._step <= self._k.first_step * self._unit
        stuck = shortest and not end.converged and end.point.gap >= self._least_gap
        if stuck:
            self._stuck_rounds += 1
        else:
            self._stuck_rounds = 0

    def _give_up_where_idle(self, gap: float) -> None:
        """After many rounds in a row that neither made the gap smaller nor can be followed by a longer step."""
        gains = gap < self._least_gap or self._step < self._k.longest_step * self._unit
        self._idle_rounds = 0 if gains else self._idle_rounds + 1
        self._least_gap = min(self._least_gap, gap)
        if self._idle_rounds >= self._k.idle_rounds:
            self._progress.limits.give_up()

    def _expired(self) -> bool:
        return self._progress.limit(self._iteration) is not None

    def _evaluate(self, price: Prices) -> Point:
        """A full pass, which overwrites the trial."""
        at = ProximalStep(centre=self._iterates.centre, step=self._step, price=price)
        result = self._full.evaluate(at, self._iterates.trial)
        gap = self._progress.estimate(self._iteration, result, price)
        loads = as_numpy(result.loads)
        moved = float(result.sums[1])
        cost = float(result.sums[3])
        side = self._full.pieces.piece(price, loads, price, price).side
        phi = cost + dot(price, loads - side) + moved / (2 * self._step)
        return Point(price=price, phi=phi, loads=loads, moved=math.sqrt(moved), gap=gap)
