"""Sorted rows of a partition, cut into tables of whole sources."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.spark.layout import SOURCE

Batches = Iterator[Any]


def whole_sources(batches: Batches, most: int) -> Iterator[Any]:
    """Arrow tables of whole sources, each with at most `most` rows or a single source that has more."""
    import pyarrow as pa

    waiting: list[Any] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count < most:
            continue
        rows = pa.Table.from_batches(waiting)
        cuts = _cuts(rows[SOURCE].to_numpy(), most)[:-1]  # the last source may go on
        yield from (rows.slice(first, last - first).combine_chunks() for first, last in itertools.pairwise(cuts))
        waiting = rows.slice(cuts[-1]).to_batches()
        count -= cuts[-1]
    if count:
        rows = pa.Table.from_batches(waiting)
        cuts = _cuts(rows[SOURCE].to_numpy(), most)
        yield from (rows.slice(first, last - first).combine_chunks() for first, last in itertools.pairwise(cuts))


def _cuts(source: npt.NDArray[np.int64], most: int) -> list[int]:
    """Where pieces of rows with these sources begin, and the end."""
    starts = np.append(np.flatnonzero(np.diff(source, prepend=-1)), source.size)
    cuts = [0]
    while cuts[-1] < source.size:
        within = int(np.searchsorted(starts, cuts[-1] + most, side="right")) - 1
        following = int(np.searchsorted(starts, cuts[-1], side="right"))
        cuts.append(int(starts[max(within, following)]))
    return cuts
