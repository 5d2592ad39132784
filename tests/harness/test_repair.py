"""A correct answer is certified where every row is full, a wrong one never."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from harness import certify, solve
from harness.repair import repaired_point
from instances import Kind, MatchingLP, PerSource, Simplex
from tests import exact
from tests.odd_lps import (
    OddLP,
    assignment_lp,
    full_rows_beside_forbidden_edges,
    histograms_beside_forbidden_edges,
    transport_lp,
)

NOISE = (0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3)


def full_lps() -> list[OddLP]:
    return [
        assignment_lp(1, 3, 2),
        assignment_lp(2, 30, 4),
        assignment_lp(3, 300, 5),
        transport_lp(4, 30, 8, whole=True),
        transport_lp(5, 30, 8, whole=False),
    ]


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("case", full_lps(), ids=lambda odd: odd.traits)
def test_an_optimum_with_noise_is_certified_up_to_its_noise(case: OddLP, noise: float) -> None:
    lp = case.lp
    best = solve(lp, "scipy-highs-ds", tolerance=1e-6)
    assert best.answer is not None
    assert best.answer.x is not None
    rng = np.random.default_rng(7)
    disturbed = best.answer.x * (1 + noise * rng.normal(size=lp.edges)) + noise * rng.random(lp.edges)
    found = certify(lp, disturbed, best.answer.dual)
    assert found.certified_gap is not None, found.reason
    assert 0 <= found.certified_gap <= 20 * noise + 1e-9
    assert found.feasible_violation is not None
    assert found.feasible_violation <= 1e-12


@pytest.mark.parametrize("case", full_lps(), ids=lambda odd: odd.traits)
def test_another_feasible_point_of_full_rows_is_not_taken_for_the_optimum(case: OddLP) -> None:
    best = solve(case.lp, "scipy-highs-ds", tolerance=1e-6)
    assert best.answer is not None
    found = certify(case.lp, case.witness, best.answer.dual)
    assert found.feasible_objective is not None
    assert found.feasible_objective == pytest.approx(float(case.lp.c @ case.witness), rel=1e-12)
    assert found.feasible_violation == 0
    assert np.array_equal(repaired_point(case.lp, case.witness), case.witness)


def test_a_thousand_persons_with_noise_are_certified() -> None:
    case = assignment_lp(6, 1000, 20)
    rng = np.random.default_rng(0)
    found = certify(case.lp, case.witness + 1e-9 * rng.random(case.lp.edges), None)
    assert found.feasible_objective == pytest.approx(float(case.lp.c @ case.witness), abs=1e-4)


def two_rows(b: list[float], z: list[float], a: list[float], c: list[float], kind: Kind) -> MatchingLP:
    """One source on two rows."""
    return MatchingLP(
        offsets=np.array([0, 2]),
        destination=np.array([0, 1]),
        a=np.array(a),
        c=np.array(c),
        b=np.array(b),
        polytope=PerSource(kind=np.array([kind], np.uint8), radius=np.array(z)),
    )


def test_small_radii_keep_their_mass() -> None:
    lp = two_rows([0.0, 1.0], [5e-14], [1.0, 1.0], [0.0, 1e14], Kind.SIMPLEX_EQUALITY)
    found = certify(lp, np.array([5e-14, 0.0]), np.zeros(2))
    assert found.feasible_objective == pytest.approx(5.0)
    lp = two_rows([1.0, 0.0], [1e-12], [1.0, 1.0], [1e12, 2e12], Kind.SIMPLEX_EQUALITY)
    found = certify(lp, np.array([9.05e-13, 0.95e-13]), np.zeros(2))
    assert found.feasible_objective == pytest.approx(1.0)
    assert found.certified_gap == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("kind", [Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY, Kind.BOX])
def test_an_edge_without_a_coefficient_has_room_on_a_full_row(kind: Kind) -> None:
    lp = MatchingLP(
        offsets=np.array([0, 2]),
        destination=np.array([0, 0]),
        a=np.array([0.0, 1.0]),
        c=np.array([-1.0, -1.0]),
        b=np.array([0.0]),
        polytope=PerSource(kind=np.array([kind], np.uint8), radius=np.array([1.0])),
    )
    found = certify(lp, np.array([1.0, 1e-12]), np.ones(1))
    assert found.feasible_objective == pytest.approx(-1.0)
    assert found.certified_gap == pytest.approx(0.0, abs=1e-11)


def test_an_empty_source_that_wants_mass_leaves_nothing_feasible() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 2, 2]),
        destination=np.array([0, 0]),
        a=np.array([1.0, 2.0]),
        c=np.array([-1.0, 1.0]),
        b=np.array([2.0]),
        polytope=Simplex(equality=True),
    )
    found = certify(lp, np.zeros(2), np.zeros(1))
    assert (found.feasible_objective, found.dual_bound, found.certified_gap) == (None, None, None)
    assert found.reason == "no x is feasible: the '=' source 1 wants mass and has no edges"


@pytest.mark.parametrize(("sources", "rows"), [(0, 0), (0, 3), (4, 0), (4, 3)])
@pytest.mark.parametrize("equality", [False, True])
def test_lps_without_sources_rows_or_edges_are_judged_like_others(sources: int, rows: int, *, equality: bool) -> None:
    lp = MatchingLP(
        offsets=np.zeros(sources + 1, np.int64),
        destination=np.zeros(0, np.int32),
        a=np.zeros(0),
        c=np.zeros(0),
        b=np.ones(rows),
        polytope=Simplex(z=0.0 if equality else 1.0, equality=equality),
    )
    found = certify(lp, np.zeros(0), np.zeros(rows))
    assert (found.dual_bound, found.feasible_objective, found.certified_gap) == (0.0, 0.0, 0.0)
    assert np.array_equal(repaired_point(lp, np.zeros(0)), np.zeros(0))


def test_a_violation_within_rounding_costs_what_it_may_be_worth() -> None:
    """Two sources on one full row and a dear one: 1e-13 too little room, which only the dear row has."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1]),
        a=np.ones(4),
        c=np.array([0.0, 1e13, 0.0, 1e13]),
        b=np.array([2.0 - 1e-13, 1.0]),
        polytope=Simplex(equality=True),
    )
    found = certify(lp, np.array([1.0, 0.0, 1.0, 0.0]), np.zeros(2))
    assert found.feasible_objective is not None
    assert found.feasible_objective >= 0.99  # the optimum is 1e13 times the mass that has to go there


