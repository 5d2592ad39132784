"""The records that compiled loops take, instead of many arrays by position.

They are NamedTuples because Numba knows those: a loop reads `cells.slice_start` at no cost, and the order of the
fields matters to nobody.

I sources, J destinations, E edges; C bands, S slices, L lanes (over all slices) and K cells as in layout.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from instances import MatchingLP


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
    """float[L]: z of a simplex, u of a box, 0 in an empty lane."""
    index: Any
    """unsigned[K]: the destination of each cell."""
    a: Any
    """float[K]: 0 where a cell is padding."""
    c: Any
    """float[K]: PAD_COST where a cell is padding."""
    largest_slice: int
    """Cells of the largest slice of the layout, which scratch is made for."""


class Sums(NamedTuple):
    """What a pass adds up, band by band, in float64; each band writes its own row."""

    loads: Any
    """float64[C, J]: sum of a_e p_e by destination."""
    values: Any
    """float64[C, J]: sum of c_e p_e by destination."""
    scalars: Any
    """float64[C, n]: the sums of single numbers; which column is which, the loop says by named constants."""


class PassNumbers(NamedTuple):
    """What a pass evaluates at, in the type of the cells; see kernel.Kernel."""

    price: Any
    """float[J]"""
    step: Any
    resolution: Any
    """The relative distance of neighbouring numbers: a projection that moves less has ended."""
    want_values: bool


class MixWeights(NamedTuple):
    """kernel.Mix in the type of the cells."""

    projected: Any
    centre: Any
    anchor: Any
    restart: bool


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
    """One entry where all sources share it, which a view with stride 0 says; else one a source."""
    return values[:1].copy() if lp.sources and values.strides == (0,) else values
