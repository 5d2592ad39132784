"""The records that compiled loops take, instead of many arrays by position.

They are NamedTuples because Numba knows those. A compiled function reads the arrays of a record into local names before
its inner loop: each read counts a reference, which LLVM cannot always move out of a loop with branches.

I sources, J destinations, E edges, R rows of all families (J where there is one family); C bands, S slices, L lanes
(over all slices) and K cells as in layout.py. Prices, loads and duals have R entries.

The first family has a field for each of its arrays: every edge has one entry in it. Further families stand in `more`,
None where there are none; families_jit.py walks them. An instance without an aligned family that has rows of its own
has a first family of zeros.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from instances import InputError, MatchingLP, RaggedRows, Rows
from solvers.engine.polytopes.kinds import BOX_CUT, BOX_CUT_EQUALITY

#: The columns of Sums.scalars: sum_i min over C_i of q_i'x, ||p - centre||^2, ||p - anchor||^2 and c'p ...
SUPPORT, MOVEMENT, DISTANCE, VALUE = range(4)
#: ... and where a proof adds up others: sum |c_e p_e|, and that of the edges with a = 0.
SIZE, FREE_SIZE = MOVEMENT, DISTANCE


class AlignedEntries(NamedTuple):
    """A further family in which each edge or cell has one entry."""

    first_row: int
    """Its first row among those of all families."""
    index: Any
    """int32[E] or unsigned[K], the row counted from first_row; None where the family has one row."""
    a: Any
    """float[E] or float[K], 0 where a cell is padding; None where all entries have one coefficient."""
    coefficient: Any
    """The coefficient of all entries where a is None, in the type of an `a`."""


class RaggedEntries(NamedTuple):
    """A further family in which an edge or cell has any number of entries: start[e]..start[e + 1] - 1, N in all."""

    first_row: int
    """Its first row among those of all families."""
    start: Any
    """int64[E + 1] or int64[K + 1]"""
    index: Any
    """int32[N] or unsigned[N]: the row counted from first_row."""
    a: Any
    """float[N]; None where all entries have one coefficient."""
    coefficient: Any
    """The coefficient of all entries where a is None, in the type of an `a`."""


class EdgeArrays(NamedTuple):
    """An instance in the order of its edges; every array is a read-only view."""

    offsets: Any
    """int64[I + 1]: the edges of source i are offsets[i]..offsets[i + 1] - 1."""
    destination: Any
    """int32[E]"""
    a: Any
    """float[E]: the load of an edge on the budget row of its destination."""
    c: Any
    """float[E]: the cost of an edge."""
    kind: Any
    """uint8[I], or [1] where all sources share it: a number of engine/polytopes/kinds.py."""
    radius: Any
    """float64[I], or [1] where all sources share it: z of a simplex or box-cut, u of a box."""
    upper: Any
    """float64[I], or [1] where all sources share it: u of a box-cut; [1] that is not read where there is none."""
    more: Any = None
    """(AlignedEntries or RaggedEntries, ...) of the families beyond the first; None where there are none."""


class Cells(NamedTuple):
    """An instance, or a window of it, in cells; everything is counted from the start of the window."""

    band_slice: Any
    """int64[C + 1]: the first slice of each band."""
    slice_start: Any
    """int64[S + 1]: the first cell of each slice."""
    slice_lane: Any
    """int64[S + 1]: the first lane of each slice."""
    slice_kind: Any
    """uint8[S]: a number of engine/polytopes/kinds.py."""
    radius: Any
    """float[L]: z of a sum, u of a box, 0 in an empty lane."""
    index: Any
    """unsigned[K]: the destination of each cell."""
    a: Any
    """float[K]: 0 where a cell is padding."""
    c: Any
    """float[K]: PAD_COST where a cell is padding."""
    largest_slice: int
    """Cells of the largest slice of the layout, for which scratch is made."""
    upper: Any = None
    """float[L]: u of a box-cut; None where the instance has none, and nothing of box-cuts is compiled then."""
    more: Any = None
    """(AlignedEntries or RaggedEntries, ...) as in EdgeArrays, and nothing of them is compiled where it is None."""


class SliceCells(NamedTuple):
    """The cells of one slice."""

    index: Any
    a: Any
    c: Any
    more: Any
    """The entries of these cells in further families; None where there are none."""


class SlicePolytopes(NamedTuple):
    """The polytopes of the lanes of one slice, all of one kind."""

    kind: int
    radius: Any
    """float[lanes]"""
    upper: Any
    """float[lanes], or None: see Cells."""


class WayBack(NamedTuple):
    """How cells become edges."""

    slice_order: Any
    """int64[S]: the slices by their first source, so that neighbours in time write neighbours in x."""
    source: Any
    """int[L]: the source of each lane, -1 where it is empty."""
    offsets: Any
    """int64[I + 1]: EdgeArrays.offsets."""


class Sums(NamedTuple):
    """What a pass adds up in float64, one row a band; without the first axis where it is the row of one band."""

    loads: Any
    """[C, J]: sum of a_e p_e by destination."""
    values: Any
    """[C, J]: sum of c_e p_e by destination."""
    scalars: Any
    """[C, 4]: the columns above."""


class PassNumbers(NamedTuple):
    """What a pass evaluates at, in the type of the cells; see kernel.Kernel."""

    price: Any
    """float[J]"""
    step: Any
    resolution: Any
    """The relative distance of neighbouring numbers: a projection that moves less has ended."""
    want_values: bool


class Iterate(NamedTuple):
    """The primal vectors that Kernel.advance overwrites, and kernel.Mix in the type of the cells."""

    x: Any
    """float[K]"""
    anchor: Any
    """float[K]"""
    on_projected: Any
    """Weight of the projected point in the new x."""
    on_centre: Any
    """Weight of x."""
    on_anchor: Any
    """Weight of the anchor."""
    restart: bool
    """Whether the anchor becomes the projected point."""


class PassScratch(NamedTuple):
    """Scratch for one slice, VECTOR_WIDTH entries longer than it."""

    q: Any
    """The reduced costs c + A'price."""
    p: Any
    """The point to project, then its projection."""


