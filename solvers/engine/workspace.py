"""What a loop of solves in one process keeps from one solve to the next: the cells of the last LP, and which loops are
compiled.

Which edge lies in which cell depends on the offsets, the rows and the kinds of sources of an LP alone, so an LP with
other numbers on the same edges is filled into the same cells. A workspace is no setting: no bit of an answer depends on
one. It is for one loop: two threads have one each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.engine.arrays import EdgeArrays, edge_arrays
from solvers.engine.layout import Layout
from solvers.engine.layout_builder import compile_refill, refill_layout
from solvers.engine.shared_layout import make_layout
from solvers.engine.storage import RAM, Storage
from solvers.settings import Settings


@dataclass(frozen=True, kw_only=True, eq=False)
class _Kept:
    """A layout, and what says whether another LP has the same edges."""

    layout: Layout

    edges: EdgeArrays
    """Those that it was filled from, without their numbers."""

    device: str


@dataclass(kw_only=True)
class _Opening:
    """One solve within a workspace."""

    earlier: _Kept | None
    """For the first layout that is made; a solve within this one, as a callback may ask for, finds none."""

    kept: _Kept | None = None
    """For the next solve."""

    compiled: set[Hashable] = field(default_factory=set)
    """What `first_use` was asked in all solves of the workspace."""


_current: ContextVar[_Opening | None] = ContextVar("workspace", default=None)


class Workspace:
    """The layout of the last solve, where that was in memory, and the loops that its solves have used."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None
        self._compiled: set[Hashable] = set()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """One solve: its layout may overwrite the last one, and is kept for the next."""
        opening = _Opening(earlier=self._kept, compiled=self._compiled)
        self._kept = None
        token = _current.set(opening)
        try:
            yield
        finally:
            _current.reset(token)
            self._kept = opening.kept

    def clear(self) -> None:
        """Free the cells."""
        self._kept = None


def layout_of_solve(lp: MatchingLP, settings: Settings, storage: Storage) -> Layout:
    """The layout of `lp` for the device of the settings, in the cells of the last solve where these edges lay there."""
    opening = _current.get()
    if opening is None or storage is not RAM:
        return make_layout(lp, settings, storage)

    edges = edge_arrays(lp)
    earlier = opening.earlier
    opening.earlier = None
    if earlier is not None and _has_same_cells(earlier, lp, edges, settings):
        layout = refill_layout(earlier.layout, edges)
    else:
        earlier = None  # its memory is for the new one
        layout = make_layout(lp, settings, storage)
        compile_refill(layout, edges)
    numberless = edges._replace(a=None, c=None, radius=None, upper=None, more=None)
    opening.kept = _Kept(layout=layout, edges=numberless, device=settings.device)
    return layout


def first_use(loops: Hashable) -> bool:
    """Whether these loops may still have to be compiled: no solve of the workspace has asked for them before."""
    opening = _current.get()
    if opening is None:
        return True
    first = loops not in opening.compiled
    opening.compiled.add(loops)
    return first


def forget_layout() -> None:
    """Keep the layout of this solve for no other: its memory is wanted now."""
    opening = _current.get()
    if opening is not None:
        opening.kept = None


def _has_same_cells(earlier: _Kept, lp: MatchingLP, edges: EdgeArrays, settings: Settings) -> bool:
    """Whether what decides where an edge lies is as in the earlier LP."""
    known = earlier.edges
    return (
        (earlier.device, earlier.layout.a.dtype) == (settings.device, np.dtype(settings.dtype))
        and earlier.layout.destinations == lp.row_count
        and _is_same(known.offsets, edges.offsets)
        and _is_same(known.kind, edges.kind)
        and _is_same(known.destination, edges.destination)
    )


def _is_same(one: Any, other: Any) -> bool:
    """Whether two contiguous arrays hold the same numbers; at once where they are the same memory."""
    same_memory = (one.dtype, one.shape, one.ctypes.data) == (other.dtype, other.shape, other.ctypes.data)
    return same_memory or np.array_equal(one, other)
