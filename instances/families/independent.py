"""Family `independent`: as `dualip`, but a_e ~ LogNormal(0, 1) independent of the value, greedy by value.

Workload: as `dualip`, where what a match takes of a budget is set by others, such as a price or a size.

Harder for first-order methods: what an edge costs says nothing about what it is worth.
"""

from __future__ import annotations

import numpy as np

from instances.families.base import Float32, Float64
from instances.families.budget import BudgetFamily
from instances.sampling import BlockGraph, Destinations, lognormal_values


def _coefficients(rng: np.random.Generator, graph: BlockGraph, destinations: Destinations) -> tuple[Float32, Float32]:
    value = lognormal_values(rng, graph, destinations)
    a = np.exp(rng.standard_normal(graph.edges)).astype(np.float32)
    return a, value


def _budget(rho: Float64, load: Float64) -> Float64:
    return rho * (load + 1e-8)


FAMILY = BudgetFamily(
    name="independent",
    title="coefficients independent of the value, budgets from a greedy load by value",
    coefficients=_coefficients,
    greedy_by_value=True,
    budget=_budget,
)
