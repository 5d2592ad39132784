"""The reference kernel: plain PyTorch on any device, one run of like slices after another.

n slices, W width, L lanes: the cells of a run are a view [n, W, L].
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import Vector
from solvers.engine.constants import SLIP, TINY
from solvers.engine.families_torch import entry_list
from solvers.engine.kernel import Mix, Pass, Tensor
from solvers.engine.layout import Layout, SliceRun
from solvers.engine.layout_families import most_entries
from solvers.engine.polytopes.torch import bring_in, project, support
from solvers.engine.tensors import reuse_buffer


class ReferenceKernel:
    """See solvers.engine.kernel.Kernel; holds its indices as int64, so it is for checking, not for size."""

    name = "reference"

    def __init__(self, layout: Layout, device: str) -> None:
        import torch

        self.device = device
        self.destinations = layout.destinations
        self.terms = max(layout.cells, most_entries(layout.more, np.array([0, layout.cells])))
        self._torch = torch
        self._runs = tuple(layout.slice_runs())
        self._source = layout.source
        self._offsets = layout.offsets
        self._index = torch.from_numpy(layout.index.astype(np.int64)).to(device)
        self._a, self._c, self._radius = (torch.from_numpy(v).to(device) for v in (layout.a, layout.c, layout.radius))
        self._upper = None if layout.upper is None else torch.from_numpy(layout.upper).to(device)
        self._more = entry_list(layout, device)

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

    def evaluate_feasible(self, price: Tensor, x: Tensor, factor: Tensor | None = None) -> Pass:
        p = self._bring_in(x)
        if factor is not None:
            p = p * self._least_factor(factor)
        size = (self._c.double() * p).abs()
        bound = self._support(self._reduced_below(price))
        if self._more is not None:
            evaluated = self._pass(p, (bound, size.sum(), self._torch.zeros_like(bound)), values=False)
            return replace(evaluated, values=self._loads(p, negative=True))

        without_load = self._a == 0
        evaluated = self._pass(p, (bound, size.sum(), size[without_load].sum()), values=False)
        return replace(evaluated, values=self._by_destination(self._c.where(~without_load, 0), p))

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        edges = reuse_buffer(scratch, int(self._offsets[-1]), dtype)
        p = (self._bring_in(x) * self._least_factor(factor)).to(edges.dtype)
        for run in self._runs:
            cell, edge = self._way_back(run)
            edges[edge] = p[cell]
        return np.asarray(edges.cpu().numpy())

    def _evaluate(self, price: Tensor, step: float, centre: Tensor | None) -> tuple[Tensor, Tensor]:
        """p of all cells, and sum_i min over C_i of q_i'x."""
        price = price.to(self._a.dtype)
        q = self._c + self._a * price[self._index]
        if self._more is not None:
            q.index_add_(0, self._more.cell, self._more.a * price[self._more.row])
        v = -step * q if centre is None else centre - step * q
        p = self._torch.empty_like(v)
        for run, z, u in self._in_runs():
            _cells(p, run).copy_(project(_cells(v, run), _cells(q, run), z, u, run.kind))
        return p, self._support(q)

    def _reduced_below(self, price: Tensor) -> Tensor:
        """float64[cells]: at most q, as families_jit.sum_below has it."""
        cost = self._c.double()
        rise = self._a.double() * price[self._index]
        if self._more is None:
            return self._torch.where(rise == 0, cost, cost + rise - (SLIP * (cost.abs() + rise) + TINY))

        rises = self._more.a.double() * price[self._more.row]
        q = (cost + rise).index_add_(0, self._more.cell, rises)
        size = (cost.abs() + rise.abs()).index_add_(0, self._more.cell, rises.abs())
        entries = self._torch.ones_like(cost).index_add_(0, self._more.cell, self._torch.ones_like(rises))
        return q - (SLIP * entries * size + TINY)

    def _least_factor(self, factor: Tensor) -> Tensor:
        """float64[cells]: the factor of the destination, or the least of all rows in which a cell has a load."""
        if self._more is None:
            return factor[self._index]
        least = factor[self._index].where(self._a != 0, 1.0)
        others = factor[self._more.row].where(self._more.a != 0, 1.0)
        return least.scatter_reduce_(0, self._more.cell, others, "amin")

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
            loads=self._loads(p, negative=False),
            values=self._by_destination(self._c, p) if values else None,
            sums=self._torch.stack((*sums, (self._c.double() * p.double()).sum())),
        )

    def _loads(self, p: Tensor, *, negative: bool) -> Tensor:
        """A p of all families, or the part of its terms that is negative."""
        highest = 0.0 if negative else math.inf
        loads = self._by_destination(self._a.clamp(max=highest), p)
        if self._more is not None:
            loads.index_add_(0, self._more.row, self._more.a.clamp(max=highest).double() * p[self._more.cell].double())
        return loads

    def _by_destination(self, weight: Tensor, p: Tensor) -> Tensor:
        out = self._torch.zeros(self.destinations, dtype=self._torch.float64, device=self.device)
        return out.index_add_(0, self._index, weight.double() * p.double())


def _lanes(values: Tensor, run: SliceRun) -> Tensor:
    return values[run.first_lane : run.first_lane + run.slices * run.lanes].view(run.slices, 1, run.lanes)


def _cells(values: Tensor, run: SliceRun) -> Tensor:
    return values[run.first_cell : run.first_cell + run.cells].view(run.slices, run.width, run.lanes)
