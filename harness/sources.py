"""The referee's own view of an instance: consecutive sources in chunks, upcast to float64, with sums by source."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import release_pages
from instances.per_source import Limits

Float64 = npt.NDArray[np.float64]
T = TypeVar("T")

#: Edges of a chunk: small enough for the second-level cache, large enough that NumPy's calls cost nothing beside it.
CHUNK_EDGES = 1 << 16
#: Results that may wait for their turn; each can hold vectors of length J.
_AHEAD = 16


@dataclass(frozen=True, eq=False)
class Chunk:
    """Sources first : last of an instance. Arrays of its edges are in the order of the instance."""

    lp: MatchingLP
    first: int
    last: int

    @cached_property
    def edges(self) -> slice:
        return slice(int(self.lp.offsets[self.first]), int(self.lp.offsets[self.last]))

    def read(self, array: npt.NDArray[Any], dtype: Any = np.float64) -> npt.NDArray[Any]:
        """A copy of the part of array[E] that is here; where the array is mapped from a file, it leaves memory."""
        part = array[self.edges].astype(dtype)
        release_pages(array, self.edges.start, self.edges.stop)
        return part

    @cached_property
    def destination(self) -> npt.NDArray[np.intp]:
        return self.read(self.lp.destination, np.intp)

    @cached_property
    def a(self) -> Float64:
        return self.read(self.lp.a)

    @cached_property
    def c(self) -> Float64:
        return self.read(self.lp.c)

    @cached_property
    def smallest_coefficient(self) -> float:
        """The smallest a_e above 0; +inf where there is none."""
        smallest = float(np.min(self.a, initial=np.inf))
        return smallest if smallest > 0 else float(np.min(self.a, initial=np.inf, where=self.a > 0))

    @cached_property
    def positive_coefficients(self) -> bool:
        """Whether every a_e is above 0."""
        return float(np.min(self.a, initial=np.inf)) > 0

    @cached_property
    def largest_cost(self) -> float:
        """The largest |c_e|."""
        return max(float(np.max(self.c, initial=0.0)), -float(np.min(self.c, initial=0.0)))

    @cached_property
    def limits(self) -> Limits:
        """z, u and whether the sum is z of each source; inf where it has no such limit. u is the largest of its edges
        where these have different ones.
        """
        return self.lp.per_source.limits(self.first, self.last)

    @cached_property
    def upper(self) -> Float64:
        """u of each edge; inf where it has none."""
        own = self.lp.edge_upper
        return self.limits.upper[self.source] if own is None else self.read(own)

    @cached_property
    def degrees(self) -> npt.NDArray[np.int64]:
        degrees = np.diff(self.lp.offsets[self.first : self.last + 1])
        release_pages(self.lp.offsets, self.first, self.last + 1)
        return degrees

    @cached_property
    def source(self) -> npt.NDArray[np.intp]:
        """Source of each edge, counted from `first`."""
        return np.repeat(np.arange(self.last - self.first), self.degrees)

    def total(self, values: Float64) -> Float64:
        """Sum over the edges of each source; 0 where it has none."""
        return self._reduce(np.add, values, 0.0)

    def minimum(self, values: Float64) -> Float64:
        """Smallest over the edges of each source; +inf where it has none."""
        return self._reduce(np.minimum, values, np.inf)

    def load(self, values: Float64, destinations: int) -> Float64:
        """A times `values`: what the edges of this chunk put on each budget row, float64[J]."""
        load = np.bincount(self.destination, weights=self.a * values, minlength=destinations)
        return load.astype(np.float64, copy=False)  # without edges bincount counts in integers

    def _reduce(self, ufunc: Any, values: Float64, empty: float) -> Float64:
        result = np.full(self.last - self.first, empty)
        occupied = self.degrees > 0
        if occupied.any():
            # Empty sources take no edges, so the starts of the others alone delimit the segments.
            starts = (np.cumsum(self.degrees) - self.degrees)[occupied]
            result[occupied] = ufunc.reduceat(values, starts)
        return result


def chunks(lp: MatchingLP) -> Iterator[Chunk]:
    """All sources in order; a source is never split, so one with more edges than a chunk makes a larger chunk."""
    first = 0
    while first < lp.sources:
        ends = lp.offsets[first : first + CHUNK_EDGES + 1]  # a chunk has at most as many sources as edges
        last = first + max(1, int(np.searchsorted(ends, ends[0] + CHUNK_EDGES, side="right")) - 1)
        yield Chunk(lp, first, last)
        first = last


def over_chunks(lp: MatchingLP, pool: ThreadPoolExecutor, judge: Callable[[Chunk], T]) -> Iterator[T]:
    """`judge` of every chunk, in the order of the chunks whatever the threads do, a few results ahead at most."""
    waiting: deque[Future[T]] = deque()
    for chunk in chunks(lp):
        waiting.append(pool.submit(_silently, judge, chunk))
        if len(waiting) > _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _silently(judge: Callable[[Chunk], T], chunk: Chunk) -> T:
    """Numbers beyond the largest are data, and judged where the sums are; NumPy would warn of each."""
    with np.errstate(all="ignore"):
        return judge(chunk)
