"""Certificates and rays of LPs beyond the short form: two sides, signs, prices and several rows an edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from instances import BoxCut, MatchingLP, PerSource, RaggedRows, Rows, Simplex
from solvers.base import Status
from solvers.engine.certificate import Certificate
from solvers.engine.evaluate import bound_and_loads
from solvers.engine.instance import answer_without_edges
from solvers.engine.points import ridge_point
from solvers.engine.rays import is_ray, objective_upper_bound
from solvers.engine.repair import repair
from solvers.engine.row_bounds import row_bounds
from solvers.engine.rows import Rows as RowFacts
from tests import exact

#: All LPs here have the same forms of families, because loops are compiled for those: one for all edges, one aligned,
#: one ragged.
SEEDS = range(150)


def random_lp(seed: int, *, packing: bool) -> MatchingLP:
    """Few sources and rows; packing: hard ceilings >= 0 over coefficients >= 0, else sides, prices and signs at random.

    An infeasible LP is common.
    """
    rng = np.random.default_rng([20_16, seed])
    sources = int(rng.integers(1, 7))
    offsets = np.concatenate(([0], np.cumsum(rng.integers(1, 5, sources))))
    edges = int(offsets[-1])
    rows = int(rng.integers(1, 4))
    starts = np.concatenate(([0], np.cumsum(rng.integers(0, 4, edges))))
    entries = int(starts[-1])

    def coefficients(count: int) -> Any:
        values = rng.normal(size=count)
        return np.round(abs(values) if packing else values, 2)

    families = [
        Rows("all", coefficient=float(coefficients(1)[0]), **sides(rng, 1, packing=packing)),
        Rows(
            "aligned",
            row=rng.integers(0, rows, edges),
            coefficient=coefficients(edges),
            **sides(rng, rows, packing=packing),
        ),
        RaggedRows(
            "ragged",
            entry_offsets=starts,
            row=rng.integers(0, rows, entries),
            coefficient=coefficients(entries),
            **sides(rng, rows, packing=packing),
        ),
    ]
    kinds = rng.choice([0, 2, 3] if packing else [0, 1, 2, 3, 4], sources)
    polytope = PerSource(kind=kinds.astype(np.uint8), params=np.round(rng.uniform(0.1, 2, (2, sources)), 2))
    return MatchingLP(offsets=offsets, c=np.round(rng.normal(-0.3, 1, edges), 2), rows=families, polytope=polytope)


def sides(rng: np.random.Generator, rows: int, *, packing: bool) -> dict[str, Any]:
    if packing:
        return {"upper": np.round(rng.uniform(0, 2, rows), 2)}
    lower = np.where(rng.random(rows) < 0.5, -np.inf, np.round(rng.normal(-0.3, 1, rows), 2))
    above_lower = np.round(rng.choice([0.0, 0.5, 2.0], rows), 2)
    upper = np.where(np.isfinite(lower), lower + above_lower, np.round(rng.normal(1, 1, rows), 2))
    upper = np.where(np.isfinite(lower) & (rng.random(rows) < 0.3), np.inf, upper)
    below, above = np.where(rng.random((2, rows)) < 0.5, np.inf, np.round(rng.uniform(0, 2, (2, rows)), 1))
    return {"lower": lower, "upper": upper, "penalty": (below, above)}


def optimum_of_rows(lp: MatchingLP) -> tuple[float, Any]:
    """The optimum by HiGHS on the explicit form, and its x[E]; inf and None where no x is feasible."""
    explicit = lp.to_explicit()
    rows = LinearConstraint(explicit.matrix, explicit.row_lower, explicit.row_upper)
    found = milp(explicit.c, constraints=rows, bounds=Bounds(0, explicit.upper))
    assert found.status in (0, 2), found.message
    return (float(found.fun), found.x[: lp.edges]) if found.status == 0 else (math.inf, None)


def activities(lp: MatchingLP, x: Any) -> list[Fraction]:
    """A x of all rows."""
    values = exact.fractions(x)
    found: list[Fraction] = []
    for family in lp.rows:
        own = [Fraction(0)] * family.rows
        for edge, row, a in zip(*family.entries(lp.edges), strict=True):
            own[int(row)] += Fraction(float(a)) * values[int(edge)]
        found += own
    return found


def least_of_sources(lp: MatchingLP, costs: Sequence[Fraction], dual: Any) -> Fraction | None:
    """sum_i min over C_i of (costs + A'dual)_i'x - sum_r (upper_r y+ - lower_r y-); None where some C_i is empty."""
    q = list(costs)
    first = 0
    total = Fraction(0)
    for family in lp.rows:
        price = exact.fractions(dual[first : first + family.rows])
        first += family.rows
        for edge, row, a in zip(*family.entries(lp.edges), strict=True):
            q[int(edge)] += Fraction(float(a)) * price[int(row)]
        for value, lower, upper in zip(price, family.lower, family.upper, strict=True):
            total -= value * Fraction(float(upper if value > 0 else lower)) if value else 0
    for i in range(lp.sources):
        least = exact.support(lp, i, q[int(lp.offsets[i]) : int(lp.offsets[i + 1])])
        if least is None:
            return None
        total += least
    return total


def check_objective(lp: MatchingLP, x: Any, dual: Any, certificate: Certificate) -> None:
    """That it is c'x with the violations at their prices, and that the violation is the largest of a hard side."""
    objective, largest = exact.objective(lp, x), Fraction(0)
    duals = abs(row_bounds(lp).clip(dual))
    families = [
        np.array(values)
        for name in ("lower", "upper", "penalty_below", "penalty_above")
        for values in [[v for family in lp.rows for v in getattr(family, name)]]
    ]
    for activity, y, lower, upper, below, above in zip(activities(lp, x), duals, *families, strict=True):
        for side, sign, penalty in ((upper, 1, above), (lower, -1, below)):
            over = sign * (activity - Fraction(float(side))) if math.isfinite(side) else Fraction(0)
            if over > 0:
                hard = math.isinf(penalty)
                objective += over * Fraction(float(y if hard else penalty))
                largest = max(largest, over / (1 + abs(Fraction(float(side))))) if hard else largest
    assert certificate.objective == pytest.approx(float(objective), abs=1e-9)
    assert certificate.violation == pytest.approx(float(largest), abs=1e-12)


@pytest.mark.parametrize("packing", [False, True])
def test_bound_and_objective_enclose_the_optimum(packing: bool) -> None:
    repaired = 0
    for seed in SEEDS:
        lp, rng = random_lp(seed, packing=packing), np.random.default_rng(seed)
        best, x = optimum_of_rows(lp)
        far = x is None or rng.random() < 0.5
        x = rng.normal(0.3, 0.7, lp.edges) if far else x * (1 + 1e-3 * rng.normal(size=lp.edges))
        dual = rng.normal(0, 2, lp.row_count) * (rng.random(lp.row_count) < 0.7)

        certificate = repair(lp, x, dual)
        truth = least_of_sources(lp, exact.fractions(lp.c), row_bounds(lp).clip(dual))
        assert truth is None or certificate.bound <= truth, seed
        assert certificate.bound <= best + 1e-9, seed
        assert best == math.inf or best <= objective_upper_bound(lp) + 1e-9, seed
        if certificate.objective == math.inf:
            assert truth is None, seed
            continue
        assert certificate.objective >= certificate.bound, seed
        check_objective(lp, x, dual, certificate)
        if certificate.violation <= 1e-12:
            repaired += 1
            assert certificate.objective >= best - 1e-9, seed
    assert repaired == len(SEEDS) if packing else repaired > len(SEEDS) / 10


def test_a_ray_speaks_of_infeasible_lps_alone() -> None:
    rays = 0
    for seed in SEEDS:
        lp = random_lp(seed, packing=False)
        y = row_bounds(lp).within_hard_sides(np.random.default_rng(seed).normal(size=lp.row_count))
        truth = least_of_sources(lp, [Fraction(0)] * lp.edges, y)
        assert is_ray(lp, y) == (truth is not None and truth > 1e-12), seed
        rays += is_ray(lp, y)
    assert rays > 3


def test_a_ray_may_not_price_what_a_soft_side_allows() -> None:
    hard, soft = (
        MatchingLP(
            offsets=[0, 1],
            c=[1.0],
            rows=[Rows("floor", row=[0], coefficient=np.ones(1), lower=2.0, penalty=penalty)],
            polytope=Simplex(),
        )
        for penalty in (math.inf, 10.0)
    )
    assert is_ray(hard, np.array([-1.0]))
    assert not is_ray(hard, np.array([1.0]))
    assert not is_ray(soft, np.array([-1.0]))
    assert repair(soft, np.ones(1), np.array([-10.0])).objective == pytest.approx(11.0)


def test_equality_sources_are_filled_up_within_all_rows_of_their_edges() -> None:
    """The cheap edge has room in its own row and none in the row of all edges that count."""
    lp = MatchingLP(
        offsets=[0, 2, 4],
        c=[-2.0, -1.0, -3.0, 0.0],
        rows=[
            Rows("own", row=[0, 1, 0, 1], coefficient=np.ones(4), upper=[5.0, 5.0]),
            Rows("counted", row=[0, 0, 0, 0], coefficient=np.array([1.0, 0.0, 1.0, 0.0]), upper=[0.5]),
        ],
        polytope=BoxCut(upper=1.0, at_most=1.0, equality=True),
    )
    x = np.array([0.3, 0.0, 0.4, 0.0])
    certificate = repair(lp, x, np.array([0.0, 0.0, 1.0]))
    assert x[[0, 2]].sum() <= 0.5 + 1e-12
    assert x.reshape(2, 2).sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-12)
    assert certificate.violation <= 1e-12


