"""Points of the sources' polytopes: made from any x, and by how much a point misses its own.

Arrays: [n] of the sources of a chunk, [e] of its edges. All operations keep 0 <= x <= u exactly, so what rounding
leaves is an error of the sums alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.polytopes.support import limited_both_ways
from harness.rounding import UNIT, Float64, extracted, power_above
from harness.sources import Chunk, chunks
from instances import MatchingLP

#: A '=' source with less than this share of z has nothing that could be scaled.
_NOTHING = 1e-300
#: Entries are divided by this where their sum is infinite.
_TOO_LARGE = 2.0**64
#: Rounds of scaling up what a '=' source has, before what it lacks goes to all of its edges.
_ROUNDS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Distances:
    """How far x is outside: of the sums, [n], and of the limits of single edges, [e]; right_sides: z, 0 without one."""

    sums: Float64
    edges: Float64
    right_sides: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class SumErrors:
    """What the sums of a point with 0 <= x <= u miss: x' = x z / sum(x) with `moved` added is a point of all C_i."""

    share: float
    """The largest relative error of a sum that scaling its source mends: above z, or below it where u is infinite."""
    moved: Float64
    """[e]: what an edge inside its limits takes of what its '=' source lacks; others are at u, and cannot grow."""
    lacking: Float64
    """[n]: what '=' sources lack that none of their edges can take in that way."""


def has_equality(lp: MatchingLP) -> bool:
    """Whether a '=' source wants mass."""
    limits = lp.per_source.limits()
    return bool((limits.equality & (limits.at_most > 0)).any())


def unserved_source(lp: MatchingLP) -> int | None:
    """A '=' source that wants more than all its edges may take: no x is feasible then.

    z above the rounded product of u and its number of edges is above the exact one, and z above the rounded sum of all
    u by more than its rounding above the exact sum.
    """
    for chunk in chunks(lp):
        upper = np.where(chunk.degrees > 0, chunk.limits.upper, 0.0)
        most = upper * chunk.degrees
        if lp.edge_upper is not None:
            most = np.minimum(most, chunk.total(chunk.upper) * (1 + 2 * (chunk.degrees + 2) * UNIT))
        wanting = chunk.limits.equality & (chunk.limits.at_most > most)
        if wanting.any():
            return chunk.first + int(np.argmax(wanting))
    return None


def brought_in(chunk: Chunk, x: Float64) -> Float64:
    """x of the chunk's edges, clipped and scaled into each C_i (a '=' source without mass is filled evenly)."""
    limits = chunk.limits
    x = np.maximum(x, 0.0)
    both = limited_both_ways(chunk)
    if both.any():
        x = np.minimum(x, np.where(both[chunk.source], chunk.upper, np.inf))
    total = chunk.total(x)
    if not np.isfinite(total).all():
        x = np.where(np.isfinite(total)[chunk.source], x, x / _TOO_LARGE)
        total = chunk.total(x)

    empty = limits.equality & (total <= _NOTHING * limits.at_most) & (chunk.degrees > 0)
    if empty.any():
        x = np.where(empty[chunk.source], 1.0, x)
        total = np.where(empty, chunk.degrees, total)

    ratio = limits.at_most / np.where(total > 0, total, 1.0)
    factor = np.where(limits.equality, ratio, np.minimum(ratio, 1.0))
    factor[total == 0] = 1.0
    x = x * factor[chunk.source]
    if np.isfinite(limits.upper).any():
        x = np.minimum(x, chunk.upper)
    if (both & limits.equality).any():
        x = _filled_up(chunk, x)
    return x


def distances(chunk: Chunk, x: Float64) -> Distances:
    """Of x as it is."""
    limits = chunk.limits
    right_sides = np.where(np.isfinite(limits.at_most), limits.at_most, 0.0)
    row = np.where(np.isfinite(limits.at_most), chunk.total(x) - right_sides, 0.0)
    row = np.where(limits.equality, np.abs(row), np.maximum(row, 0.0))
    edges = np.maximum(-x, 0.0)
    if np.isfinite(limits.upper).any():
        edges = np.maximum(edges, x - chunk.upper)
    return Distances(sums=row, edges=edges, right_sides=right_sides)


