"""The columns of the arrays that the loops of whole decisions share; see form.py."""

from __future__ import annotations

#: Where a unit is that its source does not use.
NOWHERE = -1
#: Form.sources, int64[I, 5]: the most units of a source, and of each of its edges; 1 where it takes `MOST` and not
#: fewer; units that it uses now; an edge with x > 0, or NOWHERE.
MOST, CAP, EXACT, TOTAL, HELD = range(5)
#: Form.rows, float64[R, 8]: both sides, -inf and inf where there is none; what a unit outside costs; what being outside
#: costs; A x; the price y.
LOWER, UPPER, BELOW, ABOVE, CHARGE_BELOW, CHARGE_ABOVE, ACTIVITY, PRICE = range(8)
