"""No word that was not earned: what our own solvers claim is certified by the referee and true in exact arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness import certify
from harness.bound import proves_infeasible
from instances import MatchingLP, Simplex, generate, parse_spec
from solvers.base import Answer, Solver, Status
from solvers.blockpdhg import BlockPDHG
from solvers.dualip import DualIP
from solvers.dualip_restarted import RestartedDualIP
from solvers.settings import Settings
from tests import exact
from tests.odd_lps import (
    assignment_lp,
    histograms_beside_forbidden_edges,
    infeasible_lp,
    odd_lp,
    transport_lp,
)

SOLVERS = (BlockPDHG, DualIP, RestartedDualIP)
DTYPES = ("float32", "float64")
#: Kernel and memory.
PLACES = (("cpu", "ram"), ("reference", "ram"), ("cpu", "disk"))
TOLERANCES = (1e-2, 1e-4, 1e-6, 1e-8)


@pytest.fixture(autouse=True)
def _work_space(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))


def solved_by(solver: type[Solver], lp: MatchingLP, *, kernel: str = "cpu", memory: str = "ram", **settings) -> Answer:
    made = solver()
    wanted = Settings(options={"kernel": kernel, "memory": memory}, **settings)
    state = made.prepare(lp, wanted)
    return state if isinstance(state, Answer) else made.run(state)


def gap(lp: MatchingLP, answer: Answer) -> float | None:
    return certify(lp, answer.x, answer.dual).certified_gap


def equal_costs(sources: int, cost: float) -> MatchingLP:
    """'=' sources with one edge each: the optimum is the largest objective there is."""
    return MatchingLP(
        offsets=np.arange(sources + 1),
        destination=np.zeros(sources, np.int32),
        a=np.ones(sources),
        c=np.full(sources, cost),
        b=np.array([10.0 * sources]),
        polytope=Simplex(equality=True),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("sources", "cost"), [(1, 0.1), (1000, 0.1), (1000, 1 / 3)])
def test_a_feasible_lp_of_equal_costs_is_solved(solver: type[Solver], dtype: str, sources: int, cost: float) -> None:
    lp = equal_costs(sources, cost)
    for tolerance in TOLERANCES:
        answer = solved_by(solver, lp, tolerance=tolerance, dtype=dtype, iteration_limit=2000)
        assert answer.status is Status.SOLVED
        assert gap(lp, answer) <= tolerance


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_lone_source_with_full_degree_is_not_called_infeasible(solver: type[Solver]) -> None:
    lp = generate(parse_spec("uniform:sources=1,destinations=8,degree=1,seed=648,polytope=simplex-eq"))
    assert solved_by(solver, lp, iteration_limit=2000).status is Status.SOLVED


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_called_infeasible_is_so_and_the_ray_proves_it(solver: type[Solver], dtype: str) -> None:
    found = 0
    for seed in range(12):
        lp = infeasible_lp(seed)
        answer = solved_by(solver, lp, dtype=dtype, iteration_limit=5000)
        if solver is DualIP and answer.status is Status.ITERATION_LIMIT:
            continue  # its steps are small where budgets are
        found += 1
        assert answer.status is Status.INFEASIBLE, seed
        assert answer.ray is not None
        assert (answer.ray >= 0).all()
        value = exact.bound(replace(lp, c=np.zeros(lp.edges)), answer.ray)
        if value is None:  # a source without edges, which no price has to prove
            assert (lp.degrees() == 0).any()
        else:
            assert value > 0
            assert proves_infeasible(lp, answer.ray)
    assert found >= 8


@pytest.mark.parametrize("solver", [BlockPDHG, RestartedDualIP])
def test_a_thousandth_too_little_is_proved_infeasible(solver: type[Solver]) -> None:
    lp = replace(equal_costs(50, 0.1), b=np.array([50 / 1.001]))
    answer = solved_by(solver, lp, iteration_limit=20_000, time_limit=10.0)
    assert answer.status is Status.INFEASIBLE
    assert exact.bound(replace(lp, c=np.zeros(lp.edges)), answer.ray) > 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_claims_on_odd_lps_are_certified(solver: type[Solver]) -> None:
    """Each LP has a feasible point, so none may be called infeasible."""
    claimed = 0
    for seed in range(48):
        odd, (kernel, memory) = odd_lp(seed), PLACES[seed // 4 % 3]
        lp, tolerance = odd.lp.tightened, TOLERANCES[seed % 4]
        for dtype in DTYPES:
            answer = solved_by(
                solver, lp, kernel=kernel, memory=memory, tolerance=tolerance, dtype=dtype, iteration_limit=60
            )
            words = (odd.traits, kernel, memory, dtype, answer.raw_status)
            assert answer.status not in (Status.INFEASIBLE, Status.ERROR), words
            if answer.status is Status.SOLVED:
                claimed += 1
                found = gap(lp, answer)
                assert found is not None, words
                assert 0 <= found <= tolerance, words
    assert claimed >= 30


@pytest.mark.parametrize("solver", [BlockPDHG, RestartedDualIP])
@pytest.mark.parametrize(
    "odd",
    [
        assignment_lp(1, 60, 20),
        transport_lp(1, 30, 8, whole=True),
        transport_lp(2, 30, 8, whole=False),
    ],
    ids=lambda odd: odd.traits,
)
def test_full_rows_are_solved_and_certified(solver: type[Solver], odd) -> None:
    answer = solved_by(solver, odd.lp, tolerance=1e-6, iteration_limit=20_000, time_limit=20.0)
    assert answer.status is Status.SOLVED
    assert gap(odd.lp, answer) <= 1e-6
    assert exact.violation(odd.lp, answer.x) <= 2e-13


@pytest.mark.parametrize("solver", [BlockPDHG, RestartedDualIP])
def test_transport_is_claimed_at_the_first_vertex_with_its_prices(solver: type[Solver]) -> None:
    """Estimates of the gap reach the tolerance after a hundred and some two thousand passes here."""
    lp = generate(parse_spec("dotmark-16")).tightened
    answer = solved_by(solver, lp, tolerance=1e-6)
    assert answer.status is Status.SOLVED
    assert answer.iterations <= 40
    assert gap(lp, answer) <= 1e-9


@pytest.mark.parametrize("solver", [BlockPDHG, RestartedDualIP])
def test_equal_runs_on_full_rows_have_the_same_bits(solver: type[Solver]) -> None:
    lp = assignment_lp(2, 60, 20).lp
    first, second = (solved_by(solver, lp, iteration_limit=20_000) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(first.dual, second.dual)


@pytest.mark.parametrize("seed", range(4))
def test_full_rows_beside_forbidden_edges_are_claimed_and_certified(seed: int) -> None:
    """An excess of 1e-17 of a budget, which nobody can avoid, is not priced at a forbidden edge that nobody takes."""
    lp = histograms_beside_forbidden_edges(seed)
    answer = solved_by(BlockPDHG, lp, tolerance=1e-8, time_limit=30.0)
    assert answer.status is Status.SOLVED
    found = gap(lp, answer)
    assert found is not None
    assert 0 <= found <= 1e-8


def two_sources_for_less(missing: float) -> MatchingLP:
    """Two '=' sources that need all of two budgets, of which `missing` is missing."""
    return MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1]),
        a=np.ones(4),
        c=np.array([-3.0, -1.0, -2.0, -4.0]),
        b=np.array([1.0, 1.0 - missing]),
        polytope=Simplex(equality=True),
    )


@pytest.mark.parametrize("missing", [1e-15, 1e-13, 1e-11, 1e-9, 1e-7])
def test_budgets_that_miss_what_rounding_took_are_left_by_that_and_no_more(missing: float) -> None:
    """Masses in float32 seldom have the sum of the budgets. The referee says by how much a row is left."""
    lp = two_sources_for_less(missing)
    answer = solved_by(BlockPDHG, lp, tolerance=1e-6, time_limit=20.0)
    assert answer.status is Status.SOLVED
    certificate = certify(lp, answer.x, answer.dual)
    left = certificate.row_violation if certificate.feasible_objective is None else certificate.feasible_violation
    assert 0.4 * missing <= left <= 1.1 * missing
    accuracy = certificate.priced_gap if certificate.certified_gap is None else certificate.certified_gap
    assert accuracy <= 1e-6


def test_budgets_that_miss_more_than_rounding_are_no_budgets_to_solve_for() -> None:
    answer = solved_by(BlockPDHG, two_sources_for_less(1e-4), tolerance=1e-2, time_limit=20.0)
    assert answer.status is Status.INFEASIBLE
    assert proves_infeasible(two_sources_for_less(1e-4), answer.ray)