def test_a_violation_within_rounding_costs_the_cheapest_move_that_removes_it() -> None:
    """The same with a third row that has room: what does not fit on the full row goes there, not to the dear one."""
    lp = MatchingLP(
        offsets=np.array([0, 3, 6]),
        destination=np.array([0, 1, 2, 0, 1, 2]),
        a=np.ones(6),
        c=np.array([0.0, 1e13, 1.0, 0.0, 1e13, 2.0]),
        b=np.array([2.0 - 1e-15, 1.0, 1.0]),
        polytope=Simplex(equality=True),
    )
    found = certify(lp, np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]), np.zeros(3))
    assert found.feasible_objective is not None
    assert 8e-16 <= found.feasible_objective <= 1e-14


#: Costs of forbidden edges: 1e-16 of mass on one is worth more than any tolerance.
FORBIDDEN = 1e13


def test_a_violation_within_rounding_costs_the_path_through_several_sources_that_removes_it() -> None:
    """Row 0 is over, row 1 full, row 2 has room; one source reaches rows 0 and 1, the other rows 1 and 2."""
    lp = MatchingLP(
        offsets=np.array([0, 3, 6]),
        destination=np.array([0, 1, 3, 1, 2, 3]),
        a=np.ones(6),
        c=np.array([0.0, 1.0, FORBIDDEN, 0.0, 2.0, FORBIDDEN]),
        b=np.array([1.0 - 2.0**-50, 1.0, 1.0, 1.0]),
        polytope=Simplex(equality=True),
    )
    found = certify(lp, np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]), np.zeros(4))
    assert found.feasible_objective is not None
    assert 3 * 2.0**-50 <= found.feasible_objective <= 1e-14
    assert found.feasible_violation == pytest.approx(2.0**-50, rel=1e-3)


