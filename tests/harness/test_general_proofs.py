"""Beyond the short form the two sides of a certificate are proofs too: compared with exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.general.bound
from harness import certify
from harness.general.bound import proves_infeasible
from harness.repair import repaired_point
from instances import MatchingLP, RaggedRows, Rows, Simplex
from tests import exact_rows
from tests.odd_rows import odd_rows
from tests.support.exact_bounds import check_bound

#: Duals that a solver, or a cheat, may hand over: any sign, any size, shifts that cancel.
DUALS = ("plain", "zero", "any size", "shifted", "denormal", "huge", "wrong side")
#: Answers, from one that is feasible to one that is anything.
POINTS = ("witness", "noisy witness", "random", "zero", "huge")


def dual_of(kind: str, size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    plain = rng.normal(size=size)
    return {
        "plain": plain,
        "zero": np.zeros(size),
        "any size": plain * 10.0 ** rng.uniform(-300, 300, size),
        "shifted": plain + 2.0 ** float(rng.integers(0, 64)),
        "denormal": plain * 10.0 ** rng.uniform(-320, -300, size),
        "huge": plain * 10.0 ** rng.uniform(290, 307, size),
        "wrong side": -np.abs(plain),
    }[kind]


def point_of(kind: str, witness: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return {
        "witness": witness,
        "noisy witness": witness * (1 + 10.0 ** rng.uniform(-17, -2) * rng.normal(size=witness.size)),
        "random": rng.normal(size=witness.size),
        "zero": np.zeros(witness.size),
        "huge": rng.random(witness.size) * 10.0 ** rng.uniform(0, 300, witness.size),
    }[kind]


@pytest.mark.parametrize("exact_edges", [harness.general.bound.EXACT_EDGES, -1], ids=["small", "as large ones"])
@settings(max_examples=90, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(DUALS))
def test_no_bound_is_above_the_exact_one(exact_edges: int, seed: int, kind: str) -> None:
    odd = odd_rows(seed)
    dual = dual_of(kind, odd.lp.row_count, np.random.default_rng(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness.general.bound, "EXACT_EDGES", exact_edges)
        found = certify(odd.lp, None, dual)
    if odd.lp.is_short_form:
        return
    true = exact_rows.bound(odd.lp, dual)
    assert true is not None
    check_bound(found, true, odd.traits, may_be_too_large=kind in ("any size", "huge"))


@settings(max_examples=130, deadline=None)
@given(seed=st.integers(0, 10**6), dual=st.sampled_from(DUALS), answer=st.sampled_from(POINTS))
def test_figures_are_not_negative_and_no_feasible_objective_is_below_the_exact_cost(
    seed: int, dual: str, answer: str
) -> None:
    odd = odd_rows(seed)
    rng = np.random.default_rng(seed)
    x = point_of(answer, odd.witness, rng)
    found = certify(odd.lp, x, dual_of(dual, odd.lp.row_count, rng))
    for figure in (found.certified_gap, found.priced_gap, found.row_violation, found.feasible_violation):
        assert figure is None or figure >= 0, odd.traits
    if found.row_violation is not None:
        assert found.row_violation > 0, odd.traits
    if odd.lp.is_short_form or found.feasible_objective is None:
        return
    point = repaired_point(odd.lp, x)
    assert point is not None
    left = exact_rows.violation(odd.lp, point)
    assert left <= Fraction(1, 10**9), odd.traits
    if found.feasible_violation == 0:
        cheapest = exact_rows.bound(odd.lp, np.zeros(odd.lp.row_count))
        assert cheapest is not None
        assert Fraction(found.feasible_objective) >= cheapest


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), dual=st.sampled_from(DUALS), answer=st.sampled_from(POINTS))
def test_the_certificate_encloses_the_exact_optimum(seed: int, dual: str, answer: str) -> None:
    odd = odd_rows(seed, largest_power=2, most_sources=3)
    if odd.lp.edges > 8:
        return  # the simplex method on fractions is slow
    best = exact_rows.optimum(odd.lp)
    assert best is not None, odd.traits
    rng = np.random.default_rng(seed)
    found = certify(odd.lp, point_of(answer, odd.witness, rng), dual_of(dual, odd.lp.row_count, rng))
    assert found.dual_bound is None or Fraction(found.dual_bound) <= best, odd.traits
    if found.feasible_objective is not None and found.feasible_violation == 0:
        assert Fraction(found.feasible_objective) >= best, odd.traits


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_feasible_witness_is_judged_feasible(seed: int) -> None:
    odd = odd_rows(seed)
    assert exact_rows.violation(odd.lp, odd.witness) == 0, odd.traits
    found = certify(odd.lp, odd.witness)
    assert found.feasible_objective is not None, odd.traits
    assert Fraction(found.feasible_objective) >= exact_rows.cost(odd.lp, odd.witness), odd.traits


@settings(max_examples=90, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(DUALS))
def test_no_ray_proves_a_feasible_lp_infeasible(seed: int, kind: str) -> None:
    odd = odd_rows(seed)
    assert not proves_infeasible(odd.lp, dual_of(kind, odd.lp.row_count, np.random.default_rng(seed)))


def floors(side: float, penalty: float = np.inf) -> MatchingLP:
    """Two sources that place at most 1 each, and a row that wants `side` of both."""
    return MatchingLP(
        offsets=[0, 1, 2],
        c=np.ones(2),
        polytope=Simplex(),
        rows=[Rows("goal", lower=[side], penalty=penalty), Rows("other", row=[0, 1], upper=[5.0, 5.0])],
    )


def test_a_ray_holds_for_hard_sides_of_its_sign_alone_and_only_beyond_what_all_sources_can_place() -> None:
    ray = np.array([-1.0, 0.0, 0.0])
    assert proves_infeasible(floors(np.nextafter(2.0, 3.0)), ray)
    assert not proves_infeasible(floors(2.0), ray)
    assert not proves_infeasible(floors(3.0), -ray)
    assert not proves_infeasible(floors(3.0, penalty=1.0), ray)
    for nonsense in (np.array([np.nan, 0, 0]), np.array([-np.inf, 0, 0]), np.array([-1.0])):
        assert not proves_infeasible(floors(3.0), nonsense)
    assert proves_infeasible(floors(3.0), ray * 1e300)
    assert proves_infeasible(floors(3.0), ray * 1e-300)


def test_a_shift_along_equal_rows_and_sources_leaves_the_bound_as_it_is() -> None:
    rng = np.random.default_rng(0)
    supply = np.full(4, 3.0)
    lp = MatchingLP(
        offsets=np.arange(5) * 6,
        c=rng.random(24),
        polytope=Simplex(z=3.0, equality=True),
        rows=[Rows("demand", row=np.tile(np.arange(6), 4), lower=np.full(6, 2.0), upper=np.full(6, 2.0))],
    )
    y = rng.normal(size=6)
    near = certify(lp, None, y).dual_bound
    far = certify(lp, None, y + 2.0**40).dual_bound
    assert near is not None
    assert far is not None
    assert supply.sum() == 12.0
    assert far == pytest.approx(near, abs=12 * 2.0**-12)


def test_whole_numbers_that_fill_equal_rows_are_feasible_exactly() -> None:
    lp = MatchingLP(
        offsets=[0, 2, 4],
        c=np.array([1.0, 3.0, 2.0, 1.0]),
        polytope=Simplex(equality=True),
        rows=[Rows("job", row=[0, 1, 0, 1], lower=[1.0, 1.0], upper=[1.0, 1.0])],
    )
    found = certify(lp, np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.0, 0.0]))
    assert (found.feasible_objective, found.feasible_violation, found.certified_gap) == (2.0, 0.0, 0.0)
    assert (found.priced_gap, found.row_violation) == (None, None)


def test_rows_that_hold_at_zero_are_repaired_exactly_whatever_their_signs() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        edges = 12
        starts = np.arange(edges + 1) * 2
        lp = MatchingLP(
            offsets=[0, 4, 8, 12],
            c=rng.normal(size=edges),
            polytope=Simplex(),
            rows=[
                Rows("return", coefficient=rng.normal(size=edges), lower=[-0.01]),
                Rows("place", row=rng.integers(0, 3, edges), upper=rng.uniform(0, 1, 3)),
                RaggedRows(
                    "links",
                    entry_offsets=starts,
                    row=rng.integers(0, 4, 2 * edges),
                    coefficient=rng.random(2 * edges),
                    upper=rng.random(4),
                ),
            ],
        )
        x = rng.random(edges)
        found = certify(lp, x, rng.normal(size=lp.row_count))
        assert found.feasible_violation == 0
        point = repaired_point(lp, x)
        assert point is not None
        assert exact_rows.violation(lp, point) == 0
        assert found.feasible_objective is not None
        assert Fraction(found.feasible_objective) >= exact_rows.cost(lp, point)


def test_a_floor_one_digit_above_what_a_source_may_place_is_never_said_to_hold_exactly() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        x = rng.random(3)
        floor = float(x.sum())
        lp = MatchingLP(
            offsets=[0, 3],
            c=np.ones(3),
            polytope=Simplex(z=np.nextafter(floor, 0.0)),
            rows=[Rows("floor", lower=[floor])],
        )
        found = certify(lp, x, np.zeros(1))
        assert found.feasible_objective is None or (found.feasible_violation or 0.0) > 0


def test_a_row_said_to_hold_exactly_holds_for_the_point_scaled_exactly_into_its_source() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        x, a = rng.random((2, 3))
        z = float(0.9 * x.sum())
        activity = exact_sum(a, x * (z / float(x.sum())))
        lp = MatchingLP(
            offsets=[0, 3],
            c=np.ones(3),
            polytope=Simplex(z=z),
            rows=[Rows("floor", coefficient=a, lower=[float(activity)])],
        )
        point = repaired_point(lp, x)
        assert point is not None
        within = min(Fraction(1), Fraction(z) / exact_sum(np.ones(3), point))
        if certify(lp, x).feasible_violation == 0:
            assert within * exact_sum(a, point) >= Fraction(float(lp.rows[0].lower[0]))


def exact_sum(a: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> Fraction:
    """a'x."""
    return sum((Fraction(float(v)) * Fraction(float(w)) for v, w in zip(a, x, strict=True)), Fraction(0))
