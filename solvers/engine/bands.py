"""The bands of an instance: consecutive sources with equal shares of the edges, chosen by its shape alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances import MatchingLP

#: A band has at least this many edges, and this many for each destination, whose loads it sums by itself.
_LEAST_EDGES = 65_536
_LEAST_EDGES_PER_DESTINATION = 32
#: There are at most so many bands ...
_BANDS = 64
#: ... unless one would have more edges than this.
_MOST_EDGES = 1 << 23


def count_bands(edges: int, destinations: int) -> int:
    """A power of two."""
    bands = min(
        max(_BANDS, edges // _MOST_EDGES),
        edges // _LEAST_EDGES,
        edges // (_LEAST_EDGES_PER_DESTINATION * max(1, destinations)),
    )
    return 1 << max(0, bands.bit_length() - 1)


def cut_bands(lp: MatchingLP) -> npt.NDArray[np.int64]:
    """[C + 1]: the first source of each band."""
    bands = count_bands(lp.edges, lp.row_count)
    shares = np.array([lp.edges * k // bands for k in range(1, bands)], dtype=np.int64)
    return np.concatenate(([0], np.searchsorted(lp.offsets[:-1], shares), [lp.sources])).astype(np.int64)
