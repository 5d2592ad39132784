"""blockpdhg against HiGHS on small instances of every kind, and its behaviour as a solver."""

import dataclasses

import numpy as np
import pytest

from instances import Box, MatchingLP, Polytope, Simplex, generate, parse_spec
from solvers.base import Answer, Status
from solvers.blockpdhg import BlockPDHG
from solvers.engine.repair import repair
from solvers.iterates import StartPoint
from solvers.settings import OptionError, Settings
from solvers.start import Start
from tests.support.optimum import optimum

FAMILIES = ("dualip", "independent", "unit", "uniform")
POLYTOPES = (Simplex(), Simplex(z=2.0), Box(0.7), Simplex(equality=True))


def small_lp(seed: int, family: str, polytope: Polytope, dtype: str = "float64") -> MatchingLP:
    """The recipes of the families at 20 to 60 sources; '=' instances get budgets that can be met."""
    rng = np.random.default_rng(seed)
    sources, destinations = int(rng.integers(20, 60)), int(rng.integers(3, 9))
    present = rng.uniform(size=(sources, destinations)) < 0.5
    present[:, 0] |= ~present.any(axis=1)
    value = np.minimum(rng.lognormal(-4, 0.75, destinations) * rng.lognormal(0, 0.7, (sources, destinations)), 0.5)
    a = np.ones_like(value)
    if family == "dualip":
        a = rng.lognormal(0, 1, destinations) * value
    if family == "independent":
        a = rng.lognormal(0, 1, value.shape)
    if family == "uniform":
        value = rng.uniform(size=value.shape)
    greedy = np.where(present, a, 0).sum(axis=0) / present.sum(axis=1).mean()
    b = rng.uniform(0.5, 1, destinations) * greedy
    if isinstance(polytope, Simplex) and polytope.equality:
        b += 1.2 * np.where(present, a, 0).sum(axis=0)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(present.sum(axis=1)))),
        destination=np.nonzero(present)[1].astype(np.int32),
        a=a[present].astype(dtype),
        c=-value[present].astype(dtype),
        b=b,
        polytope=polytope,
    )


def solve(lp: MatchingLP, **settings: object) -> Answer:
    solver = BlockPDHG()
    return solver.run(solver.prepare(lp, Settings(**settings)))  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("polytope", POLYTOPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_at_1e8_it_agrees_with_highs(family: str, polytope: Polytope) -> None:
    for seed in range(13):
        lp = small_lp(seed, family, polytope)
        answer = solve(lp, tolerance=1e-8, dtype="float64", iteration_limit=100_000)
        best = optimum(lp)
        assert answer.status is Status.SOLVED, (seed, answer.raw_status)
        assert lp.c @ answer.x == pytest.approx(best, abs=1e-6 * max(1, abs(best)))
        assert (answer.dual >= 0).all()


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("family", FAMILIES)
def test_float32_reaches_the_tolerance_it_claims(family: str, tolerance: float) -> None:
    lp = small_lp(3, family, Simplex(), dtype="float32")
    answer = solve(lp, tolerance=tolerance, iteration_limit=100_000)
    assert answer.status is Status.SOLVED
    assert answer.x.dtype == ("float32" if tolerance >= 1e-6 else "float64")
    assert repair(lp, answer.x.copy(), answer.dual).gap <= tolerance * (1 + 1e-6)


def test_the_same_settings_give_the_same_iterations_and_bytes() -> None:
    lp = small_lp(1, "independent", Simplex(), dtype="float32")
    first, second = (solve(lp, tolerance=1e-5, threads=2) for _ in range(2))
    assert first.iterations == second.iterations
    assert first.x.tobytes() == second.x.tobytes()
    assert first.dual.tobytes() == second.dual.tobytes()


def test_a_warm_start_from_the_answer_ends_at_once() -> None:
    lp = small_lp(2, "unit", Simplex())
    solver = BlockPDHG()
    state = solver.prepare(lp, Settings(tolerance=1e-6, dtype="float64"))
    cold = solver.run(state)
    warm = solver.run(solver.warm_start(state, Start(x=cold.x, dual=cold.dual)))
    assert warm.status is Status.SOLVED
    assert warm.iterations <= 5 < cold.iterations / 5
    assert warm.raw_status.split("; ")[0].endswith("Newton systems from iteration 0")


@pytest.mark.parametrize("wrong", [-1.0, 0.3, 1e3])
def test_a_start_that_is_of_no_use_leaves_the_run_to_pdhg(wrong: float) -> None:
    lp = small_lp(2, "unit", Simplex())
    solver = BlockPDHG()
    state = solver.prepare(lp, Settings(tolerance=1e-6, dtype="float64"))
    prices = np.abs(wrong * np.random.default_rng(3).standard_normal(lp.row_count))
    answer = solver.run(solver.warm_start(state, Start(x=np.full(lp.edges, wrong), dual=prices)))
    assert answer.status is Status.SOLVED
    assert "from iteration 0" not in answer.raw_status


def test_an_instance_whose_equalities_budgets_cannot_serve_is_called_infeasible() -> None:
    lp = small_lp(4, "unit", Simplex(equality=True))
    poor = MatchingLP(
        offsets=lp.offsets, destination=lp.destination, a=lp.a, c=lp.c, b=0.01 * lp.b, polytope=lp.polytope
    )
    answer = solve(poor, time_limit=10.0, iteration_limit=20_000)
    assert answer.status is Status.INFEASIBLE


def test_an_equality_source_without_edges_is_infeasible_at_once() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 1, 1]),
        destination=np.zeros(1, dtype=np.int32),
        a=np.ones(1),
        c=-np.ones(1),
        b=np.ones(1),
        polytope=Simplex(equality=True),
    )
    assert solve(lp).status is Status.INFEASIBLE


