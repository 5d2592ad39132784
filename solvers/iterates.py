"""The point z = (x, y) of blockpdhg and its anchor, with the loads A x of both.

R coupling rows, E edges. Rows are scaled: y = dual / scale, loads = scale * (A x). x lies in cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.arrays import SUPPORT
from solvers.engine.kernel import RESTART, Kernel, Mix, Pass, Tensor
from solvers.engine.layout import Layout
from solvers.engine.points import put_into_cells, to_cells, to_edges
from solvers.engine.row_bounds import RowBounds
from solvers.engine.tensors import as_numpy, upload


@dataclass(frozen=True, kw_only=True, eq=False)
class RowPart:
    """The part of a point that lies in coupling rows; float64[R] on the device."""

    y: Tensor
    """The dual of the scaled rows."""

    loads: Tensor
    """A x in the scaled rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StartPoint:
    """Where a warm start begins, in the order and units of the instance."""

    x: Vector | None
    """[E], any numbers; None for 0."""

    dual: npt.NDArray[np.float64]
    """float64[R], within the intervals of the rows."""


class Iterates:
    """z and the anchor. The first of both is 0.

    Every pass overwrites x, with x_t or with a mix; only a pass that restarts overwrites the anchor's x. The memory of
    the two vectors has one owner at a time: Newton's method takes both, as its centre and its trial point in turn, and
    an answer is made in the memory of the anchor. After that the run iterates from here only where Newton's method got
    stuck and gives its centre back.
    """

    def __init__(self, kernel: Kernel, layout: Layout, lp: MatchingLP, bounds: RowBounds) -> None:
        """bounds: of the scaled rows, on the device."""
        self._kernel = kernel
        self._layout = layout
        self._lp = lp
        self._bounds = bounds
        self.x = kernel.zeros()
        self.anchor_x = kernel.zeros()
        zero = self._upload(np.zeros(bounds.rows))
        self.z = RowPart(y=zero, loads=zero)
        self.anchor = self.z

    def load(self, start: StartPoint) -> None:
        """x, which is 0, becomes that of `start` where it has one, not yet brought into C."""
        if start.x is None:
            return
        if self._kernel.device == "cpu":
            put_into_cells(self._layout, self._lp, start.x, self._kernel.unload(self.x))
        else:
            self.x.copy_(self._kernel.load(to_cells(self._layout, self._lp, start.x)))

    def start_at(self, start: StartPoint, scale: Tensor, *, useful: bool) -> bool:
        """z and the anchor become `start`, whose x is loaded, with x brought into C; a pass with a step of 0 does that
        and gives its loads.

        Whether they did: a dual whose bound is below that of 0 is worse than none, and then both become 0; useful:
        it is known to be better. scale[R]: of the rows, on the device.
        """
        dual = self._upload(start.dual)
        y = dual / scale
        result = self._pass_without_step(dual)
        loads = scale * result.loads
        if not useful:
            bound = result.sums[SUPPORT] - self._bounds.cost(y)
            at_zero = self._pass_without_step(0.0 * dual)
            if bool(bound < at_zero.sums[SUPPORT]):
                self.x.zero_()
                self.anchor_x.zero_()
                return False
        self.restart(RowPart(y=y, loads=loads))
        return True

    def _pass_without_step(self, dual: Tensor) -> Pass:
        """x and the anchor's x become x brought into C."""
        return self._kernel.advance(dual, 0.0, self.x, self.anchor_x, RESTART, values=False)

    def set_cells(self, cells: npt.NDArray[Any]) -> None:
        """x and the anchor's become these."""
        self.x.copy_(self._kernel.load(cells))
        self.anchor_x.copy_(self.x)

    def combine(self, mix: Mix, projected: RowPart) -> None:
        """z <- mix of z_t, z and the anchor, as the pass did for x. y stays in its intervals, to give a bound."""
        z, anchor = self.z, self.anchor
        y = mix.projected * projected.y + mix.centre * z.y + mix.anchor * anchor.y
        loads = mix.projected * projected.loads + mix.centre * z.loads + mix.anchor * anchor.loads
        self.z = RowPart(y=self._bounds.clip(y), loads=loads)

    def restart(self, projected: RowPart) -> None:
        """z and the anchor become z_t, as the pass did for x."""
        self.z = projected
        self.anchor = projected

    def cells(self) -> dict[str, npt.NDArray[Any]]:
        """x and the anchor's on the host, in cells; views of the same memory where the device is the host."""
        return {"x": self._kernel.unload(self.x), "anchor": self._kernel.unload(self.anchor_x)}

    def vectors_of(self, cells: npt.NDArray[Any]) -> tuple[Tensor, Tensor]:
        """The primal vector that `cells`, one of `self.cells()` on the host, is a view of; and the other one."""
        both = (self.x, self.anchor_x)
        return both if np.may_share_memory(cells, self._kernel.unload(self.x)) else both[::-1]

    def rows_to_save(self) -> dict[str, npt.NDArray[np.float64]]:
        """The parts in coupling rows, alike on all ranks."""
        return {
            "y": as_numpy(self.z.y),
            "loads": as_numpy(self.z.loads),
            "anchor_y": as_numpy(self.anchor.y),
            "anchor_loads": as_numpy(self.anchor.loads),
        }

    def edges_to_save(self, dtype: str) -> dict[str, Vector]:
        """Both x, in the edge order of the instance."""
        return {name: to_edges(self._layout, self._lp, cells, dtype) for name, cells in self.cells().items()}

    def restore(self, rows: Mapping[str, npt.NDArray[Any]], edges: Mapping[str, npt.NDArray[Any]]) -> None:
        """As saved. Raises KeyError where something is missing."""
        self.z = RowPart(y=self._upload(rows["y"]), loads=self._upload(rows["loads"]))
        self.anchor = RowPart(y=self._upload(rows["anchor_y"]), loads=self._upload(rows["anchor_loads"]))
        for name, vector in (("x", self.x), ("anchor", self.anchor_x)):
            vector.copy_(self._kernel.load(to_cells(self._layout, self._lp, edges[name])))

    def _upload(self, array: npt.NDArray[np.float64]) -> Tensor:
        return upload(array, self._kernel.device)
