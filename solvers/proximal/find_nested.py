"""Which rows of an instance lie within others, looked for in the cells of all ranks. R rows, K cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import AlignedEntries, Cells
from solvers.engine.collectives import Communicator
from solvers.engine.constants import PAD_COST
from solvers.engine.prices import Prices
from solvers.proximal.nested import NONE, Nesting

#: Cells looked at in one step: few at first, which tell of most families that no row lies within another.
_FIRST_CELLS, _CELLS = 1 << 14, 1 << 18

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Family:
    """An aligned family in cells."""

    first_row: int
    index: Any
    """unsigned[K], None where there is one row."""
    a: Any
    """float[K], None where all cells have one coefficient."""
    coefficient: float

    def part(self, at: Any) -> tuple[Integers, Prices]:
        """Row, among those of all families, and coefficient of the cells at[n]."""
        row = np.zeros(at.size, dtype=np.int64) if self.index is None else self.index[at].astype(np.int64)
        a = np.full(at.size, self.coefficient) if self.a is None else self.a[at].astype(np.float64)
        return row + self.first_row, a


class _Within:
    """What has been seen of the rows of one family and of the rows of another around them."""

    def __init__(self, rows: int) -> None:
        self.parent = np.full(rows, NONE, dtype=np.int64)
        self.ratio = np.ones(rows)
        self.broken = np.zeros(rows, dtype=bool)

    def look(self, row: Integers, a: Prices, other: Integers, b: Prices) -> None:
        """At cells with the coefficient a in `row` and b in the row `other`."""
        ratio = b / a
        new = np.flatnonzero(self.parent[row] == NONE)
        some = np.empty(self.parent.size, dtype=np.int64)
        some[row[new]] = new  # one of the cells of each new row
        seen = row[new]
        self.parent[seen] = other[some[seen]]
        self.ratio[seen] = ratio[some[seen]]
        differs = (self.parent[row] != other) | (self.ratio[row] != ratio) | (b == 0)
        self.broken[row[differs]] = True

    @property
    def hopeful(self) -> bool:
        """Whether some row that has been seen may lie within another."""
        return bool(((self.parent != NONE) & ~self.broken).any())

    def agreed(self, group: Communicator) -> tuple[Integers, Prices]:
        """Parent and ratio by what all ranks have seen; NONE where they saw different ones."""
        seen = self.parent != NONE
        least = np.concatenate((np.where(seen, self.parent, np.inf), np.where(seen, self.ratio, np.inf)))
        most = np.concatenate((np.where(seen, self.parent, -np.inf), np.where(seen, self.ratio, -np.inf)))
        least, most = -group.max(-least), group.max(most)
        broken = group.max(self.broken.astype(np.float64))
        rows = self.parent.size
        same = (least == most)[:rows] & (least == most)[rows:] & (broken == 0)
        return np.where(same, most[:rows], NONE).astype(np.int64), np.where(same, most[rows:], 1.0)


def find_nesting(cells: Cells, rows: int, group: Communicator) -> Nesting | None:
    """The smallest row of another family that each row of an aligned one lies within; None where no row does."""
    families = _aligned_families(cells, group)
    if len(families) < 2:
        return None
    count = group.sum(sum((_counts(family, cells, rows) for family in families), np.zeros(rows, dtype=np.int64)))
    parent, ratio = np.full(rows, NONE, dtype=np.int64), np.ones(rows)
    own = np.arange(rows)
    for child, around in itertools.permutations(families, 2):
        found, times = _look(child, around, cells, rows).agreed(group)
        # of two rows with the same edges the first is the parent, so that none is its own ancestor
        larger = (count[found] > count) | ((count[found] == count) & (found < own))
        smaller_than_known = (parent == NONE) | (count[found] < count[parent])
        better = (found != NONE) & larger & smaller_than_known
        parent[better] = found[better]
        ratio[better] = times[better]
    return Nesting(parent=parent, ratio=ratio) if (parent != NONE).any() else None


def _look(child: _Family, around: _Family, cells: Cells, rows: int) -> _Within:
    """At the rows of `child` within those of `around`, on this rank."""
    within = _Within(rows)
    for at in _steps(cells):
        row, a = child.part(at)
        other, b = around.part(at)
        loads = a != 0
        within.look(row[loads], a[loads], other[loads], b[loads])
        if not within.hopeful:
            break
    return within


def _counts(family: _Family, cells: Cells, rows: int) -> Integers:
    """int64[R]: the cells of this rank in each row of the family."""
    count = np.zeros(rows, dtype=np.int64)
    for at in _steps(cells):
        row, a = family.part(at)
        count += np.bincount(row[a != 0], minlength=rows)
    return count


def _steps(cells: Cells) -> Iterator[Integers]:
    """The cells that hold edges, some at a time."""
    first = 0
    while first < cells.c.size:
        last = min(cells.c.size, first + (_CELLS if first else _FIRST_CELLS))
        yield first + np.flatnonzero(cells.c[first:last] < PAD_COST / 2)
        first = last


def _aligned_families(cells: Cells, group: Communicator) -> list[_Family]:
    """Those with rows of their own: a first family of zeros has none."""
    first = _Family(first_row=0, index=cells.index, a=cells.a, coefficient=0.0)  # its numbers count through all rows
    more = [
        _Family(first_row=family.first_row, index=family.index, a=family.a, coefficient=float(family.coefficient))
        for family in cells.more or ()
        if isinstance(family, AlignedEntries)
    ]
    return [first, *more] if group.max(np.array([float(cells.a.any())]))[0] else more