def test_limits_end_a_run_with_a_feasible_point() -> None:
    lp = small_lp(5, "independent", Simplex())
    answer = solve(lp, tolerance=1e-12, dtype="float64", iteration_limit=11)
    assert answer.status is Status.ITERATION_LIMIT
    assert answer.iterations == 11
    assert (np.bincount(lp.destination, weights=lp.a * answer.x, minlength=lp.destinations) <= lp.b + 1e-12).all()
    timed = solve(lp, tolerance=1e-15, dtype="float64", time_limit=0.05, options={"finish": "none"})
    assert timed.status is Status.TIME_LIMIT


def test_a_number_that_is_lost_ends_as_an_error_that_names_it() -> None:
    lp = small_lp(6, "unit", Simplex())
    solver = BlockPDHG()
    state = solver.prepare(lp, Settings(dtype="float64"))
    lost = StartPoint(x=None, dual=np.full(lp.destinations, np.nan))
    answer = solver.run(dataclasses.replace(state, start=lost))
    assert answer.status is Status.ERROR
    assert "iteration 1" in answer.raw_status
    assert "dual" in answer.raw_status


def test_no_edges_and_no_budget_are_solved() -> None:
    lp = MatchingLP(
        offsets=np.zeros(4, dtype=np.int64),
        destination=np.zeros(0, dtype=np.int32),
        a=np.zeros(0),
        c=np.zeros(0),
        b=np.zeros(2),
    )
    answer = solve(lp)
    assert answer.status is Status.SOLVED
    assert answer.x.size == 0


@pytest.mark.parametrize("options", [{"weight": 1.0}, {"restart_sufficient": 1.5}, {"initial_weight": 0.0}])
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        BlockPDHG().prepare(small_lp(0, "unit", Box()), Settings(options=options))


def test_pdhg_alone_needs_few_iterations_on_dualips_benchmark() -> None:
    """A wrong step, weight or restart still ends with a valid proof; only the count shows it."""
    lp = generate(parse_spec("dualip:sources=5000,destinations=50,degree=10,seed=42"))
    solver, settings = BlockPDHG(), Settings(tolerance=1e-6, iteration_limit=60, options={"finish": "none"})
    assert solver.run(solver.prepare(lp, settings)).status is Status.SOLVED


@pytest.mark.parametrize("finish", ["none", "newton"])
def test_equality_sources_are_proved_where_no_row_has_room(finish: str) -> None:
    """At the optimum of these budgets every row is full, so no source can be filled up by itself."""
    lp = generate(parse_spec("dualip:sources=5000,destinations=50,degree=5,seed=7,polytope=simplex-eq"))
    assert solve(lp, tolerance=1e-4, iteration_limit=200, options={"finish": finish}).status is Status.SOLVED
