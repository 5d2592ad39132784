"""Which types a solve works in: of the iterations, and of the answer."""

from __future__ import annotations

import dataclasses

import numpy as np

from instances import MatchingLP
from solvers.engine.arrays import edge_arrays
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts
from solvers.engine.row_bounds import row_bounds
from solvers.settings import Settings

#: Below, an answer is float64: in float32 the sums of its sources are off by more than the gap asked for.
_FLOAT64_ANSWER = 1e-6
#: Below, the iterations are float64 too: float32 stalls between 1e-8 and 1e-7 (solvers/NOTES.md).
_FLOAT64_ITERATIONS = 1e-7
#: Numbers larger than this are not left to float32: their products come near its largest, 3e38.
_FLOAT32_NUMBERS = 1e15


def with_working_dtype(settings: Settings, costs: WorkingCosts, context: SolveContext) -> Settings:
    """`settings` with the type that the iterations really use: float32 only where it can reach the tolerance, hold the
    numbers of the LP, and leave forbidden edges empty; the same on all ranks.
    """
    double = settings.dtype == "float64" or settings.tolerance < _FLOAT64_ITERATIONS or costs.forbids_edges
    double = context.anywhere(_beyond_float32(costs.lp)) or double
    return dataclasses.replace(settings, dtype="float64" if double else "float32")


def answer_dtype(settings: Settings, *, equality: bool) -> str:
    """float32 for x where it is precise enough for the tolerance, else float64.

    equality: there are '=' sources, whose sums no x in float32 keeps where the budgets are full.
    """
    single = settings.dtype == "float32" and settings.tolerance >= _FLOAT64_ANSWER and not equality
    return "float32" if single else "float64"


def _beyond_float32(lp: MatchingLP) -> bool:
    """Whether a product of two numbers of the instance may leave the range of float32."""
    edges = edge_arrays(lp)
    coefficients = [edges.a, *(family.a for family in edges.more or () if family.a is not None)]
    wide = [array for array in (*coefficients, lp.c) if array.dtype == np.float64]
    sides = row_bounds(lp)
    arrays = (*wide, sides.finite_lower, sides.finite_upper, edges.radius, edges.upper)
    largest = (float(max(array.max(initial=0), -array.min(initial=0))) for array in arrays)
    return max(largest) > _FLOAT32_NUMBERS
