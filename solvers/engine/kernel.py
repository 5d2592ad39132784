"""The contract of the kernels. A kernel knows cells and projections, no algorithm; kernels.py selects one.

I sources, R rows of all families (J where there is one); cells as in layout.py. One pass over all cells evaluates, for
given prices,

    q = c + A'price,    p_i = Proj_{C_i}(centre_i - step q_i)

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
    """[R]: A p."""
    values: Tensor | None
    """[R]: sum of c_e p_e by the row in the first family, None unless asked for."""
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
    """R"""
    terms: int
    """No sum of a pass adds more numbers one after another."""

    def zeros(self) -> Tensor:
        """A primal vector of zeros: values[cells]."""

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        """A primal vector from host numbers in cell order."""

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        """The host numbers of a primal vector, in cell order; a view where the device is the host."""

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        """p = Proj(-step q); nothing is stored. price float64[R] on the device, step > 0."""

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        """p = Proj(x - step q), then x and anchor are overwritten as `mix` says."""

    def evaluate_feasible(self, price: Tensor, x: Tensor, factor: Tensor | None = None) -> Pass:
        """The pass, with values, for p = x brought into C: clipped to >= 0, boxes clipped and simplices scaled; then,
        where factor float64[R] <= 1 is given, each edge times the least factor of its rows.

        In float64 on the cells' own numbers, every q_e rounded down (`reduced_below` of edge_limits_jit.py). x stays
        as it is. The second of the sums is sum |c_e p_e| (column SIZE).

        Short form: values without the edges that have a = 0; the third of the sums is sum |c_e p_e| of those (column
        FREE_SIZE). Beyond it: values are the part of the loads that is negative, exactly 0 where nothing is, and the
        third of the sums is 0.
        """

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        """x[E] on the host in the order of the instance: x brought into C and times factor as in evaluate_feasible.

        scratch: a primal vector that the caller gives up, whose memory the answer may take; it is empty afterwards.
        """
