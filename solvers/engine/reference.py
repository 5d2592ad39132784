"""The reference kernel: plain PyTorch on any device, one group of equal slices after another.

n slices, W width, L lanes: the cells of a group are a view [n, W, L].
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind
from solvers.base import Vector
from solvers.engine.constants import SLIP, TINY
from solvers.engine.kernel import Mix, Pass, Tensor, edge_room
from solvers.engine.layout import Group, Layout

_MOST_ROUNDS = 200


def project(v: Tensor, radius: Tensor, kind: Kind) -> Tensor:
    """Projection of v[n, W, L] onto the polytopes of the lanes, radius [n, 1, L]; Michelot's iteration from below.

    The start max(v) - z is never above the root of sum_w max(v - t, 0) = z; see math in cpu_jit.py.
    """
    if kind == Kind.BOX:
        return v.clamp(min=0).minimum(radius)
    t = v.amax(dim=1, keepdim=True) - radius
    if kind == Kind.SIMPLEX:
        t = t.clamp(min=0)
    resolution = np.finfo(np.float32 if v.element_size() == 4 else np.float64).eps
    for _ in range(_MOST_ROUNDS):
        above = (v - t).clamp(min=0)
        rise = (above.sum(dim=1, keepdim=True) - radius) / (above > 0).sum(dim=1, keepdim=True).clamp(min=1)
        t = t + rise.clamp(min=0)
        if not bool((rise > resolution * (t.abs() + radius)).any()):
            break
    return (v - t).clamp(min=0)


def least(q: Tensor, radius: Tensor, kind: Kind) -> Tensor:
    """sum of min over C_i of q_i'x, float64; q [n, W, L] and radius [n, 1, L]."""
    if kind == Kind.BOX:
        low = q.clamp(max=0).sum(dim=1, keepdim=True)
    else:
        low = q.amin(dim=1, keepdim=True)
        low = low if kind == Kind.SIMPLEX_EQUALITY else low.clamp(max=0)
    return (low.double() * radius.double()).sum()


class ReferenceKernel:
    """See solvers.engine.kernel.Kernel; holds its indices as int64, so it is for checking, not for size."""

    name = "reference"

    def __init__(self, layout: Layout, device: str) -> None:
        import torch

        self.device = device
        self._torch = torch
        self.destinations, self.terms = layout.destinations, layout.cells
        self._groups = tuple(layout.groups())
        self._source, self._offsets = layout.source, layout.offsets
        self._index = torch.from_numpy(layout.index.astype(np.int64)).to(device)
        self._a, self._c, self._radius = (torch.from_numpy(v).to(device) for v in (layout.a, layout.c, layout.radius))

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
        moved, away = (((p - other).double() ** 2).sum() for other in (x, anchor))
        x.mul_(mix.centre).add_(p, alpha=mix.projected).add_(anchor, alpha=mix.anchor)
        if mix.settle:
            anchor.copy_(p)
        return self._pass(p, (bound, moved, away), values=values)

    def judge(self, price: Tensor, x: Tensor) -> Pass:
        cost, rise, bound = self._c.double(), self._a.double() * price[self._index], self._scalar()
        q = self._torch.where(rise == 0, cost, cost + rise - (SLIP * (cost.abs() + rise) + TINY))
        for group in self._groups:
            bound += least(_cells(q, group), _lanes(self._radius, group), group.kind)
        p = self._feasible(x)
        size, without_load = (cost * p).abs(), self._a == 0
        made = self._pass(p, (bound, size.sum(), size[without_load].sum()), values=True)
        return replace(made, values=self._by_destination(self._c.where(~without_load, 0), p))

    def answer(self, x: Tensor, factor: Tensor, dtype: str, room: Tensor) -> Vector:
        taken = edge_room(room, int(self._offsets[-1]), dtype)
        p = (self._feasible(x) * factor[self._index]).to(taken.dtype)
        for group in self._groups:
            cell, edge = self._way_back(group)
            taken[edge] = p[cell]
        return np.asarray(taken.cpu().numpy())

    def _feasible(self, x: Tensor) -> Tensor:
        """float64[cells]: x brought into C."""
        p = x.double().clamp(min=0)
        for group in self._groups:
            cells, radius = _cells(p, group), _lanes(self._radius, group).double()
            if group.kind == Kind.BOX:
                cells.copy_(cells.minimum(radius))
                continue
            total = cells.sum(dim=1, keepdim=True)
            fits = total <= (radius if group.kind == Kind.SIMPLEX else 0)
            cells.mul_(self._torch.where(fits, 1.0, radius / total))
        return p

    def _way_back(self, group: Group) -> tuple[Tensor, Tensor]:
        """The cells of a group that hold an edge, and these edges."""
        source = self._source[group.first_lane : group.first_lane + group.slices * group.lanes]
        source = source.reshape(group.slices, 1, group.lanes)
        first, last = self._offsets[source], self._offsets[source + 1]
        edge = first + np.arange(group.width).reshape(1, -1, 1)
        real = (source >= 0) & (edge < last)
        cell = group.first_cell + np.flatnonzero(real)
        return tuple(self._torch.from_numpy(v).to(self.device) for v in (cell, edge[real]))

    def _scalar(self) -> Tensor:
        return self._torch.zeros((), dtype=self._torch.float64, device=self.device)

    def _evaluate(self, price: Tensor, step: float, centre: Tensor | None) -> tuple[Tensor, Tensor]:
        """p of all cells, and sum_i min over C_i of q_i'x."""
        q = self._c + self._a * price.to(self._a.dtype)[self._index]
        v = -step * q if centre is None else centre - step * q
        p, bound = self._torch.empty_like(v), self._scalar()
        for group in self._groups:
            cells = slice(group.first_cell, group.first_cell + group.cells)
            radius = _lanes(self._radius, group)
            p[cells] = project(_cells(v, group), radius, group.kind).reshape(-1)
            bound += least(_cells(q, group), radius, group.kind)
        return p, bound

    def _pass(self, p: Tensor, sums: tuple[Tensor, ...], *, values: bool) -> Pass:
        return Pass(
            loads=self._by_destination(self._a, p),
            values=self._by_destination(self._c, p) if values else None,
            sums=self._torch.stack((*sums, (self._c.double() * p.double()).sum())),
        )

    def _by_destination(self, weight: Tensor, p: Tensor) -> Tensor:
        out = self._torch.zeros(self.destinations, dtype=self._torch.float64, device=self.device)
        return out.index_add_(0, self._index, weight.double() * p.double())


def _cells(values: Tensor, group: Group) -> Tensor:
    flat = values[group.first_cell : group.first_cell + group.cells]
    return flat.view(group.slices, group.width, group.lanes)


def _lanes(values: Tensor, group: Group) -> Tensor:
    flat = values[group.first_lane : group.first_lane + group.slices * group.lanes]
    return flat.view(group.slices, 1, group.lanes)
