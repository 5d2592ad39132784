"""Small instances whose optimum and duals are known by hand, for the conformance kit.

Three sources share destination 0 (edges 0, 2, 4), where one unit of x takes 2 of a budget of 3; destination 1 (edges 1,
3, 5) has room for all. Source 0 gains 6 at destination 0 and 1 at destination 1; sources 1 and 2 gain 2 and 1 at
destination 0 and lose 0.5 at destination 1.

    simplex <= 1   x = (1, 0 | 0.5, 0 | 0, 0)          c'x = -7      dual (1, 0): source 1 is indifferent, 2 - 2 p = 0
    simplex  = 1   x = (1, 0 | 0.5, 0.5 | 0, 1)        c'x = -6.25   dual (1.25, 0): source 1, 2 - 2 p = -0.5
    box [0, 0.6]   x = (0.6, 0.6 | 0.6, 0 | 0.3, 0)    c'x = -5.7    dual (0.5, 0): source 2, 1 - 2 p = 0
    both, <= 1     x = (0.6, 0.4 | 0.6, 0 | 0.3, 0)    c'x = -5.5    dual (0.5, 0): source 2, 1 - 2 p = 0
    both, = 1      x = (0.6, 0.4 | 0.5, 0.5 | 0.4, 0.6)    c'x = -4.85    dual (1.25, 0): source 1, 2 - 2 p = -0.5
    u an edge      x = (0.6, 0.2 | 0.5, 0 | 0.4, 0)    c'x = -5.2    dual (0.5, 0): source 2, 1 - 2 p = 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from instances import Box, BoxCut, Kind, MatchingLP, PerSource, Polytope, RaggedRows, RowKind, Rows, Simplex
from instances.polytopes import polytope_kinds

#: Polytope, optimum and price of destination 0 of the table above.
_KNOWN: dict[Kind, tuple[Polytope, float, float]] = {
    Kind.SIMPLEX: (Simplex(), -7.0, 1.0),
    Kind.SIMPLEX_EQUALITY: (Simplex(equality=True), -6.25, 1.25),
    Kind.BOX: (Box(0.6), -5.7, 0.5),
    Kind.BOX_CUT: (BoxCut(upper=0.6, at_most=1.0), -5.5, 0.5),
    Kind.BOX_CUT_EQUALITY: (BoxCut(upper=0.6, at_most=1.0, equality=True), -4.85, 1.25),
}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An instance, its optimum, and the dual of each budget row (unique)."""

    lp: MatchingLP
    optimum: float
    dual: Sequence[float]


def known_optimum(kind: Kind) -> Probe:
    polytope, optimum, price = _KNOWN[kind]
    lp = MatchingLP(
        offsets=np.array([0, 2, 4, 6]),
        destination=np.array([0, 1, 0, 1, 0, 1]),
        a=np.array([2.0, 1.0, 2.0, 1.0, 2.0, 1.0]),
        c=np.array([-6.0, -1.0, -2.0, 0.5, -1.0, 0.5]),
        b=np.array([3.0, 10.0]),
        polytope=polytope,
    )
    return Probe(lp=lp, optimum=optimum, dual=(price, 0.0))


def with_upper_of_edges(kind: Kind) -> Probe:
    """Sources of `kind`, which limits edges, whose u differs from edge to edge."""
    probe = known_optimum(kind)
    polytopes = probe.lp.per_source
    upper = np.array([0.6, 0.2, 0.5, 0.6, 0.8, 0.6])
    polytope = PerSource(kind=polytopes.kind, params=polytopes.params, edge_upper=upper)
    return Probe(lp=replace(probe.lp, polytope=polytope), optimum=-5.2, dual=(0.5, 0.0))


