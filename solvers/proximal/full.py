"""Full passes over the cells of this rank, and the subproblem cut out of them. J destinations, P chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import Cells
from solvers.engine.collectives import concatenated
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Pass
from solvers.engine.layout import Layout
from solvers.engine.prices import Prices
from solvers.proximal.arrays import FullPass, ProximalStep
from solvers.proximal.subproblem import Subproblem, cells_of_all

CellVector = npt.NDArray[Any]
#: Sources looked at for a quantile or a share.
_SAMPLE = 20_000
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
        self._cells = layout.all_cells
        bands = layout.bands
        self._most_threads = min(threads, numba.config.NUMBA_NUM_THREADS)
        self._threads = min(self._most_threads, bands)
        self._loads, self._values, self._near_loads = (np.zeros((bands, b.size)) for _ in range(3))
        self._scalars = np.zeros((bands, 3))
        lanes = layout.source.size
        self._last, self._before = ((np.zeros(lanes), np.full(lanes, np.inf)) for _ in range(2))
        self._sources = layout.sources
        self._stride = max(1, int(context.group.sum(np.array([layout.source.size]))[0]) // _SAMPLE)

    def evaluate(self, centre: CellVector, step: float, price: Prices, x: CellVector) -> Pass:
        """x = Proj_C(centre - step (c + A'price)) and what it amounts to, as a pass of a kernel reports it."""
        import numba
        import torch

        from solvers.proximal import passes_jit as jit

        numba.set_num_threads(self._threads)
        self.back()
        jit.full_pass(self._cells, ProximalStep(centre, step, price), self._pass(x))
        support, moved, cost = self._scalars.sum(axis=0)
        result = Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)),
            sums=torch.tensor([support, moved, 0.0, cost], dtype=torch.float64, device="cpu"),
        )
        return self._context.sum_pass(result, "float64")

    def _pass(self, x: CellVector) -> FullPass:
        return FullPass(x, *self._last, self._loads, self._values, self._scalars)

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

    def subproblem(self, centre: CellVector, step: float, price: Prices, loads: Prices, reach: float) -> Subproblem:
        """The problem of the edges that can be active while no price moves by more than `reach`; loads[J] = A x.

        A small one goes to all ranks whole: a sum over them takes longer than the pass over it.
        """
        at = ProximalStep(centre, step, price)
        cells, near_centre = self._near(at, reach)
        group, context = self._context.group, self._context
        sums = group.sum(np.append(self._near_loads.sum(axis=0), cells.index.size))
        if group.size > 1 and sums[-1] <= _SHARED_CELLS:
            cells, near_centre = cells_of_all(cells, near_centre, group)
            context = SolveContext()
        return Subproblem(
            cells=cells._replace(band_slice=_cut(cells.slice_start, self.b.size)),
            centre=near_centre,
            b=self.b - (loads - sums[:-1]),
            step=step,
            context=context,
            threads=self._most_threads,
        )

    def _near(self, at: ProximalStep, reach: float) -> tuple[Cells, CellVector]:
        """The near edges of this rank in cells, with their centre."""
        import numba

        from solvers.engine import layout_jit
        from solvers.proximal import near_jit as jit

        numba.set_num_threads(self._threads)
        near = jit.near_edges(self._cells, at, self._pass(at.centre), reach, self._near_loads)
        offsets = np.concatenate(([0], np.cumsum(near.count)))
        order = layout_jit.sort_sources(offsets, near.kind, 0, near.kind.size)
        start, lane, kind = layout_jit.cut(offsets, near.kind, order)
        source, radius = np.empty(lane[-1], np.int64), np.empty(lane[-1], near.radius.dtype)
        index = np.empty(start[-1], self._cells.index.dtype)
        a, c, centre = np.empty((3, start[-1]), self._cells.a.dtype)
        cells = Cells(
            np.array([0, kind.size]), start, lane, kind, radius, index, a, c, int(np.diff(start).max(initial=1))
        )
        layout_jit.fill_lanes(order, near.kind, near.radius, cells, 0, kind.size, source)
        jit.gather(near, source, self._cells, at.centre, cells, centre)
        return cells, centre

    def agreed(self, price: Prices, rise: float) -> tuple[Prices, float]:
        """Those of the first rank: the others may have found them on another kind of processor."""
        group = self._context.group
        found = group.sum(np.append(price, rise) * (group.rank == 0))
        return found[:-1], float(found[-1])

    def slack_share(self, centre: CellVector, step: float, price: Prices) -> float:
        """Share of the sources, of a sample, that x = Proj_C(centre - step (c + A'price)) uses below their radius."""
        from solvers.proximal import near_jit as jit

        slack, seen = self._context.group.sum(
            np.array(jit.slack_share(self._cells, ProximalStep(centre, step, price), self._stride))
        )
        return float(slack / max(1, seen))


def _cut(start: npt.NDArray[np.int64], destinations: int) -> npt.NDArray[np.int64]:
    """First slice of each chunk, equal shares of the cells: chosen by the sizes alone, as is the order of the sums."""
    cells = int(start[-1])
    chunks = max(1, min(_MOST_CHUNKS, cells // _CHUNK_CELLS, cells // (8 * destinations)))
    shares = np.searchsorted(start[:-1], np.linspace(0, cells, chunks + 1)[1:-1])
    return np.concatenate(([0], shares, [start.size - 1])).astype(np.int64)
