"""The same LP with limits that can bind: no budget above its largest load, no source above what its budgets let pass.

I sources, J destinations, E edges. Where b_j, z_i or u_i is a number that means "no limit" (inf, 1e20, 1e300), every
norm that a solver scales by is that number. What can be used of it is

    x_e <= b_j / a_e, so    z_i <- min(z_i, sum_e min(u_i, b_j / a_e))  ('<='),    u_i <- min(u_i, max_e b_j / a_e)
    and then                b_j <- min(b_j, sum_e a_e min(z_i, u_i))    over the edges e of row j

z and u are cut only where the largest of them becomes much smaller: elsewhere they decide no scaling, and an instance
keeps its one number for all sources. A limit that a source lacks (z of a box, u of a simplex) counts as infinite. Where
u differs from edge to edge, b alone is cut.

A second round would change nothing: a row that the first left below its own b_j lets all of each z_i through. Quotients
and sums are rounded up, so no feasible point is cut off; none is added, because no number grows. '=' sources keep z:
one that does not fit makes the LP infeasible, which is for solver and referee to say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from instances.cpus import usable_threads
from instances.mapped import default_cache, is_mapped, release_pages, unnamed_array
from instances.per_source import Limits, PerSource, params_of
from instances.polytopes import Polytope

Float64 = npt.NDArray[np.float64]
#: Edges that a thread works on at once: the dozen arrays that it makes of them stay in the caches.
_CHUNK_EDGES = 1 << 15
_MOST_THREADS = 4
#: By how much the largest z or u has to shrink for the cut ones to be taken.
_WORTH_CUTTING = 16.0
_EPS = float(np.finfo(np.float64).eps)
_LARGEST, _TINY = float(np.finfo(np.float64).max), float(np.finfo(np.float64).tiny)
_SMALLEST = 5e-324


class Problem(Protocol):
    """The fields of `instances.MatchingLP` that are used here; they are documented there."""

    @property
    def offsets(self) -> npt.NDArray[np.int64]: ...
    @property
    def destination(self) -> npt.NDArray[np.int32]: ...
    @property
    def a(self) -> npt.NDArray[Any]: ...
    @property
    def b(self) -> Float64: ...
    @property
    def edges(self) -> int: ...
    @property
    def destinations(self) -> int: ...
    @property
    def is_short_form(self) -> bool: ...
    @property
    def polytope(self) -> Polytope: ...
    @property
    def per_source(self) -> PerSource: ...
    @property
    def edge_upper(self) -> Float64 | None: ...
    def upper_of_edges(self, first: int = 0, last: int | None = None) -> Float64: ...
    def with_limits(self, b: Float64, polytope: Polytope) -> Self: ...


ProblemT = TypeVar("ProblemT", bound=Problem)


def tighten(lp: ProblemT, add: Callable[[Float64], Float64] | None = None) -> ProblemT:
    """An LP with the feasible set of `lp`, finite b and no limit above what can be used; `lp` where nothing changes.

    add: sums a float64 array over all who hold a part of the sources, where `lp` is such a part with the b of the
    whole. Arrays that do not change are shared. A load beyond the largest float64 counts as that number. An LP that is
    not of the short form stays as it is.
    """
    if not lp.is_short_form:
        return lp
    load = np.zeros(lp.destinations)
    limits = _Limits(lp)
    before = after = 0.0
    with np.errstate(all="ignore"):
        for used in _in_order(lp):
            limits.put(used)
            before = max(before, used.most_before)
            after = max(after, used.most_after)
            np.add.at(load, lp.destination[used.first_edge : used.last_edge], used.loads)
            _release(lp, used)
        total = np.append(load, lp.edges)
        total = total if add is None else add(total)
        b = np.minimum(lp.b, np.minimum(_rounded_up(total[:-1], total[-1]), _LARGEST))

    cut = limits.changed and before > _WORTH_CUTTING * after
    if not cut and np.array_equal(b, lp.b):
        return lp
    return lp.with_limits(b, limits.polytope() if cut else lp.polytope)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Used:
    """What neighbouring sources can use. params: their limits, None where none changed; loads: a_e times its limit.

    most_before, most_after: the largest limit of a source with edges, as given and as cut.
    """

    first: int
    last: int
    first_edge: int
    last_edge: int
    params: Float64 | None
    loads: Float64
    most_before: float
    most_after: float


class _Limits:
    """The parameters of all sources, copied when the first one changes; on disk where the instance is on disk."""

    def __init__(self, lp: Problem) -> None:
        self._lp = lp
        self._params: Float64 | None = None

    @property
    def changed(self) -> bool:
        return self._params is not None

    def put(self, used: _Used) -> None:
        if used.params is None:
            return
        if self._params is None:
            self._params = self._copied()
        self._params[:, used.first : used.last] = used.params
        for row in self._params:
            release_pages(row, used.first, used.last)

    def polytope(self) -> PerSource:
        of_sources = self._lp.per_source
        return of_sources if self._params is None else PerSource(kind=of_sources.kind, params=self._params)

    def _copied(self) -> Float64:
        before = self._lp.per_source.params
        if not is_mapped(self._lp.a):
            return before.copy()
        copy = unnamed_array(before.size, np.float64, default_cache(), "the limits of the sources")
        copy = copy.reshape(before.shape)
        copy[:] = before
        return copy


def _in_order(lp: Problem) -> Iterator[_Used]:
    """What each chunk of sources can use, one after another; threads work a little ahead.

    An instance on the disk is read by the caller alone: where memory is short, so is that for stacks of threads.
    """
    threads = min(_MOST_THREADS, usable_threads(), lp.edges // _CHUNK_EDGES)
    if threads < 2 or is_mapped(lp.a):
        yield from (_used(lp, first, last) for first, last in _chunks(lp.offsets))
        return

    waiting: deque[Future[_Used]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for first, last in _chunks(lp.offsets):
            waiting.append(pool.submit(_used, lp, first, last))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _chunks(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last source of each chunk; a source is never divided."""
    first = 0
    while first < offsets.size - 1:
        last = int(np.searchsorted(offsets, offsets[first] + _CHUNK_EDGES, side="right")) - 1
        last = min(max(last, first + 1), first + _CHUNK_EDGES)
        yield first, last
        first = last