def test_balanced_transport_is_repaired_to_rounding() -> None:
    """Sources and destinations all want exactly what there is."""
    rng = np.random.default_rng(5)
    amounts = rng.multinomial(10**6, np.ones(30 * 20) / 600).reshape(30, 20)
    lp = MatchingLP(
        offsets=np.arange(31) * 20,
        c=rng.random(600),
        rows=[Rows("demand", row=np.tile(np.arange(20), 30), lower=amounts.sum(0), upper=amounts.sum(0))],
        polytope=Simplex(z=amounts.sum(1).astype(np.float64), equality=True),
    )
    x = amounts.ravel() * (1 + 1e-4 * rng.normal(size=600))
    certificate = repair(lp, x, np.zeros(20))
    assert certificate.violation <= 1e-12
    assert certificate.objective == pytest.approx(lp.c @ x)


def test_the_ridge_point_follows_the_prices_of_all_rows() -> None:
    lp = random_lp(3, packing=False)
    price = np.random.default_rng(0).normal(size=lp.row_count)
    x = ridge_point(lp, price, 0.7, "float64")
    q = lp.c + lp.to_explicit().matrix[: lp.row_count, : lp.edges].T @ price
    for other in (np.zeros(lp.edges), np.ones(lp.edges), np.random.default_rng(1).random(lp.edges)):
        inside = ridge_point(lp, np.zeros(lp.row_count), 0.0, "float64") if not other.any() else other
        repair(lp, inside, np.zeros(lp.row_count))
        assert (q + x / 0.7) @ (inside - x) >= -1e-9


