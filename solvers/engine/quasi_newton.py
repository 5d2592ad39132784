"""Quasi-Newton ascent of a concave function between bounds and kinks, from gradients alone.

R numbers. L-BFGS (Nocedal 1980) on the entries that no bound stops, every point projected onto the bounds. A step is
cut where the function falls steeply at its end. The test uses slopes along the step, because differences of function
values cancel near the maximum.

The function may have kinks at 0 (pieces.py): a step stays within the piece that it begins in, and the curvature is that
of the smooth part, in which the kinks cancel (after OWL-QN: Andrew and Gao 2007).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from solvers.engine.pieces import Piece, Pieces
from solvers.engine.prices import Prices, dot, secant_cut

#: Pairs of a move and the change of the gradient along it that the curvature is made of.
_PAIRS = 30
#: Trial points of one direction; the last is a gradient step that never overshoots.
_TRIES = 6
#: A step stands unless the function falls at its end by more than this share of the slope at its start.
_OVERSHOT = 0.9
#: A cut leaves at least this share of a step.
_LEAST_CUT = 0.1
#: A pair with less curvature than this, relative to its two lengths, is rounding.
_FLAT = 1e-12
#: A change of the gradient that is smaller than this, relative to it, is rounding: x has stayed at a vertex.
_ROUNDING = 1e-12
_STATE = ("point", "base", "gradient", "direction", "last")


class QuasiNewtonAscent:
    """`point` is where the caller evaluates the gradient; low <= point <= high, float64[R]. See solvers.ascent.Ascent.

    pieces: where the function has kinks, None where it has none. safe_step: a gradient step of this length never
    overshoots (1 / the Lipschitz constant of the gradient).
    """

    def __init__(
        self, start: Prices, *, low: Prices, high: Prices, safe_step: float, pieces: Pieces | None = None
    ) -> None:
        self.point = start
        self._low = low
        self._high = high
        self._pieces = Pieces(np.zeros(start.size), np.zeros(start.size)) if pieces is None else pieces
        self._safe_step = safe_step
        self._curvature = _Curvature()

        # The step that led to `point`: from base, where the gradient was this one, by length * direction.
        self._base = np.empty(0)
        self._gradient = np.empty(0)
        self._direction = np.empty(0)
        self._length = 1.0
        self._tries = 0

        self._last = np.empty(0)
        """The last point at the ridge before, empty at the first ridge."""

    def ascend(self, gradient: Prices) -> None:
        """The next point, given the gradient at this one: further from here, or nearer to where the last step began.

        Where there are kinks, `gradient` is what the sides of `pieces` are subtracted from.
        """
        if self._base.size:
            piece = self._piece()
            move = self.point - self._base
            slope = dot(self._gradient - piece.side, move)
            end = dot(gradient - piece.side, move)
            if end < -_OVERSHOT * slope < 0 and self._tries < _TRIES:
                self._cut(secant_cut(slope, end, least=_LEAST_CUT))
                return
            change = self._gradient - gradient
            if dot(change, change) > _ROUNDING**2 * dot(gradient, gradient):
                self._curvature.remember(move, change)
        self._step_from_here(gradient)

    def shrink(self, factor: float) -> None:
        """The curvature grew by 1 / factor, because the ridge shrank: start where the path of maxima seems to lead.

        The maximum of a ridge dual is piecewise linear in the ridge, so the way from the last maximum goes on.
        """
        ahead = factor * (self.point - self._last) if self._last.size else 0.0
        self._last = self.point
        self._safe_step *= factor
        self._curvature.divide(factor)
        self.point = np.clip(self.point + ahead, self._low, self._high)
        self._base = np.empty(0)  # no step led here, so none can have overshot

    def state(self) -> dict[str, Prices]:
        """Everything that changes, for a checkpoint."""
        arrays = (self.point, self._base, self._gradient, self._direction, self._last)
        scalars = np.array([self._safe_step, self._length, float(self._tries)])
        return {**dict(zip(_STATE, arrays, strict=True)), **self._curvature.state(), "scalars": scalars}

    def restore(self, state: Mapping[str, Prices]) -> None:
        self.point, self._base, self._gradient, self._direction, self._last = (state[name] for name in _STATE)
        self._curvature.restore(state)
        self._safe_step = float(state["scalars"][0])
        self._length = float(state["scalars"][1])
        self._tries = int(state["scalars"][2])

    def _step_from_here(self, gradient: Prices) -> None:
        """A full quasi-Newton step, or the safe one where that would not ascend."""
        self._base = self.point
        self._gradient = gradient
        self._tries = 0
        self._length = 1.0

        piece = self._piece()
        uphill, free = self._uphill(piece)
        self._direction = self._curvature.solve(uphill, free, self._safe_step)
        if dot(uphill, self._direction) <= 0:
            self._direction = self._safe_step * uphill
        self._set_point(piece)

    def _cut(self, share: float) -> None:
        """A shorter step; after many the safe one, and the curvature that misled is forgotten."""
        self._tries += 1
        self._length *= share
        piece = self._piece()
        if self._tries == _TRIES:
            uphill, _ = self._uphill(piece)
            self._direction = self._safe_step * uphill
            self._length = 1.0
            self._curvature = _Curvature()
        self._set_point(piece)

    def _piece(self) -> Piece:
        """The piece that a step from the base stays in."""
        return self._pieces.piece(self._base, self._gradient, self._low, self._high)

    def _uphill(self, piece: Piece) -> tuple[Prices, npt.NDArray[np.bool_]]:
        """The gradient at the base, 0 where a bound or a kink stops it; and where none does."""
        gradient = self._gradient - piece.side
        free = ~piece.blocked(gradient, self._base)
        return gradient * free, free

    def _set_point(self, piece: Piece) -> None:
        self.point = np.clip(self._base + self._length * self._direction, piece.low, piece.high)


class _Curvature:
    """The newest moves m, and the changes g of minus the gradient along them: g = H m, H the curvature."""

    def __init__(self) -> None:
        self._moves: list[Prices] = []
        self._changes: list[Prices] = []

    def remember(self, move: Prices, change: Prices) -> None:
        if _curved(move, change):
            self._moves = [*self._moves, move][-_PAIRS:]
            self._changes = [*self._changes, change][-_PAIRS:]

    def divide(self, factor: float) -> None:
        """H <- H / factor."""
        self._changes = [change / factor for change in self._changes]

    def solve(self, gradient: Prices, free: npt.NDArray[np.bool_], first: float) -> Prices:
        """H^-1 gradient on the free entries, by the two loops of L-BFGS; without pairs first * gradient."""
        pairs = [(move * free, change * free) for move, change in zip(self._moves, self._changes, strict=True)]
        kept = [(move, change, dot(move, change)) for move, change in pairs if _curved(move, change)]

        d = gradient
        shares = []
        for move, change, product in reversed(kept):
            shares.append(dot(move, d) / product)
            d = d - shares[-1] * change

        d = d * (kept[-1][2] / dot(kept[-1][1], kept[-1][1]) if kept else first)

        for (move, change, product), share in zip(kept, reversed(shares), strict=True):
            d = d + (share - dot(change, d) / product) * move
        return d

    def state(self) -> dict[str, Prices]:
        return {"moves": np.array(self._moves), "changes": np.array(self._changes)}

    def restore(self, state: Mapping[str, Prices]) -> None:
        self._moves = list(state["moves"])
        self._changes = list(state["changes"])


def _curved(move: Prices, change: Prices) -> bool:
    return dot(move, change) > _FLAT * math.sqrt(dot(move, move) * dot(change, change))
