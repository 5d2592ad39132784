"""The least change of partly used edges that brings a point within its hard rows: floors, '=' rows, rows with signs.

R coupling rows, F partly used edges of this rank, S sources with such edges. Near the optimum x leaves rows by little,
and the reduced costs of the partly used edges of a source hardly differ: to move mass between them costs what the rows
that it mends are priced at. A round makes x + d of the solution of

    minimise    sum_e d_e^2 / w_e + sum_i t_i^2 / s_i + sum_r v_r^2 / room_r^2
    subject to  A d + v = wanted,    1'd_i + t_i = 0

w_e = min(x_e, u - x_e)^2, s_i = (z_i - 1'x_i)^2, 0 for '=' sources, so that what is near a bound hardly moves (affine
scaling: Dikin 1967); room_r is the distance of a row from its nearer side, 0 for rows that are left. Its prices y solve

    (A W P A' + diag(room^2)) y = wanted,    d = W P A'y        P: see correction_jit.py

by conjugate gradients, whose products are sums over all ranks. Whoever takes the point checks it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import is_mapped
from solvers.base import Vector
from solvers.engine.arrays import PartlyUsed
from solvers.engine.collectives import LOCAL, Communicator
from solvers.engine.partly_used import Chosen, Entries, partly_used
from solvers.engine.sides_to_meet import SidesToMeet

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: A point that leaves a row by a larger share of its size is not near it.
_FARTHEST = 0.1
#: Rounds, each of which has to leave at most this part of what was left.
_ROUNDS = 8
_PROGRESS = 0.7
#: Conjugate gradients of one round end at this part of the residual, or after so many products.
_ROUGH = 1e-2
_PRODUCTS = 60
#: Edges of an x on the disk: what a round needs in memory, up to 60 bytes for each edge that is used, is a quarter GB.
_MOST_ON_DISK = 1 << 22
#: A round takes an edge at most this part of the way to a bound, and has to make this part of its own step.
_TO_BOUND = 0.9
_LEAST_STEP = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Correction:
    """The entries that a point within the hard rows has in place of those of x."""

    edge: Indices
    x: Float64


def corrected(lp: MatchingLP, x: Vector, loads: Float64, sides: SidesToMeet, group: Communicator) -> Correction | None:
    """Of x[E], which is in C, with its loads of all ranks; None where none is found, or a long x lies on the disk."""
    left = sides.left(loads)
    too_long = is_mapped(x) and x.size > _MOST_ON_DISK
    if left > _FARTHEST or group.max(np.array([float(too_long)]))[0]:
        return None
    chosen = partly_used(lp, x)
    point = _Point(x=x[chosen.edge].astype(np.float64), slack=chosen.slack, loads=loads)
    for _ in range(_ROUNDS):
        point = _Round(chosen, point, sides, group).end()
        before, left = left, sides.left(point.loads)
        if left > _PROGRESS * before:
            return None
        if left == 0.0:
            return Correction(edge=chosen.edge, x=point.x)
    return None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """A point on the partly used edges."""

    x: Float64
    """[F]"""
    slack: Float64
    """[S], as in Chosen."""
    loads: Float64
    """[R], of all edges and ranks."""


class _Round:
    """A round from one point."""

    def __init__(self, chosen: Chosen, start: _Point, sides: SidesToMeet, group: Communicator) -> None:
        self._upper = chosen.upper
        self._start = start
        self._group = group
        entries = chosen.entries
        self._edges = PartlyUsed(
            source_start=chosen.source_start,
            start=entries.start,
            row=entries.row,
            a=entries.a,
            weight=np.minimum(start.x, chosen.upper - start.x) ** 2,
            slack_weight=start.slack**2,
        )
        self._wanted = sides.wanted(start.loads)
        self._room = sides.room(start.loads, self._wanted)

    def end(self) -> _Point:
        """Where it leads: nowhere if a bound is in the way."""
        start = self._start
        change, loads = self.moved(self._prices())
        starts = self._edges.source_start[:-1]
        of_source = np.add.reduceat(change, starts) if starts.size else np.zeros(0)

        step = self._step(change, of_source)
        return _Point(
            x=np.clip(start.x + step * change, 0.0, self._upper),
            slack=np.maximum(0.0, start.slack - step * of_source),
            loads=start.loads + step * loads,
        )

    def _step(self, change: Float64, of_source: Float64) -> float:
        """1, or what leads to no bound; 0 where that is next to nothing. Full sums stay full but for rounding."""
        start = self._start
        slack = np.where((of_source > 0) & (start.slack > 0), start.slack, np.inf)
        distance = np.where(change > 0, self._upper - start.x, start.x)
        farthest = max(_largest_share(change, distance), _largest_share(of_source, slack))
        step = min(1.0, _TO_BOUND / max(_TO_BOUND, float(self._group.max(np.array([farthest]))[0])))
        return step if step >= _LEAST_STEP else 0.0

    def moved(self, price: Float64) -> tuple[Float64, Float64]:
        """What these prices change: the edges of this rank, and the loads of all."""
        from solvers.engine import correction_jit as jit

        change, loads = np.zeros(self._upper.size), np.zeros(price.size)
        jit.move(self._edges, price, change, loads)
        return change, self._group.sum(loads)

    def _prices(self) -> Float64:
        """y[R] by conjugate gradients with the diagonal as preconditioner; 0 where a row may move at will."""
        edges, rows = self._edges, self._wanted.size
        square = np.where(np.isfinite(self._room), self._room, 0.0) ** 2
        by_entry = np.repeat(edges.weight, np.diff(edges.start)) * edges.a**2
        diagonal = square + self._group.sum(np.bincount(edges.row, by_entry, rows))
        inverse = np.divide(1.0, diagonal, out=np.zeros(rows), where=np.isfinite(self._room) & (diagonal > 0))

        price = np.zeros(rows)
        residual = np.where(inverse > 0, self._wanted, 0.0)
        scaled = inverse * residual
        direction = scaled
        error = first_error = float(residual @ scaled)
        for _ in range(_PRODUCTS):
            if error <= _ROUGH**2 * first_error:
                break
            product = np.where(inverse > 0, self.moved(direction)[1] + square * direction, 0.0)
            curvature = float(direction @ product)
            if not curvature > 0:
                break
            price = price + error / curvature * direction
            residual = residual - error / curvature * product
            scaled = inverse * residual
            before, error = error, float(residual @ scaled)
            direction = scaled + error / before * direction
        return price


def load_loop() -> None:
    """Compile the loop of a round, or load it from the cache: it has the same types in every instance."""
    none = SidesToMeet(
        **{name: np.zeros(0) for name in ("lower", "upper", "hard_lower", "hard_upper", "size")}, inward=0.0
    )
    start, empty = np.zeros(1, np.int64), np.zeros(0)
    entries = Entries(start=start, row=np.zeros(0, np.int64), a=empty)
    chosen = Chosen(edge=start[:0], source_start=start, upper=empty, slack=empty, entries=entries)
    _Round(chosen, _Point(x=empty, slack=empty, loads=empty), none, LOCAL).moved(empty)


def _largest_share(change: Float64, distance: Float64) -> float:
    """max |change| / distance; 0 where nothing changes."""
    shares = np.divide(abs(change), distance, out=np.full(change.size, np.inf), where=distance > 0)
    return float(np.where(change == 0, 0.0, shares).max(initial=0.0))
