"""Family `slots`: several items a user, each at most once; every item has whole slots (b-matching).

Workload: recommending a list of three, where an item can be shown to so many users only. a_e = 1, values as in
`dualip`, b_j = max(1, floor(rho_j G_j)); x_i in {0 <= x <= 1, 1'x <= 3} unless the spec says otherwise.
"""

from __future__ import annotations

import numpy as np

from instances.families.base import Float32
from instances.families.budget import BudgetFamily, whole_slots
from instances.polytopes.box_cut import BoxCut
from instances.sampling import BlockGraph, Destinations, lognormal_values


def _coefficients(rng: np.random.Generator, graph: BlockGraph, destinations: Destinations) -> tuple[Float32, Float32]:
    return np.ones(graph.edges, dtype=np.float32), lognormal_values(rng, graph, destinations)


FAMILY = BudgetFamily(
    name="slots",
    title="three items a user, each at most once (box-cut), and whole slots of each item",
    coefficients=_coefficients,
    greedy_by_value=True,
    budget=whole_slots,
    polytope=BoxCut(upper=1.0, at_most=3.0),
)
