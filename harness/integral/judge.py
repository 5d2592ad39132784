"""Whole decisions judged: whether x is whole and keeps every hard limit, what it is worth, and who got nothing and why.

I sources, E edges, R rows. The gap is that of harness/referee.py: of this x, against the bound of the LP's prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.certificate import Certificate
from harness.general.layers import layers, sides_of
from harness.integral.whole_units import ROUNDING, floor
from harness.polytopes.points import distances
from harness.rounding import Float64
from harness.sources import Chunk, chunks
from instances import MatchingLP, activities
from instances.sides import Sides
from instances.words import Explained


class Undecided(Explained):
    """Why a source got nothing, or a '=' source less than it must take; the first that holds."""

    NO_EDGES = "no_edges", "it has no edges"
    LIMIT_BELOW_ONE = "limit_below_one", "its limits allow no whole unit"
    NO_GAIN = "no_gain", "no edge of its own would gain"
    ROWS_FULL = "rows_full", "each edge that would gain leaves a hard row"
    SEARCH_ENDED = "search_ended", "the search ended before it was served"


@dataclass(frozen=True, kw_only=True)
class WholeFigures:
    """What the referee says of whole decisions."""

    gap: float | None
    """The certified gap of x against the bound of the LP; None where x is not whole, leaves a limit, or no bound is
    proved."""

    integral: bool
    """Whether every x is a whole number."""

    kept: bool
    """Whether x keeps every source and every hard row, to 12 digits."""

    decided: int
    """Sources that got something, and '=' sources that got all they must."""

    undecided: Mapping[str, int]
    """All other sources, by `Undecided`; reasons that no source has are left out."""

    bound_gap: float | None
    """The certified gap of the LP's own, fractional decisions; None where it is not known."""

    @property
    def reason(self) -> str:
        """Why there is no gap; "" where there is one."""
        if not self.integral:
            return "x is not whole"
        if not self.kept:
            return "no whole decisions were found that keep every hard limit"
        return "" if self.gap is not None else "nothing proves a bound"


def judged_whole(lp: MatchingLP, x: Float64, certificate: Certificate, bound_gap: float | None) -> WholeFigures:
    """The figures of x[E] with its `certificate`; bound_gap: of the LP's own decisions."""
    integral = bool((x == np.rint(x)).all())
    sides, activity = sides_of(lp), activities(lp, x)
    kept = _keeps(lp, x, sides, activity)
    counts = _why_undecided(lp, x, sides, activity)
    return WholeFigures(
        gap=certificate.certified_gap if integral and kept else None,
        integral=integral,
        kept=kept,
        decided=lp.sources - sum(counts.values()),
        undecided=counts,
        bound_gap=bound_gap,
    )


def _keeps(lp: MatchingLP, x: Float64, sides: Sides, activity: Float64) -> bool:
    """Whether sums and edges of sources, and hard rows, are within their limits to 12 digits."""
    outside = sides.violation(activity)
    left = outside > 0
    side = np.where(activity > sides.upper, sides.upper, sides.lower)[left]
    if (outside[left] > _allowed(side)).any():
        return False
    for chunk in chunks(lp):
        away = distances(chunk, x[chunk.edges])
        upper = np.where(np.isfinite(chunk.upper), chunk.upper, 0.0)
        if (away.sums > _allowed(away.right_sides)).any() or (away.edges > _allowed(upper)).any():
            return False
    return True


def _allowed(side: Float64) -> Float64:
    """What may be outside a side: the rounding that whole decisions are made with, and as much for another sum."""
    return 2 * ROUNDING * (1 + np.abs(side))


def _why_undecided(lp: MatchingLP, x: Float64, sides: Sides, activity: Float64) -> dict[str, int]:
    counts: dict[Undecided, int] = dict.fromkeys(Undecided, 0)
    for chunk in chunks(lp):
        for reason, number in _of_chunk(chunk, x[chunk.edges], sides, activity).items():
            counts[reason] += number
    return {str(reason): number for reason, number in counts.items() if number}


def _of_chunk(chunk: Chunk, x: Float64, sides: Sides, activity: Float64) -> dict[Undecided, int]:
    limits = chunk.limits
    total = chunk.total(x)
    wanted = np.where(limits.equality, limits.at_most, 0.0)
    left = np.where(limits.equality, total < wanted - _allowed(wanted), total == 0)
    if not left.any():
        return {}
    unit = (floor(limits.upper) >= 1) & (floor(limits.at_most) >= 1)
    gain, fits = _one_more(chunk, sides, activity)
    open_edge = x + 1 <= chunk.upper + _allowed(chunk.upper)
    gains = open_edge & ((gain < 0) | limits.equality[chunk.source])

    found = {}
    reasons = (
        (Undecided.NO_EDGES, chunk.degrees == 0),
        (Undecided.LIMIT_BELOW_ONE, ~unit),
        (Undecided.NO_GAIN, ~_any(chunk, gains)),
        (Undecided.ROWS_FULL, ~_any(chunk, gains & fits)),
        (Undecided.SEARCH_ENDED, np.ones(left.size, dtype=np.bool_)),
    )
    for reason, holds in reasons:
        found[reason] = int((left & holds).sum())
        left &= ~holds
    return found


def _any(chunk: Chunk, edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether any edge of each source is one of `edges`."""
    return chunk.total(edges.astype(np.float64)) > 0


def _one_more(chunk: Chunk, sides: Sides, activity: Float64) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """What one unit more on each edge costs, and whether no hard row is left, or left more, by it."""
    cost = chunk.c.copy()
    fits = np.ones(cost.size, dtype=np.bool_)
    for layer in layers(chunk):
        of_rows: dict[str, Any] = {name: getattr(sides, name)[layer.row] for name in vars(sides)}
        mine = Sides(**of_rows)
        now = activity[layer.row]
        after = now + layer.coefficient
        cost[layer.edges] += _paid(mine, after) - _paid(mine, now)
        side = np.where(after > mine.upper, mine.upper, mine.lower)
        outside = mine.violation(after)
        allowed = np.where(outside > 0, _allowed(np.where(outside > 0, side, 0.0)), 0.0)
        fits[layer.edges] &= outside <= np.maximum(allowed, mine.violation(now))
    return cost, fits


def _paid(sides: Sides, activity: Float64) -> Float64:
    """What soft sides cost at this activity."""
    above = np.where(np.isinf(sides.penalty_above), 0.0, sides.penalty_above)
    below = np.where(np.isinf(sides.penalty_below), 0.0, sides.penalty_below)
    over, under = np.maximum(activity - sides.upper, 0.0), np.maximum(sides.lower - activity, 0.0)
    paid: Float64 = above * over + below * under
    return paid
