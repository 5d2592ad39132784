"""The reference kernel: plain PyTorch on any device, one run of like slices after another.

n slices, W width, L lanes: the cells of a run are a view [n, W, L].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import Vector
from solvers.engine.constants import SLIP, TINY
from solvers.engine.kernel import Mix, Pass, Tensor
from solvers.engine.layout import Layout, SliceRun
from solvers.engine.polytopes.torch import bring_in, project, support
from solvers.engine.tensors import reuse_buffer


class ReferenceKernel:
    """See solvers.engine.kernel.Kernel; holds its indices as int64, so it is for checking, not for size."""

    name = "reference"

    def __init__(self, layout: Layout, device: str) -> None:
        import torch

        self.device = device
        self.destinations = layout.destinations
        self.terms = layout.cells
        self._torch = torch
        self._runs = tuple(layout.slice_runs())
        self._source = layout.source
        self._offsets = layout.offsets
        self._index = torch.from_numpy(layout.index.astype(np.int64)).to(device)
        self._a, self._c, self._radius = (torch.from_numpy(v).to(device) for v in (layout.a, layout.c, layout.radius))
        self._upper = None if layout.upper is None else torch.from_numpy(layout.upper).to(device)

    def zeros(self) -> Tensor:
        return self._torch.zeros_like(self._a)

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        return self._torch.tensor(cells, dtype=self._a.dtype, device=self.device)

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return np.asarray(primal.cpu().numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        p, bound = self._evaluate(price, step, None)
        square = (p.double() ** 2).sum()
        return self._pass(p, (bound, square, self._torch.zeros_like(square)), values=values)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        p, bound = self._evaluate(price, step, x)
        movement, distance = (((p - other).double() ** 2).sum() for other in (x, anchor))
        x.mul_(mix.centre).add_(p, alpha=mix.projected).add_(anchor, alpha=mix.anchor)
        if mix.restart:
            anchor.copy_(p)
        return self._pass(p, (bound, movement, distance), values=values)

    def evaluate_feasible(self, price: Tensor, x: Tensor) -> Pass:
        cost = self._c.double()
        rise = self._a.double() * price[self._index]
        q = self._torch.where(rise == 0, cost, cost + rise - (SLIP * (cost.abs() + rise) + TINY))
        p = self._bring_in(x)
        size = (cost * p).abs()
        without_load = self._a == 0
        sums = (self._support(q), size.sum(), size[without_load].sum())
        evaluated = self._pass(p, sums, values=True)
        return replace(evaluated, values=self._by_destination(self._c.where(~without_load, 0), p))

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        edges = reuse_buffer(scratch, int(self._offsets[-1]), dtype)
        p = (self._bring_in(x) * factor[self._index]).to(edges.dtype)
        for run in self._runs:
            cell, edge = self._way_back(run)
            edges[edge] = p[cell]
        return np.asarray(edges.cpu().numpy())

    def _evaluate(self, price: Tensor, step: float, centre: Tensor | None) -> tuple[Tensor, Tensor]:
        """p of all cells, and sum_i min over C_i of q_i'x."""
        q = self._c + self._a * price.to(self._a.dtype)[self._index]
        v = -step * q if centre is None else centre - step * q
        p = self._torch.empty_like(v)
        for run, z, u in self._in_runs():
            _cells(p, run).copy_(project(_cells(v, run), _cells(q, run), z, u, run.kind))
        return p, self._support(q)

    def _support(self, q: Tensor) -> Tensor:
        bound = self._torch.zeros((), dtype=self._torch.float64, device=self.device)
        for run, z, u in self._in_runs():
            bound += support(_cells(q, run), z, u, run.kind)
        return bound

    def _bring_in(self, x: Tensor) -> Tensor:
        """float64[cells]: x brought into C."""
        p = self._torch.empty_like(x, dtype=self._torch.float64)
        for run, z, u in self._in_runs():
            _cells(p, run).copy_(bring_in(_cells(x, run), _cells(self._c, run), z, u, run.kind))
        return p

    def _in_runs(self) -> Iterator[tuple[SliceRun, Tensor, Tensor | None]]:
        """(run, z or u of a box, u of a box-cut [n, 1, L]) for each run of like slices."""
        for run in self._runs:
            yield run, _lanes(self._radius, run), None if self._upper is None else _lanes(self._upper, run)

    def _way_back(self, run: SliceRun) -> tuple[Tensor, Tensor]:
        """The cells of a run that hold an edge, and these edges."""
        source = self._source[run.first_lane : run.first_lane + run.slices * run.lanes]
        source = source.reshape(run.slices, 1, run.lanes)
        first = self._offsets[source]
        last = self._offsets[source + 1]
        edge = first + np.arange(run.width).reshape(1, -1, 1)
        real = (source >= 0) & (edge < last)
        cell = run.first_cell + np.flatnonzero(real)
        return tuple(self._torch.from_numpy(v).to(self.device) for v in (cell, edge[real]))

    def _pass(self, p: Tensor, sums: tuple[Tensor, ...], *, values: bool) -> Pass:
        return Pass(
            loads=self._by_destination(self._a, p),
            values=self._by_destination(self._c, p) if values else None,
            sums=self._torch.stack((*sums, (self._c.double() * p.double()).sum())),
        )

    def _by_destination(self, weight: Tensor, p: Tensor) -> Tensor:
        out = self._torch.zeros(self.destinations, dtype=self._torch.float64, device=self.device)
        return out.index_add_(0, self._index, weight.double() * p.double())


def _lanes(values: Tensor, run: SliceRun) -> Tensor:
    return values[run.first_lane : run.first_lane + run.slices * run.lanes].view(run.slices, 1, run.lanes)


def _cells(values: Tensor, run: SliceRun) -> Tensor:
    return values[run.first_cell : run.first_cell + run.cells].view(run.slices, run.width, run.lanes)
