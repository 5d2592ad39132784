"""The proximal phase alone, from a cold start, and as the end of a run of blockpdhg."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from instances import Kind, MatchingLP, MatchingSpec, Simplex, generate
from solvers.base import Answer, Status, Vector
from solvers.blockpdhg import BlockPDHG
from solvers.engine import rows_jit
from solvers.engine.evaluate import loads_of
from solvers.engine.repair import repair
from solvers.proximal import dense_jit, near_families_jit, near_jit, passes_jit, system_jit
from solvers.settings import Settings
from tests.support.optimum import optimum
from tests.support.proximal import KINDS, mixed_lp, run_phase

#: Every kind alone, and all of them in one instance.
MIXES = [*((kind,) for kind in KINDS), KINDS]
#: Mixes whose points scaling repairs.
WITHOUT_EQUALITY = [
    mix for mix in [*MIXES, (Kind.SIMPLEX, Kind.BOX)] if not {Kind.SIMPLEX_EQUALITY, Kind.BOX_CUT_EQUALITY} & set(mix)
]
LOOPS = (dense_jit, near_families_jit, near_jit, passes_jit, rows_jit, system_jit)
HARD = ("unit", "independent", "uniform", "dualip")


def run(lp: MatchingLP, **settings: Any) -> Answer:
    solver = BlockPDHG()
    return solver.run(solver.prepare(lp, Settings(**settings)))


def point_of(answer: Answer) -> Vector:
    assert answer.x is not None, answer.raw_status
    return answer.x


def gap_of(lp: MatchingLP, answer: Answer) -> float:
    """As certified for a copy of the answer."""
    assert answer.dual is not None
    return repair(lp, point_of(answer).copy(), answer.dual).gap


def _names(kinds: tuple[Kind, ...]) -> str:
    return "-".join(kind.name for kind in kinds)


@pytest.mark.parametrize("kinds", MIXES, ids=_names)
def test_its_bound_is_the_optimum_of_highs(kinds: tuple[Kind, ...]) -> None:
    for seed in range(8):
        lp = mixed_lp(seed, kinds)
        end = run_phase(lp, tolerance=1e-9, iteration_limit=400)
        best = optimum(lp)
        assert end.progress.best_bound == pytest.approx(best, abs=1e-7 * max(1, abs(best))), seed


@pytest.mark.parametrize("kinds", WITHOUT_EQUALITY, ids=_names)
def test_its_point_is_proved_and_feasible(kinds: tuple[Kind, ...]) -> None:
    for seed in range(6):
        lp = mixed_lp(seed, kinds)
        end = run_phase(lp, tolerance=1e-9, iteration_limit=400)
        assert end.answer.status is Status.SOLVED, seed
        assert end.gap <= 1e-9
        x = point_of(end.answer)
        assert lp.c @ x == pytest.approx(optimum(lp), abs=1e-7)
        assert (loads_of(lp, x) <= lp.b * (1 + 1e-12) + 1e-15).all()


@pytest.mark.parametrize("family", HARD)
def test_1e8_is_reached_on_every_family(family: str) -> None:
    lp = generate(MatchingSpec(family=family, sources=2000, destinations=40, seed=1))
    answer = run(lp, tolerance=1e-8, iteration_limit=300)
    assert answer.status is Status.SOLVED, answer.raw_status


@pytest.mark.parametrize("family", ["unit", "independent"])
def test_the_same_bytes_on_every_run_and_number_of_threads(family: str) -> None:
    lp = generate(MatchingSpec(family=family, sources=2000, destinations=20, seed=1))
    answers = [run(lp, tolerance=1e-6, threads=threads) for threads in (1, 1, 2)]
    assert "Newton" in answers[0].raw_status
    assert len({a.iterations for a in answers}) == 1
    assert len({point_of(a).tobytes() + np.asarray(a.dual).tobytes() for a in answers}) == 1


def test_it_goes_on_with_the_count_and_the_trace_of_pdhg() -> None:
    lp = generate(MatchingSpec(family="unit", sources=2000, destinations=20, seed=1))
    answer = run(lp, tolerance=1e-6)
    assert [point.iteration for point in answer.trace] == list(range(1, answer.iterations + 1))
    assert "Newton" not in run(lp, tolerance=1e-3, options={"finish": "none"}).raw_status


def test_limits_end_it_inside_a_round() -> None:
    lp = generate(MatchingSpec(family="independent", sources=5000, destinations=100, seed=1))
    assert run(lp, tolerance=1e-12, iteration_limit=27).iterations == 27
    answer = run_phase(lp, tolerance=1e-15, time_limit=0.1).answer
    assert answer.status is Status.TIME_LIMIT
    assert (loads_of(lp, point_of(answer)) <= lp.b * (1 + 1e-12)).all()


@pytest.mark.parametrize("family", ["unit", "independent"])
def test_at_a_limit_the_better_of_the_last_point_and_the_centre_counts(family: str) -> None:
    """The pass after a round, with a longer step, is 3 to 500 times worse than the end of the round."""
    lp = generate(MatchingSpec(family=family, sources=2000, destinations=20, seed=1))
    answers = [run(lp, tolerance=1e-10, iteration_limit=limit) for limit in range(23, 36)]
    assert all("Newton" in answer.raw_status for answer in answers)
    gaps = [gap_of(lp, answer) for answer in answers]
    assert all(later <= 1.5 * before for before, later in itertools.pairwise(gaps))


def test_a_number_that_is_lost_is_named() -> None:
    lp = mixed_lp(1)
    x = np.zeros(lp.edges)
    x[3] = np.nan
    answer = run_phase(lp, x=x).answer
    assert answer.status is Status.ERROR
    assert "not finite in iteration 1" in answer.raw_status


def test_a_run_compiles_nothing() -> None:
    lp = generate(MatchingSpec(family="independent", sources=3000, destinations=20, seed=1))
    loops = [f for module in LOOPS for f in vars(module).values() if hasattr(f, "signatures")]
    for tolerance in (1e-4, 1e-6, 1e-8):
        solver = BlockPDHG()
        state = solver.prepare(lp, Settings(tolerance=tolerance))
        before = [len(loop.signatures) for loop in loops]
        assert "Newton" in solver.run(state).raw_status
        assert [len(loop.signatures) for loop in loops] == before


@pytest.mark.parametrize("tolerance", [1e-14, 1e-16, 1e-300])
def test_a_tolerance_below_rounding_ends_by_itself(tolerance: float) -> None:
    lp = generate(MatchingSpec.parse("unit:sources=2000,destinations=20,degree=6,seed=1"))
    answer = run(lp, tolerance=tolerance)
    assert answer.status in (Status.ITERATION_LIMIT, Status.SOLVED)
    if answer.status is Status.ITERATION_LIMIT:
        assert answer.raw_status.startswith("no more progress at a certified gap")
    assert gap_of(lp, answer) < 1e-11  # what rounding can do, counted


@pytest.mark.parametrize("radius", [1e6, 1e9, 1e300])
def test_limits_of_sources_that_never_bind_do_not_show(radius: float) -> None:
    rng = np.random.default_rng(0)
    lp = MatchingLP(
        offsets=np.arange(0, 21, 2),
        destination=np.concatenate([rng.choice(3, 2, replace=False) for _ in range(10)]),
        a=np.ones(20),
        c=-rng.random(20),
        b=np.full(3, 10.0),
        polytope=Simplex(z=radius),
    )
    answer = run(lp, tolerance=1e-6)
    assert answer.status is Status.SOLVED
    assert float(lp.c @ point_of(answer)) == pytest.approx(optimum(lp.tightened), rel=1e-6)
