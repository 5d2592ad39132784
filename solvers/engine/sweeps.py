"""Steps through an instance that may lie on the disk: all at once from memory, else a few bands at a time.

Bands are consecutive sources (see layout.py). While the caller works on a step the next is read ahead, and the pages of
the one before are released; see instances.mapped.stream_chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, Rows
from instances.mapped import stream_chunks
from solvers.base import Vector
from solvers.engine.bands import cut_bands


def bands_in_turn(lp: MatchingLP, band: npt.NDArray[np.int64], x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) band of one step after another through the instance and x."""
    import numba

    starts = lp.offsets[band]
    streams = [(lp.offsets, band), *((array, starts) for array in _by_edge(lp))]
    return stream_chunks(band.size - 1, numba.get_num_threads(), [*streams, *([] if x is None else [(x, starts)])])


def sources_in_turn(lp: MatchingLP, x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) source of one step after another through the instance and x."""
    band = cut_bands(lp)
    return ((int(band[first]), int(band[last])) for first, last in bands_in_turn(lp, band, x))


def terms_of(lp: MatchingLP, band: npt.NDArray[np.int64]) -> float:
    """The most numbers that a sum over these bands and over the rows adds one after another."""
    most = np.diff(lp.offsets[band]).max(initial=0) + np.diff(band).max(initial=0)
    return float(most + band.size + lp.row_count)


def _by_edge(lp: MatchingLP) -> list[npt.NDArray[Any]]:
    """The arrays of `lp` with an entry for each edge."""
    aligned = [family for family in lp.rows if isinstance(family, Rows)]
    by_edge = [values for family in aligned for values in (family.row, family.coefficient)]
    return [lp.c, *(values for values in by_edge if isinstance(values, np.ndarray))]
