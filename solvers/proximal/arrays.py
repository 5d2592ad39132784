"""The records of the compiled loops of the proximal phase; see engine/arrays.py for those of an instance.

R rows; C bands, S slices, L lanes and K cells of a layout or of a subproblem, N near lanes, M movable rows, F free
edges.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class ProximalStep(NamedTuple):
    """Where a pass evaluates z = centre - step (c + A'price)."""

    centre: Any
    """float[K]: the point of which the step starts, in the type of the cells."""
    step: float
    price: Any
    """float64[R]"""


class FullPass(NamedTuple):
    """What a pass over all cells of a rank leaves, and the reach of the cells, which it reads."""

    reach: Any
    """float[K]: what the reduced cost of a cell can change by while every price moves by its unit (full.py)."""
    x: Any
    """float[K], in the type of the cells."""
    tau: Any
    """float64[L]; see engine/polytopes/lanes_jit.py."""
    margin: Any
    """float64[L]: while no price moves by more of its units, the free edges of the source stay the same ones."""
    loads: Any
    """float64[C, R]: A x by band."""
    values: Any
    """float64[C, R]: c'x by row and band; only where there is one family."""
    scalars: Any
    """float64[C, 3]: SUPPORT, MOVED and COST by band."""


class SubproblemPass(NamedTuple):
    """What a pass over the cells of a subproblem leaves."""

    x: Any
    """float64[K]: never rounded to the type of the cells."""
    curvature: Any
    """int8[L]: FLAT, CURVED_SLACK or CURVED_TIGHT of engine/polytopes/lanes_jit.py."""
    loads: Any
    """float64[C, R]: A x by band."""
    scalars: Any
    """float64[C, 3]: 0, MOVED and COST by band."""


#: The columns of `scalars`: sum_i min over C_i of (c_i + A_i'price)'x, ||x - centre||^2, c'x.
SUPPORT, MOVED, COST = 0, 1, 2


class NearLanes(NamedTuple):
    """The lanes with a margin within the radius, and their edges that can become free. Lane n has the cells
    cell[first[n]], ..., cell[first[n] + count[n] - 1].
    """

    cell: Any
    """int64"""
    first: Any
    """int64[N]"""
    count: Any
    """int64[N]"""
    kind: Any
    """uint8[N]"""
    radius: Any
    """float[N]: of a box-cut what its other edges leave of z."""
    upper: Any
    """float[N]: u of a box-cut; None where the instance has none."""
    loads: Any
    """float64[C, R]: A x of these edges by band of the layout."""


class FreeEdges(NamedTuple):
    """The free edges in movable rows, source by source, of those sources that have some and where phi is curved."""

    offsets: Any
    """int64[I + 1]: the edges of the i-th such source are offsets[i]..offsets[i + 1] - 1."""
    start: Any
    """int64[F + 1]: the entries of edge f are start[f]..start[f + 1] - 1; None where each has one entry."""
    row: Any
    """int32, of each entry: the number of the row among the movable ones."""
    a: Any
    """float64, of each entry."""
    inv_free: Any
    """float64[I]: 1 / the number of all free edges of a tight source, 0 of another."""


class CgState(NamedTuple):
    """The vectors of conjugate gradients, float64[M], all overwritten by a step."""

    solution: Any
    residual: Any
    direction: Any
