"""The edges that whole decisions are first looked for among: of a large LP those that its answer leaves near to use.

E edges of the LP, n of them chosen.
"""

from __future__ import annotations

import numpy as np

from instances import MatchingLP, Rows
from solvers.general_start import reduced_costs
from solvers.whole.constants import ACTIVITY, CHARGE_ABOVE, EXACT, MOST, TOTAL, UPPER
from solvers.whole.form import Float64, Int64, State, entries_of

#: LPs up to this many edges are searched as a whole.
_ALL = 200_000
#: Edges chosen for each unit of x. On `slots`, `unit` and `dualip` 3 of 10 edges a source end as near as all of them.
_OF_A_UNIT = 3
#: Edges that the threshold is read off, evenly spread over the LP.
_SAMPLE = 50_000


def candidates(lp: MatchingLP, x: Float64, price: Float64) -> Int64:
    """Edges int64[n], in rising order: so many times the units of x[E], in the order of `rank` at price[R].

    All edges of an LP that is small.
    """
    if lp.edges <= _ALL:
        return np.arange(lp.edges)
    from solvers.whole.candidates_jit import rank

    order = reduced_costs(lp, price)
    rank(lp.offsets, x, lp.per_source.limits().at_most, order)

    share = min(_OF_A_UNIT * float(np.nansum(x)) / lp.edges, 1.0)
    sample = order[:: 1 + lp.edges // _SAMPLE]
    last = min(int(share * sample.size), sample.size - 1)
    return np.flatnonzero(order <= np.partition(sample, last)[last])


def gainful(lp: MatchingLP, state: State) -> Int64:
    """Edges int64[n], in rising order, that sources with units left may gain by, whatever was chosen before.

    '=' sources have all of theirs, others those with c < 0 that fit under the hard ceilings of their aligned rows.
    """
    unserved = state.sources[:, TOTAL] < state.sources[:, MOST]
    must = np.repeat(unserved & (state.sources[:, EXACT] == 1), lp.degrees())
    edges = np.flatnonzero(must | np.repeat(unserved, lp.degrees()) & (lp.c < 0))

    ceiling = np.where(state.rows[:, CHARGE_ABOVE] > 0, state.rows[:, UPPER], np.inf)
    room = np.maximum(ceiling - state.rows[:, ACTIVITY], 0.0)
    first_row = 0
    for family in lp.rows:
        if isinstance(family, Rows):
            row, weight = entries_of(family, edges)
            edges = edges[must[edges] | (weight <= room[first_row + row])]
        first_row += family.rows
    return edges
