"""The two sides of a certificate are proofs in floating point: compared with exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.bound
from harness import certify, solve
from harness.bound import proves_infeasible
from harness.repair import repaired_point
from instances import Box, MatchingLP, Simplex, generate, parse_spec
from tests import exact
from tests.odd_lps import OddLP, infeasible_lp, odd_lp, with_box_cuts
from tests.support.exact_bounds import check_bound

LARGEST = float(np.finfo(np.float64).max)
#: How duals are made from exponential numbers: any size, shifts that cancel, one-sided, too small, too large.
DUALS = ("plain", "any size", "shifted", "zero", "negative", "denormal", "huge", "powers of ten")


def drawn(seed: int, *, largest_power: int = 12, most_sources: int = 12) -> OddLP:
    """The odd LP of a seed; of every other seed with a second limit at half of its sources."""
    odd = odd_lp(seed, largest_power=largest_power, most_sources=most_sources)
    return with_box_cuts(odd, seed) if seed % 2 else odd


def dual_of(kind: str, size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    plain = rng.exponential(size=size)
    return {
        "plain": plain,
        "any size": plain * 10.0 ** rng.uniform(-300, 300, size),
        "shifted": plain + 2.0 ** float(rng.integers(0, 64)),
        "zero": np.zeros(size),
        "negative": -plain,
        "denormal": plain * 10.0 ** rng.uniform(-320, -300, size),
        "huge": np.minimum(plain * 10.0 ** rng.uniform(300, 307, size), LARGEST),
        "powers of ten": 10.0 ** rng.uniform(-12, 12) * rng.integers(0, 3, size),
    }[kind]


@pytest.mark.parametrize("exact_edges", [harness.bound.EXACT_EDGES, -1], ids=["small", "as large ones"])
@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(DUALS))
def test_no_bound_is_above_the_exact_one(exact_edges: int, seed: int, kind: str) -> None:
    odd = drawn(seed)
    dual = dual_of(kind, odd.lp.destinations, np.random.default_rng(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness.bound, "EXACT_EDGES", exact_edges)
        found = certify(odd.lp, None, dual)
    true = exact.bound(odd.lp.tightened, dual)
    assert true is not None
    check_bound(found, true, odd.traits, may_be_too_large=kind in ("any size", "huge"))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(DUALS))
def test_the_certificate_encloses_the_exact_optimum(seed: int, kind: str) -> None:
    odd = drawn(seed, largest_power=4, most_sources=4)
    best = exact.optimum(odd.lp)
    assert best is not None
    rng = np.random.default_rng(seed)
    x = odd.witness if rng.random() < 0.5 else rng.normal(size=odd.lp.edges)
    found = certify(odd.lp, x, dual_of(kind, odd.lp.destinations, rng))
    assert found.dual_bound is None or Fraction(found.dual_bound) <= best, odd.traits
    if found.feasible_objective is not None and found.feasible_violation == 0:
        assert Fraction(found.feasible_objective) >= best, odd.traits
        assert found.certified_gap is None or found.certified_gap >= 0


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.sampled_from([-9, 0, 9, 300, -300]))
def test_the_repaired_point_holds_every_row_and_costs_no_more_than_is_said(seed: int, power: int) -> None:
    odd, rng = drawn(seed), np.random.default_rng(seed)
    for x in (odd.witness, rng.normal(size=odd.lp.edges) * 10.0**power):
        found = certify(odd.lp, x, None)
        point = repaired_point(odd.lp, x)
        assert found.feasible_objective is None or point is not None, odd.traits
        if found.feasible_objective is None or point is None or found.feasible_violation is None:
            continue
        assert exact.violation(odd.lp, point) <= Fraction(found.feasible_violation) + Fraction(1, 10**13), odd.traits
        assert Fraction(found.feasible_objective) >= exact.objective(odd.lp, point), odd.traits


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_feasible_answer_is_certified_for_what_it_costs(seed: int) -> None:
    odd = drawn(seed)
    found = certify(odd.lp, odd.witness, None)
    cost = exact.objective(odd.lp, odd.witness)
    assert found.feasible_objective is not None, odd.traits
    assert Fraction(found.feasible_objective) - cost <= max(1, abs(cost)) / 10**9, odd.traits


def test_a_common_shift_of_the_prices_neither_lifts_the_bound_nor_loses_it() -> None:
    lp = generate(parse_spec("uniform:sources=1000,destinations=2,degree=2,seed=1,polytope=simplex-eq"))
    best = solve(lp, "scipy-highs-ds", tolerance=1e-6)
    assert best.answer is not None
    assert best.certificate is not None
    optimum = best.certificate.feasible_objective
    assert optimum is not None
    for power in range(30, 61, 3):
        found = certify(lp, best.answer.x, best.answer.dual + 2.0**power)
        assert found.dual_bound is not None
        assert found.dual_bound <= optimum
        assert found.dual_bound >= optimum - 1e-9 - 1000 * 2.0 ** (power - 52)  # what the prices themselves rounded


def small(b: list[float], c: list[float], a: list[float], *, offsets: list[int], destination: list[int]) -> MatchingLP:
    return MatchingLP(
        offsets=np.array(offsets),
        destination=np.array(destination),
        a=np.array(a),
        c=np.array(c),
        b=np.array(b),
        polytope=Simplex(equality=True),
    )


def test_prices_of_two_to_the_sixty_do_not_swallow_the_costs() -> None:
    lp = small([1, 1], [-1, 0, 0, 0], [1, 1, 1, 1], offsets=[0, 2, 4], destination=[0, 1, 0, 1])
    found = certify(lp, np.array([0.0, 1, 1, 0]), np.full(2, 2.0**60))
    assert found.dual_bound == pytest.approx(-1.0, abs=1e-12)
    assert found.certified_gap == pytest.approx(1.0)


def test_a_load_that_underflows_is_no_room() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 1]),
        destination=np.array([0]),
        a=np.array([5e-324]),
        c=np.array([-1e10]),
        b=np.array([0.0]),
        polytope=Box(0.25),
    )
    found = certify(lp, np.array([0.25]), np.array([0.0]))
    assert found.feasible_objective == 0.0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_ray_proves_a_feasible_lp_infeasible(seed: int) -> None:
    odd, rng = drawn(seed), np.random.default_rng(seed)
    for kind in DUALS:
        assert not proves_infeasible(odd.lp, dual_of(kind, odd.lp.destinations, rng)), odd.traits


def test_a_ray_of_any_size_proves_what_it_proves() -> None:
    lp = small([0.4, 0.5], [1, 1], [1, 1], offsets=[0, 2], destination=[0, 1])
    for size in (1e-300, 1.0, 1e300):
        assert proves_infeasible(lp, np.full(2, size))
    for ray in (np.array([1.0, 0.0]), np.zeros(2), np.array([np.nan, 1.0]), np.ones(3), -np.ones(2)):
        assert not proves_infeasible(lp, ray)
    assert exact.optimum(infeasible_lp(3)) is None


def test_a_budget_that_never_binds_costs_a_ray_no_more_than_what_can_arrive() -> None:
    lp = small([0.4, 1e9], [1, 1], [1, 1], offsets=[0, 1, 2], destination=[0, 1])
    assert proves_infeasible(lp, np.array([1.0, 0.5]))
    assert not proves_infeasible(lp, np.array([0.0, 1.0]))
