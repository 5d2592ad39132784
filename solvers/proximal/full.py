"""Full passes over an instance, and the subproblem cut out of it. I sources, J destinations, E edges, P chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.kernel import Pass
from solvers.engine.layout import frozen
from solvers.proximal.rows import Prices
from solvers.proximal.subproblem import Subproblem

_MOST_CHUNKS = 16
#: Sources looked at for a quantile or a share.
_SAMPLE = 20_000
_Arrays = tuple[Any, Any, Any, Any, Any, Any]


class Whole:
    """All edges of an instance. margin float64[I] and loads float64[J] are those of the last pass."""

    def __init__(self, lp: MatchingLP) -> None:
        self._lp = lp
        self._arrays: _Arrays = frozen(lp)
        chunks = max(1, min(_MOST_CHUNKS, lp.edges // (8 * lp.destinations)))
        shares = np.searchsorted(lp.offsets, np.linspace(0, lp.edges, chunks + 1)[1:-1])
        self._cuts = np.concatenate(([0], shares, [lp.sources])).astype(np.int64)
        self._loads, self._values = (np.zeros((chunks, lp.destinations)) for _ in range(2))
        self._sums = np.zeros((chunks, 3))
        self.margin = np.zeros(lp.sources)

    def evaluate(self, centre: Vector, step: float, price: Prices, x: Vector) -> Pass:
        """x = Proj_C(centre - step (c + A'price)) and what it amounts to, as a pass of a kernel reports it."""
        import torch

        from solvers.proximal import passes_jit as jit

        own = (self._cuts, x, self.margin)
        jit.full_pass(*self._arrays, centre, step, price, *own, self._loads, self._values, self._sums)
        low, moved, cost = self._sums.sum(axis=0)
        return Pass(
            loads=torch.from_numpy(self._loads.sum(axis=0)),
            values=torch.from_numpy(self._values.sum(axis=0)),
            sums=torch.tensor([low, moved, 0.0, cost], dtype=torch.float64),
        )

    def reach(self, share: float) -> float:
        """The quantile `share` of the positive margins, of a sample; infinite where there is none."""
        sample = self.margin[:: max(1, self.margin.size // _SAMPLE)]
        sample = sample[(sample > 0) & np.isfinite(sample)]
        return float(np.quantile(sample, share)) if sample.size else np.inf

    def subproblem(
        self, centre: Vector, step: float, price: Prices, x: Vector, loads: Prices, reach: float
    ) -> Subproblem:
        """The problem of the edges that can be active while no price moves by more than `reach`; loads[J] = A x."""
        from solvers.proximal import passes_jit as jit

        sources, offsets, edges = jit.near_edges(*self._arrays, centre, step, price, self.margin, reach)
        _, destination, a, c, kind, radius = self._arrays
        rows, kept_a = destination[edges], a[edges]
        kept = np.bincount(rows, weights=kept_a * x[edges].astype(np.float64), minlength=self._lp.destinations)
        own = (_of_each(kind, sources), _of_each(radius, sources))
        arrays = (offsets, rows, kept_a, c[edges], *own, centre[edges].astype(np.float64))
        return Subproblem(edges=arrays, b=self._lp.b - (loads - kept), step=step)


def slack_share(lp: MatchingLP, centre: Vector, step: float, price: Prices) -> float:
    """Share of the sources, of a sample, that x = Proj_C(centre - step (c + A'price)) uses below their radius."""
    from solvers.proximal import passes_jit as jit

    arrays: _Arrays = frozen(lp)
    return float(jit.slack_share(*arrays, centre, step, price, max(1, lp.sources // _SAMPLE)))


def _of_each(values: npt.NDArray[Any], sources: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """One entry a source of `sources`, from one a source or one for all."""
    return values[sources] if values.size > 1 else np.full(sources.size, values[0] if values.size else 0, values.dtype)
