"""Family `dualip`: the synthetic recipe of DuaLip's own benchmark, with every pair an independent Bernoulli edge.

value w_e = min(v_j u_i eps_e, 0.5), c_e = -w_e, a_e = s_j w_e, b_j = rho_j (G_j + 1e-8) where G_j is what row j
receives if every source spends its whole radius on its edge with the largest a_e.

Workload: giving every member the items that suit it best, under budgets that a match draws on in proportion to its
worth, as ads do that are paid by the click. Some items are sought by nearly all, most by few.
"""

from __future__ import annotations

import numpy as np

from instances.families.base import Float32, Float64
from instances.families.budget import BudgetFamily
from instances.sampling import BlockGraph, Destinations, lognormal_values


def _coefficients(rng: np.random.Generator, graph: BlockGraph, destinations: Destinations) -> tuple[Float32, Float32]:
    value = lognormal_values(rng, graph, destinations)
    return (destinations.scale[graph.destination] * value).astype(np.float32), value


def _budget(rho: Float64, load: Float64) -> Float64:
    return rho * (load + 1e-8)


FAMILY = BudgetFamily(
    name="dualip",
    title="DuaLip's benchmark: a proportional to the value within a row, budgets from a greedy load",
    coefficients=_coefficients,
    greedy_by_value=False,
    budget=_budget,
)