def sum_errors(chunk: Chunk, x: Float64) -> SumErrors:
    """Upper bounds, of a point that is within rounding of its polytopes; sums are split as harness/feasible.py says."""
    limits = chunk.limits
    scale = np.where(np.isfinite(limits.at_most), limits.at_most, limits.upper)
    difference, rounding = sums_beyond(chunk, x, scale)

    grows = limits.equality & ~limited_both_ways(chunk)
    excess = np.where(grows, np.abs(difference), difference) + rounding
    excess[np.isinf(limits.at_most)] = 0.0
    unknown = np.isnan(excess)  # a sum too large to be split
    by_rounding = 2 * (chunk.degrees + 8) * UNIT
    relative = np.where(excess > 0, excess / scale, 0.0)
    relative = np.where(unknown, by_rounding, relative)

    lack = np.where(unknown, by_rounding * scale, np.maximum(rounding - difference, 0.0))
    lack = np.where(limits.equality & ~grows, lack, 0.0)
    moved, lacking = _placed(chunk, x, lack)
    return SumErrors(share=float(np.max(relative, initial=0.0)), moved=moved, lacking=lacking)


def sums_beyond(chunk: Chunk, x: Float64, scale: Float64) -> tuple[Float64, Float64]:
    """sum(x) - scale of each source [n], and what that may be off by; NaN where a sum is too large to be split."""
    grid = power_above(np.maximum(chunk.total(x), scale))
    exact = extracted(x, grid[chunk.source])
    rest = x - exact
    rounding = (chunk.degrees + 8) * UNIT * chunk.total(np.abs(rest))
    return (chunk.total(exact) - scale) + chunk.total(rest), rounding


def deficits(chunk: Chunk, x: Float64) -> Float64:
    """What each '=' source of the chunk lacks, [n], beyond the rounding of its sum."""
    limits = chunk.limits
    lack = np.where(limits.equality, limits.at_most - chunk.total(x), 0.0)
    return np.where(lack > 4 * (chunk.degrees + 8) * UNIT * limits.at_most, lack, 0.0)


def headroom(chunk: Chunk, x: Float64) -> Float64 | float:
    """What each edge can take on top of x before it is at u, [e]; inf where no edge has a limit."""
    return np.maximum(chunk.upper - x, 0.0) if np.isfinite(chunk.limits.upper).any() else np.inf


def _placed(chunk: Chunk, x: Float64, lack: Float64) -> tuple[Float64, Float64]:
    """`lack` [n] on the edge of each source that is farthest inside its limits, [e]; what finds no such edge, [n]."""
    if not lack.any():
        return np.zeros_like(x), lack
    inside = np.minimum(x, chunk.upper - x)
    deepest = -chunk.minimum(-inside)
    fits = (lack > 0) & (deepest >= lack)
    chosen = (inside == deepest[chunk.source]) & fits[chunk.source]
    return np.where(chosen, lack[chunk.source], 0.0), np.where(fits, 0.0, lack)


def _filled_up(chunk: Chunk, x: Float64) -> Float64:
    """What '=' sources lack while edges are at u: first edges that are used grow, then every edge takes a share."""
    upper = chunk.upper
    limited = limited_both_ways(chunk)
    for _ in range(_ROUNDS):
        lack = np.where(limited, deficits(chunk, x), 0.0)
        growing = (x > 0) & (x < upper) & (lack > 0)[chunk.source]
        if not growing.any():
            break
        used = chunk.total(np.where(growing, x, 0.0))
        growth = 1 + np.divide(lack, used, out=np.zeros_like(lack), where=used > 0)
        x = np.where(growing, np.minimum(upper, x * growth[chunk.source]), x)

    lack = np.where(limited, deficits(chunk, x), 0.0)
    if not lack.any():
        return x
    room = np.where((lack > 0)[chunk.source], upper - x, 0.0)
    free = chunk.total(room)
    share = np.minimum(1.0, np.divide(lack, free, out=np.zeros_like(lack), where=free > 0))
    filled: Float64 = np.minimum(upper, x + room * share[chunk.source])
    return filled