class PartlyUsed(NamedTuple):
    """F edges of a point that are neither 0 nor at their limits, of S sources, with N entries in rows."""

    source_start: Any
    """int64[S + 1]: the edges of a source."""
    start: Any
    """int64[F + 1]: the entries of an edge."""
    row: Any
    """int64[N]"""
    a: Any
    """float64[N]"""
    weight: Any
    """float64[F]: how readily an edge changes."""
    slack_weight: Any
    """float64[S]: how readily the sum of a source does; 0 where it cannot, inf where nothing limits it."""


def edge_arrays(lp: MatchingLP) -> EdgeArrays:
    """The arrays of `lp` as read-only, contiguous views, so that compiled loops see one set of types."""
    known = _KNOWN.get(lp)
    if known is not None:
        return known
    if lp.edge_upper is not None:
        raise InputError("compiled loops know one upper bound a source, and the instance has one an edge")
    polytope = lp.per_source
    upper = polytope.params[1] if len(polytope.params) > 1 else np.zeros(1)
    of_sources = [_entry_or_all(lp, values) for values in (polytope.kind, polytope.radius, upper)]
    destination, a, more = (lp.destination, lp.a, None) if lp.is_short_form else _of_families(lp)
    views = [read_only(values) for values in (lp.offsets, destination, a, lp.c, *of_sources)]
    made = EdgeArrays(*views)._replace(more=more)
    if more is not None:
        _KNOWN[lp] = made  # it may have copied arrays
    return made


#: The arrays of instances with several families, which proofs ask for again and again.
_KNOWN: WeakKeyDictionary[MatchingLP, EdgeArrays] = WeakKeyDictionary()


def has_box_cuts(edges: EdgeArrays) -> bool:
    """Whether a source limits both its sum and its edges: loops for such are compiled only where there are some."""
    return bool(np.isin(edges.kind, (BOX_CUT, BOX_CUT_EQUALITY)).any())


def read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A contiguous view that cannot be written, a type of its own to compiled loops."""
    view = np.ascontiguousarray(values).view()
    view.flags.writeable = False
    return view


def _of_families(lp: MatchingLP) -> tuple[Any, Any, tuple[Any, ...]]:
    """Row and coefficient of each edge in the family that goes first, and the entries of the others."""
    first_rows = np.cumsum([0, *(family.rows for family in lp.rows)]).tolist()
    numbered = list(zip(lp.rows, first_rows, strict=False))
    chosen = next((n for n, (f, _) in enumerate(numbered) if isinstance(f, Rows) and f.row is not None), None)
    destination: Any = np.zeros(lp.edges, dtype=np.int32)
    a: Any = np.zeros(lp.edges, dtype=np.float32)
    if chosen is not None:
        family, first_row = numbered.pop(chosen)
        row: Any = family.row
        destination = row if first_row == 0 else row + np.int32(first_row)
        a = family.coefficient if isinstance(family.coefficient, np.ndarray) else _filled(family.coefficient, lp.edges)
    return destination, a, tuple(_entries(family, first_row) for family, first_row in numbered)


def _filled(coefficient: float, edges: int) -> npt.NDArray[Any]:
    """The coefficient of each edge where all have the same one."""
    narrow = float(np.float32(coefficient)) == coefficient
    return np.full(edges, coefficient, dtype=np.float32 if narrow else np.float64)


def _entries(family: Rows | RaggedRows, first_row: int) -> AlignedEntries | RaggedEntries:
    """A further family, in the order of the edges."""
    a, coefficient = (None, family.coefficient) if isinstance(family.coefficient, float) else (family.coefficient, 0.0)
    a = None if a is None else read_only(a)
    if isinstance(family, RaggedRows):
        return RaggedEntries(first_row, read_only(family.entry_offsets), read_only(family.row), a, coefficient)
    index = None if family.row is None else read_only(family.row)
    return AlignedEntries(first_row, index, a, coefficient)


def _entry_or_all(lp: MatchingLP, values: Any) -> Any:
    """One entry where all sources share it, which a view with stride 0 says; else one per source."""
    return values[:1].copy() if lp.sources and values.strides == (0,) else values
