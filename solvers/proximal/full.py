"""Full passes over the cells of this rank, and the subproblem cut out of them. J destinations, P chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.collectives import concatenated
from solvers.engine.constants import LANES, PADDING, SLICE_CELLS
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Pass
from solvers.engine.layout import Layout
from solvers.engine.prices import Prices
from solvers.proximal.subproblem import Slices, Subproblem

_Arrays = tuple[Any, Any, Any, Any, Any, Any, Any, Any]
Cells = npt.NDArray[Any]
#: Sources looked at for a quantile or a share.
_SAMPLE = 20_000
_NO_X, _NO_BENDS = np.empty(0), np.empty(0, np.int8)
#: A chunk of a subproblem has at least this many cells, and eight for each budget row.
_CHUNK_CELLS, _MOST_CHUNKS = 16_384, 16
#: Up to so many cells of all ranks (34 bytes each) every rank solves the whole subproblem.
_SHARED_CELLS = 1 << 20


class Whole:
    """All cells of an instance. margin float64[lanes] is that of the last pass, infinite where a lane is empty.

    Over several ranks each holds its own cells; loads, sums and shares are those of all.
    """

    def __init__(self, layout: Layout, b: Prices, context: SolveContext, threads: int = 1) -> None:
        import numba

        self.b, self._context = b, context
        self._arrays: _Arrays = (
            layout.chunk, layout.slice_start, layout.slice_lane, layout.slice_kind, layout.radius, layout.index,
            layout.a, layout.c,
        )  # fmt: skip
        self._largest, chunks = layout.largest_slice, layout.chunk.size - 1
        self._most_threads = min(threads, numba.config.NUMBA_NUM_THREADS)
        self._threads = min(self._most_threads, chunks)
        self._loads, self._values = (np.zeros((chunks, b.size)) for _ in range(2))
        self._sums = np.zeros((chunks, 3))
        lanes = layout.source.size
        self._last, self._before = ((np.zeros(lanes), np.full(lanes, np.inf)) for _ in range(2))
        self._sources = layout.sources
        self._stride = max(1, int(context.group.sum(np.array([layout.source.size]))[0]) // _SAMPLE)

    def evaluate(self, centre: Cells, step: float, price: Prices, x: Cells) -> Pass:
        """x = Proj_C(centre - step (c + A'price)) and what it amounts to, as a pass of a kernel reports it."""
        import numba
        import torch

        from solvers.proximal import passes_jit as jit

        numba.set_num_threads(self._threads)
        self.back()
        own = (*self._last, _NO_BENDS, self._loads, self._values, self._sums)
        jit.evaluate(self._largest, *self._arrays, centre, step, price, x, _NO_X, *own)
        low, moved, cost = self._sums.sum(axis=0)
        result = Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)),
            sums=torch.tensor([low, moved, 0.0, cost], dtype=torch.float64, device="cpu"),
        )
        return self._context.sum_pass(result, "float64")

    def back(self) -> None:
        """The pass before counts again."""
        self._last, self._before = self._before, self._last

    @property
    def margin(self) -> Prices:
        return self._last[1]

    def free_share(self) -> float:
        """Share of the sources that have free edges."""
        free, sources = self._context.group.sum(np.array([(self.margin == 0).sum(), self._sources]))
        return float(free / max(1, sources))

    def reach(self, share: float) -> float:
        """The quantile `share` of the positive margins, of a sample; infinite where there is none."""
        sample = concatenated(self._context.group, self.margin[:: self._stride])
        sample = sample[(sample > 0) & np.isfinite(sample)]
        return float(np.quantile(sample, share)) if sample.size else np.inf

    def subproblem(self, centre: Cells, step: float, price: Prices, loads: Prices, reach: float) -> Subproblem:
        """The problem of the edges that can be active while no price moves by more than `reach`; loads[J] = A x.

        A small one goes to all ranks whole: a sum over them takes longer than the pass over it.
        """
        near = self._near(centre, step, price, reach)
        group, context = self._context.group, self._context
        sums = group.sum(np.append(self._loads.sum(axis=0), near.index.size))
        if group.size > 1 and sums[-1] <= _SHARED_CELLS:
            near, context = near.of_all(group), SolveContext()
        cells = (_cut(near.start, self.b.size), *near)
        return Subproblem(
            cells=cells, b=self.b - (loads - sums[:-1]), step=step, context=context, threads=self._most_threads
        )

    def _near(self, centre: Cells, step: float, price: Prices, reach: float) -> Slices:
        """The near edges of this rank, sorted into slices; their loads by chunk are left in self._loads."""
        import numba

        from solvers.engine import layout_jit
        from solvers.proximal import near_jit as jit

        numba.set_num_threads(self._threads)
        edges, first, count, kind, radius = jit.near_edges(
            *self._arrays, centre, step, price, *self._last, reach, self._loads
        )
        offsets = np.concatenate(([0], np.cumsum(count)))
        order = layout_jit.sort_sources(offsets, kind, 0, kind.size)
        start, lane, slice_kind = layout_jit.cut(offsets, kind, order, np.array(LANES), SLICE_CELLS, PADDING)
        source, lane_radius = np.empty(lane[-1], np.int64), np.empty(lane[-1], radius.dtype)
        layout_jit.fill_lanes(order, kind, radius, lane, slice_kind, 0, slice_kind.size, source, lane_radius)
        index, (a, c, near) = (
            np.empty(start[-1], self._arrays[5].dtype),
            np.empty((3, start[-1]), self._arrays[6].dtype),
        )
        jit.gather(edges, first, count, source, start, lane, *self._arrays[5:], centre, index, a, c, near)
        return Slices(start, lane, slice_kind, lane_radius, index, a, c, near)

    def agreed(self, price: Prices, rise: float) -> tuple[Prices, float]:
        """Those of the first rank: the others may have found them on another kind of processor."""
        group = self._context.group
        found = group.sum(np.append(price, rise) * (group.rank == 0))
        return found[:-1], float(found[-1])

    def slack_share(self, centre: Cells, step: float, price: Prices) -> float:
        """Share of the sources, of a sample, that x = Proj_C(centre - step (c + A'price)) uses below their radius."""
        from solvers.proximal import near_jit as jit

        slack, seen = self._context.group.sum(
            np.array(jit.slack_share(*self._arrays[1:], centre, step, price, self._stride))
        )
        return float(slack / max(1, seen))


def _cut(start: npt.NDArray[np.int64], destinations: int) -> npt.NDArray[np.int64]:
    """First slice of each chunk, equal shares of the cells: chosen by the sizes alone, as is the order of the sums."""
    cells = int(start[-1])
    chunks = max(1, min(_MOST_CHUNKS, cells // _CHUNK_CELLS, cells // (8 * destinations)))
    shares = np.searchsorted(start[:-1], np.linspace(0, cells, chunks + 1)[1:-1])
    return np.concatenate(([0], shares, [start.size - 1])).astype(np.int64)