def with_rows(kind: Kind) -> dict[RowKind, MatchingLP]:
    """For each kind of row an LP that has it, with sources of `kind`: the limit of destination 1 or a second family."""
    lp = known_optimum(kind).lp
    inf = np.inf
    given = {"row": lp.destination, "coefficient": lp.a, "upper": lp.b}
    turned = lp.a * np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    ragged = given | {"entry_offsets": np.arange(7)}
    families: dict[RowKind, list[Rows | RaggedRows]] = {
        RowKind.SEVERAL: [Rows("budget", **given), Rows("total", coefficient=[1, 0.1, 1, 0.1, 1, 0.1], upper=1.4)],
        RowKind.RAGGED: [RaggedRows("budget", **ragged)],
        RowKind.FLOOR: [Rows("budget", **given | {"lower": [-inf, 1.5], "upper": [3.0, inf]})],
        RowKind.EQUALITY: [Rows("budget", **given | {"lower": [-inf, 1.5], "upper": [3.0, 1.5]})],
        RowKind.RANGE: [Rows("budget", **given | {"lower": [-inf, 1.5], "upper": [3.0, 2.0]})],
        RowKind.NEGATIVE_COEFFICIENT: [Rows("budget", **given | {"coefficient": turned})],
        RowKind.NEGATIVE_LIMIT: [Rows("budget", **given | {"coefficient": turned, "upper": [3.0, -1.5]})],
        RowKind.SOFT: [Rows("budget", **given, penalty=[0.5, inf])],
    }
    return {
        row: MatchingLP(offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=rows) for row, rows in families.items()
    }


def twice_as_large(kind: Kind) -> Probe:
    """Limits of sources and rows doubled: x and the optimum double, the prices stay. In float32, as most data is."""
    probe = known_optimum(kind)
    lp = probe.lp
    polytope = polytope_kinds()[kind].make(*(2 * lp.per_source.params))
    doubled = MatchingLP(
        offsets=lp.offsets,
        destination=lp.destination,
        a=lp.a.astype(np.float32),
        c=lp.c.astype(np.float32),
        b=2 * lp.b,
        polytope=polytope,
    )
    return Probe(lp=doubled, optimum=2 * probe.optimum, dual=probe.dual)


def with_gaps(kind: Kind) -> Probe:
    """Empty sources first, last and between, and rows without edges of budgets 0 and 5; the optimum is the same."""
    probe = known_optimum(kind)
    lp = MatchingLP(
        offsets=np.array([0, 0, 2, 2, 2, 4, 6, 6]),
        destination=2 * probe.lp.destination,
        a=probe.lp.a,
        c=probe.lp.c,
        b=np.array([3.0, 0.0, 10.0, 5.0]),
        polytope=probe.lp.polytope,
    )
    return Probe(lp=lp, optimum=probe.optimum, dual=(probe.dual[0], 0.0, 0.0, 0.0))


def several_kinds(kinds: Sequence[Kind]) -> Probe:
    """The known instances of several kinds side by side in one LP, each with destinations of its own."""
    probes = [known_optimum(kind) for kind in kinds]
    lps = [probe.lp for probe in probes]
    parts = [lp.per_source for lp in lps]
    parameters = max(len(part.params) for part in parts)
    params = [np.pad(part.params, ((0, parameters - len(part.params)), (0, 0))) for part in parts]
    lp = MatchingLP(
        offsets=np.concatenate(([0], *(lp.offsets[1:] + 6 * k for k, lp in enumerate(lps)))),
        destination=np.concatenate([lp.destination + 2 * k for k, lp in enumerate(lps)]),
        a=np.concatenate([lp.a for lp in lps]),
        c=np.concatenate([lp.c for lp in lps]),
        b=np.concatenate([lp.b for lp in lps]),
        polytope=PerSource(kind=np.concatenate([part.kind for part in parts]), params=np.concatenate(params, axis=1)),
    )
    duals = [price for probe in probes for price in probe.dual]
    return Probe(lp=lp, optimum=sum(probe.optimum for probe in probes), dual=duals)


def full_rows() -> MatchingLP:
    """Two '=' sources that fill two rows: x = (1, 0 | 0, 1), c'x = -1, and a constant may be added to both prices."""
    return MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1]),
        a=np.ones(4),
        c=np.array([-1.0, 0.0, 0.0, 0.0]),
        b=np.ones(2),
        polytope=Simplex(equality=True),
    )


def infeasible(kind: Kind = Kind.SIMPLEX_EQUALITY) -> MatchingLP:
    """'=' sources of such a kind that the budgets cannot serve."""
    lp = known_optimum(kind).lp
    return MatchingLP(
        offsets=lp.offsets, destination=lp.destination, a=lp.a, c=lp.c, b=np.array([1.0, 1.0]), polytope=lp.polytope
    )
