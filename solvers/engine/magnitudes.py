"""Which magnitudes the engine's loops can work with: products of two numbers of an instance must not leave float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import release_pages
from solvers.engine.arrays import edge_arrays
from solvers.engine.row_bounds import row_bounds

#: The square of a number between the two, and its inverse, are float64 numbers of full precision.
_SMALLEST = 1e-100
_LARGEST = 1e100
#: Numbers that are looked at at once, because arrays may lie on the disk.
_PIECE = 1 << 20


def beyond_range(lp: MatchingLP) -> str:
    """One line that names the array whose numbers are too large, or all too small, for the engine; "" where none is."""
    edges = edge_arrays(lp)
    of_sources = "the z or u of the sources"
    arrays = [("a", edges.a), ("c", edges.c), *_of_rows(lp), (of_sources, edges.radius), (of_sources, edges.upper)]
    arrays += [("a", family.a) for family in edges.more or () if family.a is not None]
    for name, array in arrays:
        largest = _largest(array)
        if largest > _LARGEST or (name in ("a", "c") and 0 < largest < _SMALLEST):
            return (
                f"the largest number of {name} is {largest:.3g}: the engine works with {_SMALLEST:g} to {_LARGEST:g}, "
                f"give the instance in other units"
            )
    return ""


def _of_rows(lp: MatchingLP) -> list[tuple[str, npt.NDArray[Any]]]:
    if lp.is_short_form:
        return [("b", lp.b)]
    sides = row_bounds(lp)
    return [("the limits of the rows", side) for side in (sides.finite_lower, sides.finite_upper)] + [
        ("the penalties of the rows", penalty) for penalty in (sides.soft_below, sides.soft_above)
    ]


def _largest(array: npt.NDArray[Any]) -> float:
    """The largest absolute value; float32 numbers are never beyond the range, and not looked at."""
    if array.dtype == np.float32:
        return 1.0
    return max(_largest_of_pieces(array), default=0.0)


def _largest_of_pieces(array: npt.NDArray[Any]) -> Iterator[float]:
    for first in range(0, array.size, _PIECE):
        piece = array[first : first + _PIECE]
        yield max(float(piece.max()), -float(piece.min()))
        release_pages(array, first, first + piece.size)
