"""Full passes over the cells of this rank, and the subproblem cut out of them. R rows, C bands, K cells, L lanes.

Margins and radii are in units of the rows: a radius delta lets the price of row r move by delta unit_r. In the short
form the units are 1; else rows may differ in scale by orders of magnitude, and the unit is 1 / rms a_r.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from solvers.engine.collectives import concatenated
from solvers.engine.context import SolveContext
from solvers.engine.kernel import Pass
from solvers.engine.layout import Layout
from solvers.engine.pieces import Pieces
from solvers.engine.prices import Prices
from solvers.engine.row_bounds import RowBounds
from solvers.engine.rows import Rows
from solvers.proximal.arrays import FullPass, ProximalStep
from solvers.proximal.find_nested import find_nesting
from solvers.proximal.iterates import CellVector
from solvers.proximal.near import cut_near, in_bands, of_all_ranks
from solvers.proximal.near_families import reach_of
from solvers.proximal.nested import Nesting
from solvers.proximal.subproblem import Subproblem

#: Sources looked at for a quantile or a share.
_SAMPLE = 20_000
#: A margin of this share of the upper quartile is that of edges that tie but for rounding.
_TIED = 1e-12
#: Up to so many cells of all ranks (34 bytes each) every rank solves the whole subproblem, because a sum over the ranks
#: takes longer than a pass over these.
SHARED_CELLS = 1 << 20


class FullProblem:
    """All cells of an instance. Over several ranks each holds its own; loads, sums and shares are those of all."""

    def __init__(
        self,
        layout: Layout,
        bounds: RowBounds,
        rows: Rows,
        context: SolveContext,
        *,
        threads: int = 1,
        shared_cells: int = SHARED_CELLS,
    ) -> None:
        import numba

        self.pieces = Pieces.of(bounds)
        self._ceilings = bounds.ceilings
        self.unit = np.ones(rows.rms.size) if bounds.ceilings else 1.0 / rows.rms
        self._context = context
        self._shared_cells = shared_cells
        self._cells = layout.all_cells
        bands = layout.bands
        self._most_threads = min(threads, numba.config.NUMBA_NUM_THREADS)
        self._threads = min(self._most_threads, bands)

        self._loads, self._values, self._near_loads = (np.zeros((bands, self.unit.size)) for _ in range(3))
        self._scalars = np.zeros((bands, 3))
        lanes = layout.source.size
        # tau and margin of the last pass and of the one before, which a rejected step returns to
        self._last, self._before = ((np.zeros(lanes), np.full(lanes, np.inf)) for _ in range(2))
        self._sources = layout.sources
        self._nesting: Nesting | None = None
        self._looked_for_nesting = False
        self._stride = max(1, int(context.group.sum(np.array([lanes]))[0]) // _SAMPLE)

    def evaluate(self, at: ProximalStep, x: CellVector) -> Pass:
        """x = Proj_C(centre - step (c + A'price)), and its sums as a pass of a kernel reports them."""
        import numba
        import torch

        from solvers.proximal import passes_jit as jit

        self._last, self._before = self._before, self._last  # the older pair is overwritten
        numba.set_num_threads(self._threads)
        jit.full_pass(self._cells, at, self._pass(x))
        support, moved, cost = self._scalars.sum(axis=0)
        result = Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)) if self._ceilings else None,
            sums=torch.tensor([support, moved, 0.0, cost], dtype=torch.float64, device="cpu"),
        )
        return self._context.sum_pass(result, "float64")

    @cached_property
    def _reach(self) -> CellVector:
        """See FullPass: a itself in the short form."""
        return self._cells.a if self._ceilings else reach_of(self._cells, self.unit)

    def _find_nesting(self) -> Nesting | None:
        """Of the rows, looked for once, by all ranks together; None in the short form, which has one family."""
        if not self._looked_for_nesting:
            self._looked_for_nesting = True  # no cached_property: ranks that are threads would share its lock
            if self._cells.more is not None:
                self._nesting = find_nesting(self._cells, self.unit.size, self._context.group)
        return self._nesting

    def _pass(self, x: CellVector) -> FullPass:
        tau, margin = self._last
        return FullPass(
            reach=self._reach,
            x=x,
            tau=tau,
            margin=margin,
            loads=self._loads,
            values=self._values,
            scalars=self._scalars,
        )

    def restore_margins(self) -> None:
        """Those of the pass before count again, where the last one was at rejected prices."""
        self._last, self._before = self._before, self._last

    @property
    def margin(self) -> npt.NDArray[np.float64]:
        """float64[L], those of the last pass; infinite where a lane is empty."""
        return self._last[1]

    def free_share(self) -> float:
        """Share of the sources that have free edges."""
        free, sources = self._context.group.sum(np.array([(self.margin == 0).sum(), self._sources]))
        return float(free / max(1, sources))

    def margin_quantile(self, quantile: float) -> float:
        """The quantile of the positive margins, of a sample; infinite where there is none."""
        sample = concatenated(self._context.group, self.margin[:: self._stride])
        sample = sample[(sample > 0) & np.isfinite(sample)]
        if not sample.size:
            return np.inf
        radius, upper_quartile = np.quantile(sample, (quantile, 0.75)).tolist()
        rounding = _TIED * upper_quartile  # the largest may be that of a forbidden edge
        if radius > rounding:
            return float(radius)
        return float(np.quantile(sample[sample > rounding], quantile))

    def subproblem(self, at: ProximalStep, loads: Prices, radius: float, *, nested: bool = True) -> Subproblem:
        """The problem of the edges that can be active while no price moves by more than `radius` of its units;
        loads[R] = A x at this point, that of the last pass. nested: whether to look for rows within others.
        """
        import numba

        numba.set_num_threads(self._threads)
        last = self._pass(at.centre)  # only tau and margin are read
        cells, centre = cut_near(self._cells, at, last, radius, self._near_loads)

        group = self._context.group
        context = self._context
        sums = group.sum(np.append(self._near_loads.sum(axis=0), cells.index.size))
        if group.size > 1 and sums[-1] <= self._shared_cells:
            cells, centre = of_all_ranks(cells, centre, group)
            context = SolveContext()
        return Subproblem(
            cells=in_bands(cells, self.unit.size),
            centre=centre,
            pieces=self.pieces.without(loads - sums[:-1]),
            step=at.step,
            context=context,
            threads=self._most_threads,
            nesting=self._find_nesting() if nested else None,
        )

    def agree(self, price: Prices, rise: float) -> tuple[Prices, float]:
        """Those of rank 0 on all ranks: other processors may round differently."""
        group = self._context.group
        agreed = group.sum(np.append(price, rise) * (group.rank == 0))
        return agreed[:-1], float(agreed[-1])

    def slack_share(self, at: ProximalStep) -> float:
        """Share of the sources, of a sample, that x = Proj_C(centre - step (c + A'price)) uses below their limit."""
        from solvers.proximal import near_jit as jit

        slack, sources = self._context.group.sum(np.array(jit.slack_share(self._cells, at, self._stride)))
        return float(slack / max(1, sources))