def _used(lp: Problem, first: int, last: int) -> _Used:
    offsets = lp.offsets[first : last + 1]
    edges = slice(int(offsets[0]), int(offsets[-1]))
    degree = np.diff(offsets)
    a = lp.a[edges].astype(np.float64)
    budget = lp.b[lp.destination[edges]]
    before = lp.per_source.limits(first, last)

    with np.errstate(all="ignore"):  # of each thread
        own = lp.edge_upper is not None
        cut = None if own else _cut(before, offsets - offsets[0], degree, a, budget)
        after = before if cut is None else cut
        limit = np.repeat(np.minimum(after.at_most, after.upper), degree)
        if own:
            limit = np.minimum(limit, lp.upper_of_edges(first, last))
        loads = a * limit
        _raise_underflow(loads, a, limit)
    return _Used(
        first=first,
        last=last,
        first_edge=edges.start,
        last_edge=edges.stop,
        params=None if cut is None else params_of(lp.per_source.kind[first:last], cut, len(lp.per_source.params)),
        loads=loads,
        most_before=_largest(before, degree),
        most_after=_largest(after, degree),
    )


def _cut(
    limits: Limits, starts: npt.NDArray[np.int64], degree: npt.NDArray[np.int64], a: Float64, budget: Float64
) -> Limits | None:
    """The limits of each source cut to what its budgets let through, None where all stay as they are."""
    most = np.divide(budget, a, out=np.full(a.size, np.inf), where=a > 0)
    _raise_underflow(most, budget)
    in_sum = np.isfinite(limits.at_most) & ~limits.equality & (degree > 0)
    on_edge = np.isfinite(limits.upper) & (degree > 0)
    sums = np.full(degree.size, np.inf)
    edges = np.full(degree.size, np.inf)
    filled = np.flatnonzero(degree)
    if on_edge.any():
        largest = np.maximum.reduceat(most, starts[filled])
        edges[filled] = np.where(on_edge[filled], np.minimum(largest, limits.at_most[filled]), np.inf)
        most = np.minimum(most, np.repeat(limits.upper, degree))
    if in_sum.any():
        sums[filled] = np.where(in_sum[filled], np.add.reduceat(most, starts[filled]), np.inf)
    sums = _rounded_up(sums, degree)
    edges = _rounded_up(edges, degree)
    if not ((sums < limits.at_most).any() or (edges < limits.upper).any()):
        return None
    return Limits(
        at_most=np.minimum(limits.at_most, sums), upper=np.minimum(limits.upper, edges), equality=limits.equality
    )


def _largest(limits: Limits, degree: npt.NDArray[np.int64]) -> float:
    """The largest limit of a source with edges."""
    finite = (np.where(np.isfinite(limit), limit, 0.0) for limit in (limits.at_most, limits.upper))
    return max(float(limit.max(initial=0.0, where=degree > 0)) for limit in finite)


def _raise_underflow(values: Float64, *factors: Float64) -> None:
    """Round values >= 0 up where they are too small for their relative rounding, unless a factor makes them 0."""
    if values.size and values.min() < _TINY:
        values[np.logical_and.reduce([values < _TINY, *(factor > 0 for factor in factors)])] += _SMALLEST


def _rounded_up(total: Float64, terms: npt.NDArray[np.int64] | float) -> Float64:
    """An upper bound on the exact sum of `terms` numbers >= 0 that were added with rounding in any order."""
    return total * (1 + (terms + 4) * _EPS)


def _release(lp: Problem, used: _Used) -> None:
    release_pages(lp.offsets, used.first, used.last)
    release_pages(lp.destination, used.first_edge, used.last_edge)
    release_pages(lp.a, used.first_edge, used.last_edge)
    if lp.edge_upper is not None:
        release_pages(lp.edge_upper, used.first_edge, used.last_edge)
