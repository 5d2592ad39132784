"""Full passes over the cells of this rank, and the subproblem cut out of them. J destinations, P chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.engine.job import Job
from solvers.engine.kernel import Pass
from solvers.engine.layout import Layout
from solvers.proximal.rows import Prices
from solvers.proximal.subproblem import Subproblem

_Arrays = tuple[Any, Any, Any, Any, Any, Any, Any, Any]
Cells = npt.NDArray[Any]
#: Sources looked at for a quantile or a share.
_SAMPLE = 20_000
#: A slice's scratch lies on the stack twice over in float64.
LARGEST_SLICE = 1 << 16


class Whole:
    """All cells of an instance. margin float64[lanes] is that of the last pass, infinite where a lane is empty.

    Over several ranks each holds its own cells; loads, sums and shares are those of all.
    """

    def __init__(self, layout: Layout, b: Prices, job: Job, threads: int = 1) -> None:
        import numba

        self.b, self._job = b, job
        self._arrays: _Arrays = (
            layout.chunk, layout.slice_start, layout.slice_lane, layout.slice_kind, layout.radius, layout.index,
            layout.a, layout.c,
        )  # fmt: skip
        self._largest, chunks = layout.largest_slice, layout.chunk.size - 1
        self._threads = min(threads, numba.config.NUMBA_NUM_THREADS, chunks)
        self._loads, self._values = (np.zeros((chunks, b.size)) for _ in range(2))
        self._sums = np.zeros((chunks, 3))
        self.margin, self._before = (np.full(layout.source.size, np.inf) for _ in range(2))
        self._sources = layout.sources
        self._stride = max(1, int(job.group.sum(np.array([layout.source.size]))[0]) // _SAMPLE)

    def evaluate(self, centre: Cells, step: float, price: Prices, x: Cells) -> Pass:
        """x = Proj_C(centre - step (c + A'price)) and what it amounts to, as a pass of a kernel reports it."""
        import numba
        import torch

        from solvers.proximal import passes_jit as jit

        numba.set_num_threads(self._threads)
        self.margin, self._before = self._before, self.margin
        own = (self.margin, self._loads, self._values, self._sums)
        jit.full_pass(self._largest, *self._arrays, centre, step, price, x, *own)
        low, moved, cost = self._sums.sum(axis=0)
        result = Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)),
            sums=torch.tensor([low, moved, 0.0, cost], dtype=torch.float64),
        )
        return self._job.share(result, "float64")

    def back(self) -> None:
        """The margins of the pass before count again."""
        self.margin, self._before = self._before, self.margin

    def free_share(self) -> float:
        """Share of the sources that have free edges."""
        free, sources = self._job.group.sum(np.array([(self.margin == 0).sum(), self._sources]))
        return float(free / max(1, sources))

    def reach(self, share: float) -> float:
        """The quantile `share` of the positive margins, of a sample; infinite where there is none."""
        sample = np.concatenate(self._job.group.gather(self.margin[:: self._stride]))
        sample = sample[(sample > 0) & np.isfinite(sample)]
        return float(np.quantile(sample, share)) if sample.size else np.inf

    def subproblem(self, centre: Cells, step: float, price: Prices, loads: Prices, reach: float) -> Subproblem:
        """The problem of the edges that can be active while no price moves by more than `reach`; loads[J] = A x."""
        import numba

        from solvers.proximal import near_jit as jit

        numba.set_num_threads(self._threads)
        edges = jit.near_edges(*self._arrays, centre, step, price, self.margin, reach, self._loads)
        kept = self._job.group.sum(self._loads.sum(axis=0))
        return Subproblem(edges=edges, b=self.b - (loads - kept), step=step)

    def slack_share(self, centre: Cells, step: float, price: Prices) -> float:
        """Share of the sources, of a sample, that x = Proj_C(centre - step (c + A'price)) uses below their radius."""
        from solvers.proximal import near_jit as jit

        slack, seen = self._job.group.sum(
            np.array(jit.slack_share(*self._arrays[1:], centre, step, price, self._stride))
        )
        return float(slack / max(1, seen))
