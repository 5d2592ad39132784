"""Arrays with an entry an edge: on the disk where a solve of so many edges does not fit the memory, and used in pieces.

Solver and referee read an LP whose arrays are mapped files piece by piece. E edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.available import available_memory
from instances.mapped import default_cache, is_mapped, release_pages, unnamed_array

Array = npt.NDArray[Any]
#: Entries of a piece.
_PIECE = 1 << 20
#: Bytes an edge that LP, solver and referee take together where all is in memory: measured 72 with one family of limits
#: (`blockpdhg`, 1e7 edges).
_SOLVED_IN_MEMORY = 72


def is_too_long(edges: int) -> bool:
    """Whether an LP of so many edges cannot be solved within the memory that is available."""
    return edges * _SOLVED_IN_MEMORY > available_memory()


def empty(size: int, dtype: Any, *, on_disk: bool) -> Array:
    """An array to be filled. Raises InputError where the disk has no room for it."""
    return unnamed_array(size, dtype, default_cache(), "the LP") if on_disk else np.empty(size, dtype)


def negated(array: Array) -> Array:
    """-array, on the disk where `array` is."""
    found = empty(array.size, array.dtype, on_disk=is_mapped(array))
    for piece in _pieces(array.size):
        np.negative(array[piece], out=found[piece])
        _release(piece, array, found)
    return found


def taken(array: Array, places: npt.NDArray[np.int64]) -> Array:
    """array[places] for rising places, on the disk where `array` is."""
    found = empty(places.size, array.dtype, on_disk=is_mapped(array))
    for piece in _pieces(places.size):
        found[piece] = array[places[piece]]
        _release(piece, found)
    release_pages(array)
    return found


def are_finite(array: Array) -> bool:
    """Whether all entries are finite numbers."""
    return all(np.isfinite(array[piece]).all() for piece in _used(array))


def least(array: Array) -> int:
    """The smallest entry; 0 where there is none."""
    return min((int(array[piece].min()) for piece in _used(array)), default=0)


def counted(numbers: Array, size: int) -> npt.NDArray[np.int64]:
    """How often each of 0 .. size - 1 stands in `numbers`, int64[size]."""
    found = np.zeros(size, dtype=np.int64)
    for piece in _used(numbers):
        here = numbers[piece]
        first = here.min()
        times = np.bincount(here - first)
        found[first : first + times.size] += times
    return found


def _used(array: Array) -> Iterator[slice]:
    """Its pieces, each released once it was used."""
    for piece in _pieces(array.size):
        yield piece
        _release(piece, array)


def _pieces(size: int) -> Iterator[slice]:
    for first in range(0, size, _PIECE):
        yield slice(first, min(first + _PIECE, size))


def _release(piece: slice, *arrays: Array) -> None:
    for array in arrays:
        release_pages(array, piece.start, piece.stop)
