"""Steps through an instance that may lie on the disk: all at once from memory, else a few bands at a time.

Bands are consecutive sources (see layout.py). While the caller works on a step the next is read ahead, and the pages of
the one before are released; see instances.mapped.stream_chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, RaggedRows
from instances.mapped import stream_chunks
from solvers.base import Vector
from solvers.engine.bands import cut_bands


def bands_in_turn(lp: MatchingLP, band: npt.NDArray[np.int64], x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) band of one step after another through the instance and x."""
    import numba

    starts = lp.offsets[band]
    streams = [(lp.offsets, band), *_by_edge(lp, starts), *([] if x is None else [(x, starts)])]
    return stream_chunks(band.size - 1, numba.get_num_threads(), streams)


def sources_in_turn(lp: MatchingLP, x: Vector | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) source of one step after another through the instance and x."""
    band = cut_bands(lp)
    return ((int(band[first]), int(band[last])) for first, last in bands_in_turn(lp, band, x))


def terms_of(lp: MatchingLP, band: npt.NDArray[np.int64]) -> float:
    """The most numbers that a sum over these bands and over the rows adds one after another."""
    starts = lp.offsets[band]
    ragged = [family.entry_offsets[starts] for family in lp.rows if isinstance(family, RaggedRows)]
    most = max(np.diff(numbers).max(initial=0) for numbers in (starts, *ragged)) + np.diff(band).max(initial=0)
    return float(most + band.size + lp.row_count)


def _by_edge(lp: MatchingLP, starts: npt.NDArray[np.int64]) -> list[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]:
    """The arrays of `lp` with an entry for each edge, or several, and where those of `starts` begin."""
    streams: list[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]] = [(lp.c, starts)]
    for family in lp.rows:
        first = family.entry_offsets[starts] if isinstance(family, RaggedRows) else starts
        streams += [(family.entry_offsets, starts)] if isinstance(family, RaggedRows) else []
        streams += [(values, first) for values in (family.row, family.coefficient) if isinstance(values, np.ndarray)]
    return streams