def test_facts_of_rows_count_all_families() -> None:
    lp = random_lp(4, packing=False)
    facts, bounds = RowFacts(lp), row_bounds(lp)
    entries = [
        (first, family.entries(lp.edges))
        for first, family in zip(np.cumsum([0, 1, lp.rows[1].rows]), lp.rows, strict=True)
    ]
    square = np.zeros(lp.row_count)
    for first, (_, row, a) in entries:
        np.add.at(square, first + row, a * a)
    np.testing.assert_allclose(facts.norm, np.sqrt(np.where(square > 0, square, 1.0)))
    assert (facts.price_floor == bounds.least_dual).all()
    assert (facts.dual_upper_bound == bounds.largest_dual).all()


def without_edges(**side: Any) -> MatchingLP:
    return MatchingLP(offsets=[0, 0], c=np.zeros(0), rows=[Rows("wanted", row=np.zeros(0, np.int32), **side)])


def test_an_lp_without_edges_is_infeasible_where_a_hard_row_wants_load() -> None:
    for side, ray in (({"lower": [2.0, -1.0]}, [-1.0, 0.0]), ({"upper": [3.0, -1.0]}, [0.0, 1.0])):
        answer = answer_without_edges(without_edges(**side))
        assert answer.status is Status.INFEASIBLE
        assert answer.ray is not None
        assert answer.ray.tolist() == ray


def test_an_lp_without_edges_pays_for_what_soft_rows_want() -> None:
    lp = without_edges(lower=[2.0, -1.0], penalty=3.0)
    answer = answer_without_edges(lp)
    assert answer.status is Status.SOLVED
    assert answer.dual is not None
    assert answer.dual.tolist() == [-3.0, 0.0]
    assert bound_and_loads(lp, np.zeros(0), answer.dual).bound(lp, answer.dual) == pytest.approx(6.0)
