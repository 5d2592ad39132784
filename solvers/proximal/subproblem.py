"""The inner problem on the few edges that can change, by semismooth Newton inside a box of prices.

J destinations; R sources and K edges of the subproblem. Maximise over low <= lambda <= high the concave

    phi(lambda) = min over x in C of  c'x + lambda'(A x - b) + ||x - centre||^2 / (2 s),    gradient A x(lambda) - b

(augmented Lagrangian in its dual form: Rockafellar 1976; semismooth Newton: Qi and Sun 1993; for LPs: Li, Sun and
Toh 2020). The steps are cut by slopes, not by values of phi, whose differences drown in rounding near the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import Cells
from solvers.engine.collectives import Communicator, concatenated
from solvers.engine.context import SolveContext
from solvers.engine.prices import Prices, blocked, dot, secant_cut
from solvers.engine.rows import Rows
from solvers.proximal.arrays import COST, MOVED, ProximalStep, SubproblemPass
from solvers.proximal.constants import Constants
from solvers.proximal.system import NewtonSystem

_LEAST_TRUST = 1e-14
#: A cut leaves at least this share of a step, and this one where the bounds turned the step downhill.
_LEAST_CUT, _BLIND_CUT = 0.05, 0.3
#: Fewer cells a thread are not worth waiting for it, least of all on a machine with other work.
_THREAD_CELLS = 65_536


@dataclass(frozen=True, kw_only=True, eq=False)
class Subproblem:
    """cells and centre [K] in the same type; b float64[J] is what the edges outside leave of the budgets; context: sums
    over the ranks among which the cells are spread.
    """

    cells: Cells
    centre: npt.NDArray[Any]
    b: Prices
    step: float
    context: SolveContext
    threads: int = 1


def cells_of_all(cells: Cells, centre: npt.NDArray[Any], group: Communicator) -> tuple[Cells, npt.NDArray[Any]]:
    """Those of all ranks, rank after rank, in one band."""
    start, lane = (
        np.append(0, np.cumsum(concatenated(group, np.diff(ends)))) for ends in (cells.slice_start, cells.slice_lane)
    )
    kind = concatenated(group, cells.slice_kind.astype(np.int64)).astype(cells.slice_kind.dtype)
    index = concatenated(group, cells.index.astype(np.int64)).astype(cells.index.dtype)
    radius, a, c, centre = (concatenated(group, values) for values in (cells.radius, cells.a, cells.c, centre))
    largest = int(np.diff(start).max(initial=1))
    return Cells(np.array([0, kind.size]), start, lane, kind, radius, index, a, c, largest), centre


@dataclass(kw_only=True)
class Work:
    """Newton systems solved, conjugate gradient iterations and evaluated edges."""

    systems: int = 0
    iterations: int = 0
    edges: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    price: Prices
    phi: float
    gradient: Prices


class NewtonSolve:
    """One solve of a subproblem, from `price`; ridge and trust bounds adapt from step to step."""

    def __init__(self, sub: Subproblem, rows: Rows, constants: Constants, work: Work) -> None:
        self._sub, self._rows, self._k, self._work = sub, rows, constants, work
        cells, bands = sub.cells, sub.cells.band_slice.size - 1
        self._pass = SubproblemPass(
            x=np.empty(cells.index.size),
            curvature=np.empty(cells.radius.size, dtype=np.int8),
            loads=np.zeros((bands, sub.b.size)),
            scalars=np.zeros((bands, 3)),
        )
        self._threads = max(1, min(sub.threads, bands, cells.index.size // _THREAD_CELLS))
        self._ridge = constants.first_ridge
        self._trust = constants.first_trust / (sub.step * rows.rms)

    def maximise(
        self, price: Prices, low: Prices, high: Prices, tolerance: float, expired: Callable[[], bool]
    ) -> tuple[Prices, float]:
        """The prices found, and how much phi of the subproblem rose to there."""
        start = point = self.evaluate(price)
        failures = 0
        for _ in range(self._k.newton_steps):
            if self._rows.residual(point.gradient, point.price, low, high) <= tolerance or expired():
                break
            movable = ~blocked(point.gradient, point.price, low, high)
            direction = self.direction(point.gradient, movable, expired)
            length, trial = self._search(point, self._trusted(point, direction), low, high)
            self._adapt(point, direction, trial, accepted=length is not None, whole=length == 1.0)
            if length is not None:
                point, failures = trial, 0
                continue
            failures += 1
            self.evaluate(point.price)  # the next system is that of this point again
            if failures == self._k.failures:
                break
        return point.price, point.phi - start.phi

    def evaluate(self, price: Prices) -> _Point:
        """phi and its gradient; x and the sources that bend phi stay for the Newton system."""
        import numba

        from solvers.proximal import passes_jit as jit

        sub = self._sub
        numba.set_num_threads(self._threads)
        done = self._pass
        jit.subproblem_pass(sub.cells, ProximalStep(sub.centre, sub.step, price), done)
        self._work.edges += done.x.size
        sums = sub.context.total(np.concatenate((done.loads.sum(axis=0), done.scalars.sum(axis=0)[[MOVED, COST]])))
        moved, cost = sums[-2:]
        gradient = sums[:-2] - sub.b
        return _Point(price=price, phi=cost + dot(price, gradient) + moved / (2 * sub.step), gradient=gradient)

    def direction(self, gradient: Prices, movable: Any, expired: Callable[[], bool] = lambda: False) -> Prices:
        """(s H + ridge s diag ||A_j||^2)^-1 gradient on the movable rows, at the point evaluated last."""
        sub = self._sub
        system = NewtonSystem(sub.cells, self._pass, sub.step, movable, sub.context.group)
        d, iterations = system.solve(gradient, self._ridge * sub.step * self._rows.norm**2, self._k, expired)
        self._work.systems += 1
        self._work.iterations += iterations
        return d

    def _trusted(self, point: _Point, direction: Prices) -> Prices:
        """The direction within the trust bounds, or the scaled gradient where that does not ascend."""
        bounded = np.clip(direction, -self._trust, self._trust)
        if dot(point.gradient, bounded) > 0:
            return bounded
        return np.clip(point.gradient / (self._sub.step * self._rows.norm**2), -self._trust, self._trust)

    def _search(self, point: _Point, direction: Prices, low: Prices, high: Prices) -> tuple[float | None, _Point]:
        """The length of the first step at whose end phi does not fall steeply, None where none is; the last trial."""
        length = 1.0
        for _ in range(self._k.tries):
            trial = self.evaluate(np.clip(point.price + length * direction, low, high))
            step = trial.price - point.price
            slope, end = dot(point.gradient, step), dot(trial.gradient, step)
            if end >= -self._k.curvature * slope:
                return length, trial
            length *= secant_cut(slope, end, least=_LEAST_CUT) if slope > 0 else _BLIND_CUT
        return None, trial

    def _adapt(self, point: _Point, direction: Prices, trial: _Point, *, accepted: bool, whole: bool) -> None:
        """A row that overshot gets a smaller bound, one that ran into its bound a larger one (Levenberg, Marquardt)."""
        same_sign = point.gradient * trial.gradient
        overshot = (same_sign < 0) & (np.abs(trial.gradient) > 0.5 * np.abs(point.gradient))
        cut = (np.abs(direction) >= self._trust) & (same_sign >= 0)
        smaller = np.maximum(0.4 * np.minimum(self._trust, np.abs(trial.price - point.price)), _LEAST_TRUST)
        self._trust = np.where(overshot, smaller, np.where(cut, 3 * self._trust, self._trust))
        if not accepted:
            self._trust = 0.1 * self._trust
        wanted = self._ridge / 3 if whole else self._ridge * 3
        self._ridge = min(self._k.most_ridge, max(self._k.least_ridge, wanted))
