"""What a run of blockpdhg is given: its options, and what `prepare` made."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import OptionError, Settings, Vector
from solvers.engine.context import SolveContext
from solvers.engine.costs import Eased
from solvers.engine.kernel import Kernel
from solvers.engine.layout import Layout
from solvers.engine.storage import check_memory_option


@dataclass(frozen=True, kw_only=True)
class Options:
    """restart_sufficient, restart_necessary: restart when r falls to this share of r_0, or to the second and grows.
    restart_artificial: ... or when the inner count passes this share of all iterations. initial_weight: the primal
    weight w starts at this times ||c|| / ||b||. weight_smoothing: exponent of the new primal weight in its geometric
    mean with the old. kernel: auto, reference, cpu or cuda. finish: "newton" to go on with solvers.proximal where the
    rate falls (on the CPU, in memory), "none" for PDHG alone. memory: where cells and vectors lie, see
    solvers.engine.storage.
    """

    restart_sufficient: float = 0.2
    restart_necessary: float = 0.8
    restart_artificial: float = 0.2
    initial_weight: float = 2.0
    weight_smoothing: float = 0.4
    kernel: str = "auto"
    finish: str = "newton"
    memory: str = "auto"

    def __post_init__(self) -> None:
        for name in ("restart_sufficient", "restart_necessary", "restart_artificial", "weight_smoothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"{name}={getattr(self, name)!r}: expected a number between 0 and 1")
        if not 0 < self.initial_weight < math.inf:
            raise OptionError(f"initial_weight={self.initial_weight!r}: expected a number > 0")
        if self.finish not in ("newton", "none"):
            raise OptionError(f"finish={self.finish!r}: expected newton or none")
        check_memory_option(self.memory)


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """What prepare() made. eased: the costs of the cells. scale float64[J]; newton: whether Newton may finish;
    most_edges: of the rank that has most; start: warm x[E] and dual[J], or None; hopeless_above: no feasible x has a
    larger objective.
    """

    lp: MatchingLP
    settings: Settings
    options: Options
    context: SolveContext
    eased: Eased
    layout: Layout
    kernel: Kernel
    scale: npt.NDArray[np.float64]
    hopeless_above: float
    newton: bool
    most_edges: int
    start: tuple[Vector, npt.NDArray[np.float64]] | None = None
