"""Quasi-Newton ascent of a concave function between bounds, from gradients alone.

J numbers. L-BFGS (Nocedal 1980) on the entries that no bound stops, every point projected onto the bounds. A step is
cut where the function falls steeply at its end, judged by slopes: values drown in rounding near the end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from solvers.engine.prices import Prices, blocked, dot

_PAIRS = 30
_TRIES = 6
#: A step stands unless the function falls at its end by more than this share of the slope at its start.
_OVERSHOT = 0.9
#: A pair with less curvature than this, relative to its two lengths, is rounding.
_FLAT = 1e-12
_STATE = ("point", "base", "gradient", "direction", "last")


class QuasiNewtonAscent:
    """`point` is where the caller evaluates the gradient; 0 <= point <= top float64[J].

    safe_step: a gradient step of this length never overshoots (1 / the Lipschitz constant of the gradient).
    """

    def __init__(self, start: Prices, *, top: Prices, safe_step: float) -> None:
        self.point, self._last = start, np.empty(0)
        self._top, self._step = top, safe_step
        self._base, self._gradient, self._direction = np.empty(0), np.empty(0), np.empty(0)
        self._length, self._tries = 1.0, 0
        self._moves: list[Prices] = []
        self._changes: list[Prices] = []

    def ascend(self, gradient: Prices) -> None:
        """The next point, given the gradient at this one: further from here, or nearer to where the last step began."""
        if self._base.size:
            move = self.point - self._base
            rise, end = dot(self._gradient, move), dot(gradient, move)
            if end < -_OVERSHOT * rise < 0 and self._tries < _TRIES:
                self._cut(rise / (rise - end))
                return
            self._remember(move, self._gradient - gradient)
        self._base, self._gradient, self._length, self._tries = self.point, gradient, 1.0, 0
        free = ~blocked(gradient, self.point, 0.0, self._top)
        self._direction = self._newton(gradient * free, free)
        if dot(gradient, self._direction) <= 0:
            self._direction = self._step * gradient * free
        self._go()

    def shrink(self, factor: float) -> None:
        """The curvature grew by 1 / factor (the ridge shrank by it): start where the path of maxima seems to lead.

        The maximum of a ridge dual is piecewise linear in the ridge, so the way from the last one goes on.
        """
        ahead = factor * (self.point - self._last) if self._last.size else 0.0
        self._last = self.point
        self._step *= factor
        self._changes = [change / factor for change in self._changes]
        self.point = np.clip(self.point + ahead, 0.0, self._top)
        self._base = np.empty(0)  # no step led here: whatever comes stands

    def state(self) -> dict[str, Prices]:
        """Everything that changes, for a checkpoint."""
        arrays = (self.point, self._base, self._gradient, self._direction, self._last)
        pairs = {"moves": np.array(self._moves), "changes": np.array(self._changes)}
        scalars = np.array([self._step, self._length, float(self._tries)])
        return {**dict(zip(_STATE, arrays, strict=True)), **pairs, "scalars": scalars}

    def restore(self, state: Mapping[str, Prices]) -> None:
        self.point, self._base, self._gradient, self._direction, self._last = (state[name] for name in _STATE)
        self._moves, self._changes = list(state["moves"]), list(state["changes"])
        self._step, self._length = (float(number) for number in state["scalars"][:2])
        self._tries = int(state["scalars"][2])

    def _go(self) -> None:
        self.point = np.clip(self._base + self._length * self._direction, 0.0, self._top)

    def _cut(self, share: float) -> None:
        """A shorter step, by the secant rule; the safe one when that was tried often enough."""
        self._tries += 1
        self._length *= min(0.7, max(0.1, share))
        if self._tries == _TRIES:
            free = ~blocked(self._gradient, self._base, 0.0, self._top)
            self._direction, self._length = self._step * self._gradient * free, 1.0
            self._moves, self._changes = [], []
        self._go()

    def _newton(self, gradient: Prices, free: Prices) -> Prices:
        """The inverse of the curvature seen in the pairs, on the free entries, times the gradient (two loops)."""
        pairs = [(move * free, change * free) for move, change in zip(self._moves, self._changes, strict=True)]
        kept = [(move, change, dot(move, change)) for move, change in pairs if _curved(move, change)]
        d, shares = gradient, []
        for move, change, product in reversed(kept):
            shares.append(dot(move, d) / product)
            d = d - shares[-1] * change
        d = d * (kept[-1][2] / dot(kept[-1][1], kept[-1][1]) if kept else self._step)
        for (move, change, product), share in zip(kept, reversed(shares), strict=True):
            d = d + (share - dot(change, d) / product) * move
        return d

    def _remember(self, move: Prices, change: Prices) -> None:
        if _curved(move, change):
            self._moves = [*self._moves, move][-_PAIRS:]
            self._changes = [*self._changes, change][-_PAIRS:]


def _curved(move: Prices, change: Prices) -> bool:
    return dot(move, change) > _FLAT * math.sqrt(dot(move, move) * dot(change, change))
