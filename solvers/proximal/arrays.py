"""The records of the compiled loops of the proximal phase; see engine/arrays.py for those of an instance.

J destinations; C bands, S slices, L lanes and K cells of a layout or of a subproblem, R near lanes, M movable rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class ProximalStep(NamedTuple):
    """Where a pass evaluates z = centre - step (c + A'price)."""

    centre: Any
    """float[K]: the point of which the step starts, in the type of the cells."""
    step: float
    price: Any
    """float64[J]"""


class FullPass(NamedTuple):
    """What a pass over all cells of a rank leaves."""

    x: Any
    """float[K], in the type of the cells."""
    tau: Any
    """float64[L]; see engine/polytopes/lanes_jit.py."""
    margin: Any
    """float64[L]: while no price moves by more, the free edges of the source stay the same ones."""
    loads: Any
    """float64[C, J]: A x by band."""
    values: Any
    """float64[C, J]: c'x by destination and band."""
    scalars: Any
    """float64[C, 3]: SUPPORT, MOVED and COST by band."""


class SubproblemPass(NamedTuple):
    """What a pass over the cells of a subproblem leaves."""

    x: Any
    """float64[K]: never rounded to the type of the cells."""
    curvature: Any
    """int8[L]: FLAT, CURVED_SLACK or CURVED_TIGHT of engine/polytopes/lanes_jit.py."""
    loads: Any
    """float64[C, J]: A x by band."""
    scalars: Any
    """float64[C, 3]: 0, MOVED and COST by band."""


#: The columns of `scalars`: sum_i min over C_i of (c_i + A_i'price)'x, ||x - centre||^2, c'x.
SUPPORT, MOVED, COST = 0, 1, 2


class NearLanes(NamedTuple):
    """The lanes with a margin within reach, and their edges that can become free. Lane r has the cells
    cell[first[r]], ..., cell[first[r] + count[r] - 1].
    """

    cell: Any
    """int64"""
    first: Any
    """int64[R]"""
    count: Any
    """int64[R]"""
    kind: Any
    """uint8[R]"""
    radius: Any
    """float[R]: of a box-cut what its other edges leave of z."""
    upper: Any
    """float[R]: u of a box-cut; None where the instance has none."""
    loads: Any
    """float64[C, J]: A x of these edges by band of the layout."""


class FreeEdges(NamedTuple):
    """The free edges in movable rows, source by source, of those sources that have some and where phi is curved."""

    offsets: Any
    """int64[R + 1]: the edges of source r are offsets[r]..offsets[r + 1] - 1."""
    row: Any
    """int32: the number of the row among the movable ones."""
    a: Any
    """float64"""
    inv_free: Any
    """float64[R]: 1 / the number of all free edges of a tight source, 0 of another."""


class CgState(NamedTuple):
    """The vectors of conjugate gradients, float64[M], all overwritten by a step."""

    solution: Any
    residual: Any
    direction: Any
