"""Sources that are alike, merged into one: many queries of one keyword, demands of any volume between two nodes.

I sources, E edges, K kinds of sources. Sources of one kind have the same polytope C and the same edges, with costs and
coefficients that are s_i times those of one of them. Then their edges together cost and load what that one's do at

    sum of s_i x_i, x_i in C    =    k C    =    {0 <= x <= k u, 1'x <= k z or = k z},    k = sum of s_i

so one source with the limits k z and k u takes their place; a share of 1 / k of its x is a point of each. The merged LP
has the same duals, the same bound and the same objective. In units of about the root of sum s_i^2 its norms are those
of the sources one by one, and so are the steps of PDHG and of Newton's method. The unit is a power of 2, because a and
c times that are exact in any type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, PerSource, RaggedRows, Rows
from instances.mapped import is_mapped
from instances.rows import Coefficient
from solvers.base import Vector

#: All sources are looked at where in a sample of so many, n ...
_SAMPLE = 2_000
#: ... this share is like another of it, or so many are, or half of what I / 2 kinds of equal size leave: n^2 / I.
_ALIKE = 0.25
_FEW_ALIKE = 8
#: float32 holds numbers up to 3e38.
_LARGEST = 1e30
#: Merging has to leave at most this share of the sources.
_WORTH = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """The LP with one source of each kind, K kinds."""

    lp: MatchingLP
    edge: npt.NDArray[np.int64]
    """int64[E]: the edge of `lp` that stands for each edge of the instance."""
    scale: npt.NDArray[np.float64]
    """s_i of each edge of the instance."""
    unit: npt.NDArray[np.float64]
    """What 1 in an edge of `lp` means in the sum of the edges that it stands for; a power of 2."""
    total: npt.NDArray[np.float64]
    """k of each edge of `lp`."""

    def of_each(self, x: Vector) -> Vector:
        """x[E] of the instance from that of `lp`: all sources of a kind get the same."""
        share: npt.NDArray[Any] = (x * (self.unit / self.total)).astype(x.dtype)
        return share[self.edge]

    def together(self, x: Vector) -> Vector:
        """x of `lp` from x[E] of the instance, the sum over the sources of a kind."""
        sums: Any = np.bincount(self.edge, self.scale * x, self.unit.size) / self.unit
        together: Vector = sums.astype(x.dtype)
        return together


def merge_alike(lp: MatchingLP) -> Merged | None:
    """`lp` with sources merged; None where few are alike, or where it lies on the disk."""
    if is_mapped(lp.c) or not lp.sources or not _has_alike_in_sample(lp):
        return None

    size = _sizes(lp)
    shape = _divided(lp, size)
    _, first, kind = np.unique(_fingerprints(shape), return_index=True, return_inverse=True)
    if first.size > _WORTH * lp.sources or not _are_equal(shape, first[kind]):
        return None

    scale = size / size[first][kind]
    total: npt.NDArray[Any] = np.bincount(kind, scale)
    unit = np.exp2(np.rint(0.5 * np.log2(np.bincount(kind, scale * scale))))
    if _largest(lp) * unit.max() > _LARGEST:
        return None
    merged = _sources_of(lp, first, unit=unit, total=total)
    degree = merged.degrees()
    return Merged(
        lp=merged,
        edge=_ranges(merged.offsets, kind),
        scale=np.repeat(scale, lp.degrees()),
        unit=np.repeat(unit, degree),
        total=np.repeat(total, degree),
    )


def _has_alike_in_sample(lp: MatchingLP) -> bool:
    chosen = np.unique(np.linspace(0, lp.sources - 1, _SAMPLE).astype(np.int64))
    sample = _sources_of(lp, chosen)
    alike = chosen.size - np.unique(_fingerprints(_divided(sample, _sizes(sample)))).size
    expected = max(_FEW_ALIKE, chosen.size**2 / (2 * lp.sources))
    return bool(alike >= min(_ALIKE * chosen.size, expected))


def _sizes(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """float64[I]: |c| of the first edge, by which sources that differ by a factor become the same.

    1 where that is 0, and for all where not every number is a float32 of its edge: only quotients of float32 are
    the same in float64 if and only if they are equal.
    """
    size = np.ones(lp.sources)
    numbers = (lp.c, *(family.coefficient for family in lp.rows))
    if all(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in numbers):
        used = np.flatnonzero(lp.degrees())
        first = np.abs(lp.c[lp.offsets[used]]).astype(np.float64)
        size[used] = np.where(first > 0, first, 1.0)
    return size


def _divided(lp: MatchingLP, size: npt.NDArray[np.float64]) -> MatchingLP:
    """The costs and coefficients of each source divided by its size[I]."""
    if (size == 1.0).all():
        return lp
    of_edge = np.repeat(size, lp.degrees())
    rows: list[Rows | RaggedRows] = []
    for family in lp.rows:
        if isinstance(family, Rows):
            coefficient = family.coefficient / of_edge
            rows.append(Rows.unchecked(family.name, family.row, coefficient, family.sides, family.keys))
        else:
            coefficient = family.coefficient / np.repeat(of_edge, np.diff(family.entry_offsets))
            rows.append(_ragged(family, family.entry_offsets, family.row, coefficient))
    return MatchingLP.beyond(offsets=lp.offsets, c=lp.c / of_edge, polytope=lp.polytope, rows=rows)


def _largest(lp: MatchingLP) -> float:
    """Of |a| and |c|."""
    return max(float(np.abs(numbers).max(initial=0.0)) for numbers in (lp.c, *(row.coefficient for row in lp.rows)))


def _ranges(starts: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """starts[i], ..., starts[i + 1] - 1 of each i of `chosen`, one after another."""
    count = np.diff(starts)[chosen]
    ends = np.cumsum(count)
    edges: npt.NDArray[np.int64] = np.arange(count.sum()) + np.repeat(starts[chosen] - (ends - count), count)
    return edges


def _starts(count: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.append(0, np.cumsum(count))


def _sources_of(
    lp: MatchingLP,
    chosen: npt.NDArray[np.int64],
    *,
    unit: npt.NDArray[np.float64] | None = None,
    total: npt.NDArray[np.float64] | None = None,
) -> MatchingLP:
    """The LP of the sources `chosen`, each `total` times, in these units; one of each where nothing is given."""
    degree = lp.degrees()[chosen]
    edges = _ranges(lp.offsets, chosen)
    of_edge = None if unit is None else np.repeat(unit, degree)
    params = lp.per_source.params[:, chosen]
    if unit is not None and total is not None:
        params = params * (total / unit)
    return MatchingLP(
        offsets=_starts(degree),
        c=_in_units(lp.c[edges], of_edge),
        polytope=PerSource(kind=lp.per_source.kind[chosen], params=params),
        rows=[_family_of(family, edges, of_edge) for family in lp.rows],
    )


def _family_of(
    family: Rows | RaggedRows, edges: npt.NDArray[np.int64], unit: npt.NDArray[np.float64] | None
) -> Rows | RaggedRows:
    """The family on these edges."""
    if isinstance(family, Rows):
        row = None if family.row is None else family.row[edges]
        coefficient = _in_units(_taken(family.coefficient, edges), unit)
        return Rows.unchecked(family.name, row, coefficient, family.sides, family.keys)
    count = np.diff(family.entry_offsets)[edges]
    entries = _ranges(family.entry_offsets, edges)
    coefficient = _in_units(_taken(family.coefficient, entries), None if unit is None else np.repeat(unit, count))
    return _ragged(family, _starts(count), family.row[entries], coefficient)


def _ragged(like: RaggedRows, starts: Any, row: Any, coefficient: Any) -> RaggedRows:
    """These entries, in the rows of another family."""
    return RaggedRows(
        like.name,
        entry_offsets=starts,
        row=row,
        coefficient=coefficient,
        lower=like.lower,
        upper=like.upper,
        penalty=(like.penalty_below, like.penalty_above),
        keys=like.keys,
    )


def _taken(coefficient: Coefficient, at: npt.NDArray[np.int64]) -> Coefficient:
    return coefficient[at] if isinstance(coefficient, np.ndarray) else coefficient


def _in_units(numbers: Any, unit: npt.NDArray[np.float64] | None) -> Any:
    """Costs or coefficients of x in these units, in the type of the numbers."""
    if unit is None:
        return numbers
    if isinstance(numbers, np.ndarray):
        return numbers * unit.astype(numbers.dtype)
    return (unit * numbers).astype(np.float32 if np.float32(numbers) == numbers else np.float64)


def _fingerprints(lp: MatchingLP) -> npt.NDArray[np.uint64]:
    """uint64[I]: the same for sources that are alike, and for others almost surely not."""
    edges = _mixed(_bits(lp.c))
    for family in lp.rows:
        if isinstance(family, Rows):
            edges = _with(edges, family.row, family.coefficient)
        else:
            entries = _with(_mixed(_places(family.entry_offsets)), family.row, family.coefficient)
            edges = _mixed(edges + _sums(family.entry_offsets, entries))
    sources = _sums(lp.offsets, _mixed(edges + _places(lp.offsets)))
    for numbers in (lp.degrees(), lp.per_source.kind, *lp.per_source.params):
        sources = _mixed(sources + _bits(numbers))
    return sources


def _with(hashes: npt.NDArray[np.uint64], *numbers: Any) -> npt.NDArray[np.uint64]:
    """The hashes with these arrays mixed in; what is the same for all tells nothing."""
    for array in numbers:
        if isinstance(array, np.ndarray):
            hashes = _mixed(hashes + _bits(array))
    return hashes


def _bits(numbers: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    wide = numbers.astype(np.float64) if numbers.dtype.kind == "f" else numbers.astype(np.int64)
    return wide.view(np.uint64)


def _places(starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """0, 1, ... within each range."""
    return (np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))).astype(np.uint64)


def _sums(starts: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Sum of each range, modulo 2^64."""
    total = np.append(np.uint64(0), np.cumsum(hashes, dtype=np.uint64))
    return total[starts[1:]] - total[starts[:-1]]


def _mixed(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A bijection after which every bit depends on all (splitmix64: Steele, Lea and Flood 2014)."""
    hashes = hashes + np.uint64(0x9E3779B97F4A7C15)
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _are_equal(lp: MatchingLP, like: npt.NDArray[np.int64]) -> bool:
    """Whether each source is the same as the source like[i], number by number."""
    same = lp.degrees(), lp.per_source.kind, *lp.per_source.params
    if not all(np.array_equal(numbers, numbers[like]) for numbers in same):
        return False
    edges = _ranges(lp.offsets, like)
    return np.array_equal(lp.c, lp.c[edges]) and all(_family_is_equal(family, edges) for family in lp.rows)


def _family_is_equal(family: Rows | RaggedRows, like: npt.NDArray[np.int64]) -> bool:
    at = like
    if isinstance(family, RaggedRows):
        count = np.diff(family.entry_offsets)
        if not np.array_equal(count, count[like]):
            return False
        at = _ranges(family.entry_offsets, like)
    arrays = (array for array in (family.row, family.coefficient) if isinstance(array, np.ndarray))
    return all(np.array_equal(array, array[at]) for array in arrays)
