"""Family `unit`: slots, of which every match takes one.

a_e = 1, values as in `dualip`, b_j = max(1, floor(rho_j G_j)) (b-matching).

Workload: giving out what there is only so much of, such as openings, appointments or coupons: a match takes one slot of
its item, whatever it is worth.
"""

from __future__ import annotations

import numpy as np

from instances.families.base import Float32
from instances.families.budget import BudgetFamily, whole_slots
from instances.sampling import BlockGraph, Destinations, lognormal_values


def _coefficients(rng: np.random.Generator, graph: BlockGraph, destinations: Destinations) -> tuple[Float32, Float32]:
    return np.ones(graph.edges, dtype=np.float32), lognormal_values(rng, graph, destinations)


FAMILY = BudgetFamily(
    name="unit",
    title="slots: a = 1 and whole budgets, values as in dualip",
    coefficients=_coefficients,
    greedy_by_value=True,
    budget=whole_slots,
)
