"""A point and changes far below its rounding: x + y, never added up, and what it leaves of the rows.

I sources, J destinations, E edges. The sums of x are known far beyond float64 (harness/feasible.py), those of y to a
share of y, so that a y of 1e-16 can be held against the rows to 1e-32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.feasible import Violations, split_loads
from harness.polytopes.points import sums_beyond
from harness.rounding import UNIT, Float64
from harness.sources import chunks
from instances import MatchingLP

#: Loose enough for the roundings of sums of nonnegative bounds.
_RAISED = 1 + 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Remaining:
    """What changes have to make good."""

    lack: Float64
    """[I]: z - sum, negative where the sum is above z; 0 where nothing limits the sum."""
    lack_error: Float64
    slack: Float64
    """[J]: b - load and what stays, negative where the load is above that."""
    slack_error: Float64
    largest: float
    """The largest share of a right-hand side that is missed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactPoint:
    """A point within rounding of its polytopes and rows, with its sums to the last digit."""

    lp: MatchingLP
    source: npt.NDArray[np.int64]
    """[E]"""
    at_most: Float64
    """[I]: z, inf where nothing limits the sum."""
    upper: Float64
    """[E]: u."""
    equality: npt.NDArray[np.bool_]
    """[I]"""
    point: Float64
    """[E]: x."""
    own: Remaining
    """Of x itself; `largest` is not used."""

    def by_source(self, values: Float64) -> Float64:
        """Sums [I] of values [E]."""
        return np.bincount(self.source, weights=values, minlength=self.lp.sources).astype(np.float64, copy=False)

    def by_row(self, values: Float64) -> Float64:
        """Sums [J] of a times values [E]."""
        weights = self.lp.a.astype(np.float64) * values
        return np.bincount(self.lp.destination, weights=weights, minlength=self.lp.destinations).astype(
            np.float64, copy=False
        )

    def within_limits(self, change: Float64) -> Float64:
        """With 0 <= x + change <= u in exact arithmetic."""
        room = np.maximum(np.nextafter(self.upper - self.point, -np.inf), 0.0)
        return np.clip(change, -self.point, room)

    def remaining(self, change: Float64, stays: Float64) -> Remaining:
        rounding = (change.size + 8) * UNIT
        limited = np.isfinite(self.at_most)
        lack = np.where(limited, self.own.lack - self.by_source(change), 0.0)
        lack_error = self.own.lack_error + rounding * (self.by_source(np.abs(change)) + np.abs(lack))
        slack = self.own.slack + stays - self.by_row(change)
        slack_error = self.own.slack_error + rounding * (self.by_row(np.abs(change)) + np.abs(slack))

        missing = np.where(self.equality, np.abs(lack), np.maximum(-lack, 0.0))
        with np.errstate(all="ignore"):
            of_sources = np.where(limited & (missing > 0), missing / self.at_most, 0.0)
            of_rows = np.where(slack < 0, -slack / self.lp.b, 0.0)
        largest = max(float(np.max(of_sources, initial=0.0)), float(np.max(of_rows, initial=0.0)))
        return Remaining(
            lack=lack, lack_error=lack_error * _RAISED, slack=slack, slack_error=slack_error * _RAISED, largest=largest
        )

    def cost(self, change: Float64) -> float:
        """c'change, rounded up; what it saves does not count."""
        terms = self.lp.c.astype(np.float64) * change
        total = float(terms.sum()) + (change.size + 8) * UNIT * float(np.abs(terms).sum()) * _RAISED
        return max(0.0, total)

    def violations(self, change: Float64, remaining: Remaining) -> Violations:
        """Of x + change, as harness/feasible.py says of a point."""
        limited = np.isfinite(self.at_most)
        both = self.equality & limited & np.isfinite(self.lp.per_source.limits().upper)
        short = np.where(self.equality, np.abs(remaining.lack), -remaining.lack)
        off = np.where(limited, np.maximum(short + remaining.lack_error, 0.0), 0.0)

        # Sources of '=' with limits on their edges cannot be scaled: any of their edges may have to take what is off.
        placed = np.where(both, off, 0.0)
        dearest = np.zeros(self.lp.sources)
        np.maximum.at(dearest, self.source, np.abs(self.lp.c.astype(np.float64)))
        with np.errstate(all="ignore"):
            share = float(np.max(np.where(~both & (off > 0), off / self.at_most, 0.0), initial=0.0)) * _RAISED

        load = self.by_row(self.point + np.abs(change))
        excess = remaining.slack_error - remaining.slack + share * load * _RAISED
        excess += self.by_row(placed[self.source]) * _RAISED
        rows = np.maximum(excess, 0.0)
        with np.errstate(all="ignore"):
            relative = float(np.max(np.where(rows > 0, rows / self.lp.b, 0.0), initial=0.0))
        return Violations(
            sources=share,
            rows=rows,
            slack=np.maximum(-excess, 0.0),
            relative=relative,
            placed=float(placed @ dearest) * _RAISED,
        )


def exact_point(lp: MatchingLP, point: Float64) -> ExactPoint:
    limits = lp.per_source.limits()
    limited = np.isfinite(limits.at_most)
    above: list[Float64] = [np.zeros(0)]
    rounding: list[Float64] = [np.zeros(0)]
    for chunk in chunks(lp):
        scale = np.where(np.isfinite(chunk.limits.at_most), chunk.limits.at_most, 0.0)
        sums = sums_beyond(chunk, point[chunk.edges], scale)
        above.append(sums[0])
        rounding.append(sums[1])

    loads = split_loads(lp, point)
    source = lp.source_of_edge()
    return ExactPoint(
        lp=lp,
        source=source,
        at_most=limits.at_most,
        upper=lp.upper_of_edges(),
        equality=limits.equality,
        point=point,
        own=Remaining(
            lack=np.where(limited, -np.concatenate(above), 0.0),
            lack_error=np.where(limited, np.concatenate(rounding), 0.0),
            slack=(lp.b - loads.high) - loads.low,
            slack_error=loads.error,
            largest=np.inf,
        ),
    )