def test_a_violation_within_rounding_is_removed_by_a_cycle_that_makes_room() -> None:
    """Both rows are over, and no row has room: two sources exchange what costs one row less than it gives the other."""
    lp = MatchingLP(
        offsets=np.array([0, 3, 6]),
        destination=np.array([0, 1, 2, 0, 1, 2]),
        a=np.array([1.0, 2.0, 1.0, 2.0, 1.0, 1.0]),
        c=np.array([0.0, 1.0, FORBIDDEN, 1.0, 0.0, FORBIDDEN]),
        b=np.array([1.5, 1.5, 1.0]) - np.array([2.0**-50, 2.0**-50, 0.0]),
        polytope=Simplex(equality=True),
    )
    found = certify(lp, np.array([0.5, 0.5, 0.0, 0.5, 0.5, 0.0]), np.zeros(3))
    assert found.feasible_objective is not None
    assert 1.0 <= found.feasible_objective <= 1.0 + 1e-12


def test_an_excess_that_every_point_has_counts_at_the_price_of_the_answer() -> None:
    """The budgets miss the sums of the sources by rounding: no move changes that, and a forbidden edge is none."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1]),
        a=np.ones(4),
        c=np.array([1.0, 2.0, FORBIDDEN, 4.0]),
        b=np.array([1.0, 1.0 - 2.0**-50]),
        polytope=Simplex(equality=True),
    )
    found = certify(lp, np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.0, 3.0]))
    assert found.feasible_objective == pytest.approx(5.0, rel=1e-12)
    assert found.feasible_violation == pytest.approx(2.0**-50, rel=1e-3)
    assert found.certified_gap is not None
    assert found.certified_gap >= 0


@pytest.mark.parametrize("seed", [0, 1])
def test_histograms_beside_forbidden_edges_are_certified_to_the_last_digits(seed: int) -> None:
    """Both sides sum to 1 but for rounding, in the second case with too little room; dense, so that most edges are left
    out of the first LP.
    """
    lp = histograms_beside_forbidden_edges(seed)
    best = solve(lp, "scipy-highs-ds", tolerance=1e-8)
    assert best.status == "solved", best.reason
    assert best.certificate is not None
    assert best.certificate.certified_gap is not None
    assert best.certificate.certified_gap <= 1e-13
    assert best.certificate.feasible_violation is not None
    assert best.certificate.feasible_violation <= 1e-12


@pytest.mark.parametrize("seed", range(24))
def test_full_rows_beside_forbidden_edges_are_charged_no_less_than_the_optimum_and_little_more(seed: int) -> None:
    lp = full_rows_beside_forbidden_edges(seed)
    least = exact.optimum(lp)
    assert least is not None
    allowed = np.minimum(lp.c, 1e3)
    best = solve(replace(lp, c=allowed), "scipy-highs-ds", tolerance=1e-6)
    assert best.answer is not None
    assert best.answer.x is not None
    found = certify(lp, best.answer.x, best.answer.dual)
    assert found.feasible_objective is not None
    assert found.objective is not None
    rounding = 1e-15 * max(1.0, abs(found.objective))
    assert Fraction(found.feasible_objective) >= least - Fraction(rounding)
    assert found.feasible_objective <= found.objective + 1e-9 * max(1.0, abs(found.objective))


def test_result_x_is_the_point_that_was_certified() -> None:
    case = assignment_lp(8, 20, 4)
    for solver in ("blockpdhg", "scipy-highs-ds"):
        result = solve(case.lp, solver, tolerance=1e-2)
        assert result.certificate is not None
        assert result.x is not None
        assert float(case.lp.c @ result.x) == pytest.approx(result.certificate.feasible_objective, rel=1e-9)
        sums = np.add.reduceat(result.x, case.lp.offsets[:-1])
        assert np.abs(sums - 1).max() <= 1e-12
        assert (np.bincount(case.lp.destination, result.x) <= 1 + 1e-12).all()
