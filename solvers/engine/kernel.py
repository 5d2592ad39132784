"""The contract of the kernels. A kernel knows cells and projections, no algorithm; kernels.py selects one.

I sources, J destinations; cells as in layout.py. One pass over all cells evaluates, for given prices,

    q_e = c_e + a_e price_j,    p_i = Proj_{C_i}(centre_i - step q_i)

and accumulates in float64 what every algorithm on top needs. A solver that scales rows scales its prices: the
instance's own a is what a kernel sees. With centre 0 and step 1/gamma this is the ridge oracle of DuaLip (x(lambda)
of "DuaLip: a scalable dual decomposition solver", Basu et al. 2020); with the previous x as centre it is the primal
half of PDHG, and the combination below it the reflected Halpern step of Lu and Yang 2024 (r2HPDHG).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from solvers.base import Vector

Tensor = Any


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one pass accumulated, float64 tensors on the kernel's device."""

    loads: Tensor
    """[J]: sum of a_e p_e by destination."""
    values: Tensor | None
    """[J]: sum of c_e p_e by destination, None unless asked for."""
    sums: Tensor
    """[4], one tensor so that a host reads it with one synchronisation; the columns of arrays.Sums.scalars:
    SUPPORT sum_i min over C_i of q_i'x, MOVEMENT ||p - centre||^2 (||p||^2 without a centre), DISTANCE
    ||p - anchor||^2 (0 without an anchor), VALUE c'p.
    """


@dataclass(frozen=True, kw_only=True)
class Mix:
    """x <- projected * p + centre * x + anchor * anchor."""

    projected: float
    centre: float
    anchor: float
    restart: bool = False
    """Also anchor <- p, and x <- p by the weights."""

    @property
    def stores_projection(self) -> bool:
        """Whether x becomes p."""
        return self.centre == self.anchor == 0


RESTART = Mix(projected=1.0, centre=0.0, anchor=0.0, restart=True)


class Kernel(Protocol):
    """One implementation on one device; made for one layout."""

    name: str
    device: str
    destinations: int
    terms: int
    """No sum of a pass adds more numbers one after another."""

    def zeros(self) -> Tensor:
        """A primal vector of zeros: values[cells]."""

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        """A primal vector from host numbers in cell order."""

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        """The host numbers of a primal vector, in cell order; a view where the device is the host."""

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        """p = Proj(-step q); nothing is stored. price float64[J] on the device, step > 0."""

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        """p = Proj(x - step q), then x and anchor are overwritten as `mix` says."""

    def evaluate_feasible(self, price: Tensor, x: Tensor) -> Pass:
        """The pass, with values, for p = x brought into C: clipped to >= 0, boxes clipped and simplices scaled.

        In float64 on the cells' own numbers, every q_e rounded down (`reduced_below` of edge_limits_jit.py). x stays
        as it is. values: without the edges that have a = 0. The second of the sums is sum |c_e p_e|, the third that of
        the edges with a = 0 (columns SIZE and FREE_SIZE).
        """

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        """x[E] on the host in the order of the instance: x brought into C, times factor float64[J] of its destination.

        scratch: a primal vector that the caller gives up, whose memory the answer may take; it is empty afterwards.
        """
