"""Family `uniform`: slots, as in `unit`, with values that say nothing about the item.

a_e = 1, values U(0, 1), budgets as in `unit`.

Workload: assignment where no item is better than another on the whole, as when tasks go to workers at random costs.
"""

from __future__ import annotations

import numpy as np

from instances.families.base import Float32
from instances.families.budget import BudgetFamily, whole_slots
from instances.sampling import BlockGraph, Destinations


def _coefficients(
    rng: np.random.Generator,
    graph: BlockGraph,
    destinations: Destinations,  # noqa: ARG001 - the contract of every family
) -> tuple[Float32, Float32]:
    return np.ones(graph.edges, dtype=np.float32), rng.random(graph.edges, dtype=np.float32)


FAMILY = BudgetFamily(
    name="uniform",
    title="slots: a = 1 and whole budgets, values uniform in [0, 1)",
    coefficients=_coefficients,
    greedy_by_value=True,
    budget=whole_slots,
)
