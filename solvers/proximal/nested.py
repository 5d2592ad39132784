"""Rows that lie within others, as the hours of a campaign do: prices for Newton's method of which an edge has one.

R rows. Row r lies within row p, its parent, where each of its edges is in p, with ratio_r times its coefficient. An
edge of both then pays  a_r y_r + a_p y_p = a_r z_r  with

    z_r = y_r + ratio_r z_p,    z_r = y_r without a parent

A Newton system in z has one entry for such an edge where that in y has two, so that rows are coupled by sources alone;
and a bound of the step of z_r bounds what the edges of r feel, whichever of y_r and y_p moves. As a change of variables
this is right for any parents and ratios.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.engine.prices import Prices

#: No row.
NONE = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """The prices z among movable rows, of which child[N] lie within others."""

    child: npt.NDArray[np.int64]
    parent: npt.NDArray[np.int64]
    """int64[N]"""
    ratio: Prices
    """float64[N]"""

    def in_places(self, place: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], Prices]:
        """Parent and ratio of each movable row among these, -1 where there is none; place[R]: the number of each row
        among the movable, -1 of the others.
        """
        movable = int(place.max(initial=NONE)) + 1
        parent, ratio = np.full(movable, NONE, dtype=np.int32), np.ones(movable)
        parent[place[self.child]] = place[self.parent]
        ratio[place[self.child]] = self.ratio
        return parent, ratio

    def gradient(self, of_prices: Prices) -> Prices:
        """By z[R], from that by y[R]."""
        shares = np.bincount(self.parent, self.ratio * of_prices[self.child], of_prices.size)
        difference: Prices = of_prices - shares
        return difference

    def step(self, z: Prices) -> Prices:
        """The step of y[R] that makes a step of z[R]."""
        y = z.copy()
        y[self.child] -= self.ratio * z[self.parent]
        return y

    def move(self, y: Prices) -> Prices:
        """The step of z[R] that a step of y[R] makes."""
        z = y
        while True:
            before = z
            z = y.copy()
            z[self.child] += self.ratio * before[self.parent]
            if np.array_equal(z, before):  # after as many rounds as rows lie within one another
                return z


@dataclass(frozen=True, kw_only=True, eq=False)
class Nesting:
    """Which row each row lies within."""

    parent: npt.NDArray[np.int64]
    """int64[R]; NONE where there is none."""
    ratio: Prices
    """float64[R]"""

    def among(self, movable: npt.NDArray[np.bool_]) -> Basis:
        """The prices z where the other rows stay where they are: a parent that stays is passed over."""
        child = np.flatnonzero(movable & (self.parent != NONE))
        parent, ratio = self.parent[child], self.ratio[child]
        while True:
            over = (parent != NONE) & ~movable[parent]
            if not over.any():
                break
            ratio[over] *= self.ratio[parent[over]]
            parent[over] = self.parent[parent[over]]
        nested = parent != NONE
        return Basis(child=child[nested], parent=parent[nested], ratio=ratio[nested])
