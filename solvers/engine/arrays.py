"""The records that compiled loops take, instead of many arrays by position.

They are NamedTuples because Numba knows those. A compiled function reads the arrays of a record into local names before
its inner loop: each read counts a reference, which LLVM cannot always move out of a loop with branches.

I sources, J destinations, E edges; C bands, S slices, L lanes (over all slices) and K cells as in layout.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from instances import MatchingLP

#: The columns of Sums.scalars: sum_i min over C_i of q_i'x, ||p - centre||^2, ||p - anchor||^2 and c'p ...
SUPPORT, MOVEMENT, DISTANCE, VALUE = range(4)
#: ... and where a proof adds up others: sum |c_e p_e|, and that of the edges with a = 0.
SIZE, FREE_SIZE = MOVEMENT, DISTANCE


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


class SliceCells(NamedTuple):
    """The cells of one slice."""

    index: Any
    a: Any
    c: Any


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


def edge_arrays(lp: MatchingLP) -> EdgeArrays:
    """The arrays of `lp` as read-only, contiguous views, so that compiled loops see one set of types."""
    polytope = lp.per_source
    upper = polytope.params[1] if len(polytope.params) > 1 else np.zeros(1)
    of_sources = [_entry_or_all(lp, values) for values in (polytope.kind, polytope.radius, upper)]
    views = [np.ascontiguousarray(v).view() for v in (lp.offsets, lp.destination, lp.a, lp.c, *of_sources)]
    for view in views:
        view.flags.writeable = False
    return EdgeArrays(*views)


def _entry_or_all(lp: MatchingLP, values: Any) -> Any:
    """One entry where all sources share it, which a view with stride 0 says; else one per source."""
    return values[:1].copy() if lp.sources and values.strides == (0,) else values
