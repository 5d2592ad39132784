"""The two numbers of a certificate, and what rounding can do to them.

    bound <= optimum <= objective

A sum of n numbers t, in any order, is off by at most gamma_n sum |t|, gamma_n = n u / (1 - n u), u = 2^-53 (Higham
2002, 3.1). Both numbers are moved outward by that, so objective >= bound whatever the numbers are like; where it is
not, something is wrong and nothing is proved. How the numbers come about: evaluate.py and repair.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

#: Roundings of a value on its way into a sum, and of the few numbers that make a bound or an objective of the sums.
_FEW = 64
#: Below, products of numbers are not exact to a share of themselves.
_TINY = 1e-300
#: A point that violates no hard row by more is feasible but for the rounding of its sums.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """bound <= optimum <= objective, rounding counted; objective is inf where no feasible point was recovered."""

    bound: float
    objective: float
    """c'x and what the violations of soft rows cost. Where hard rows are violated, also their violation at the prices
    of the dual, and the optimum may lie above."""
    violation: float = 0.0
    """The largest violation of a hard row, relative to 1 + |its side|; 0 where the point is feasible."""
    dual: npt.NDArray[np.float64] | None = field(default=None, compare=False)
    """float64[R]: the dual of the bound where a repair has found a better one than it was given."""

    @property
    def priced_gap(self) -> float:
        """(objective - bound) / max(1, |bound|), inf where nothing is proved."""
        return relative_gap(self.objective, self.bound)

    @property
    def gap(self) -> float:
        """The larger of priced gap and violation."""
        return max(self.priced_gap, self.violation)

    @property
    def feasible(self) -> bool:
        """Whether the point keeps all hard rows but for rounding, so that the gap is a certified one."""
        return self.violation <= ROUNDING and self.objective < math.inf


def relative_gap(objective: float, bound: float) -> float:
    """inf where it is no number >= 0: then nothing is proved."""
    gap = (objective - bound) / max(1.0, abs(bound))
    return gap if 0 <= gap < math.inf else math.inf


def rounding(terms: float) -> float:
    """What the sum of so many numbers can be off by, as a share of the sum of their sizes."""
    units = (terms + _FEW) * 2.0**-53
    return units / (1 - units) if units < 1 else math.inf


def rounding_of_answer(dtype: Any) -> float:
    """What storing x can change of c'x, a share of sum |c_e x_e|: each entry, then its source and row scaled back."""
    return 0.0 if np.dtype(dtype) == np.float64 else 4 * 2.0**-24


def proved_bound(least: float, size: float, budget: float, terms: float, *, budget_size: float | None = None) -> float:
    """least - budget moved down by its rounding; least is a sum of numbers of that size together, budget >= 0 another.

    budget_size: the sizes of its numbers together, where they have signs.
    """
    both = size + (budget if budget_size is None else budget_size)
    bound = least - budget - rounding(terms) * both - _TINY
    return bound if math.isfinite(bound) else -math.inf


def proved_objective(value: float, size: float, share: float) -> float:
    """value moved up by a share of its size."""
    objective = value + share * size + _TINY
    return objective if math.isfinite(objective) else math.inf
