"""The published ascent against its golden values, and both variants as solvers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from instances import Box, MatchingLP, Simplex, generate, named_instances, parse_spec
from instances.errors import InputError
from solvers.ascent import AcceleratedAscent
from solvers.base import Answer, Status
from solvers.dualip import DualIP
from solvers.dualip_restarted import RestartedDualIP
from solvers.engine.checkpoint import CheckpointStore
from solvers.engine.collectives import LOCAL
from solvers.engine.context import SolveContext
from solvers.engine.kernels import make_kernel
from solvers.engine.layout_builder import build_layout
from solvers.engine.repair import repair
from solvers.settings import OptionError, Settings
from solvers.start import Start
from tests.support.optimum import optimum

A = np.array(
    [
        [0.307766110869125, 0.483770735096186, 0.624996477039531, 0.669021712383255, 0.535811153938994],
        [0.257672501029447, 0.812402617651969, 0.882165518123657, 0.204612161964178, 0.710803845431656],
        [0.552322433330119, 0.370320537127554, 0.28035383997485, 0.357524853432551, 0.538348698290065],
        [0.0563831503968686, 0.546558595029637, 0.398487901547924, 0.359475114848465, 0.74897222686559],
        [0.468549283919856, 0.170262051047757, 0.76255108229816, 0.690290528349578, 0.420101450523362],
    ]
)


def dense(a: np.ndarray, c: np.ndarray, b: np.ndarray, polytope: Simplex | Box) -> MatchingLP:
    sources, destinations = a.shape
    return MatchingLP(
        offsets=np.arange(sources + 1) * destinations,
        destination=np.tile(np.arange(destinations, dtype=np.int32), sources),
        a=a.ravel(),
        c=c.ravel(),
        b=b,
        polytope=polytope,
    )


def along_the_gradient(point: torch.Tensor, gradient: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """The step of DuaLip."""
    return (point + step * gradient).clamp(min=0)


def golden_lp() -> MatchingLP:
    return dense(A, -A, np.full(5, 0.7), Simplex())


@pytest.mark.parametrize("kernel", ["reference", "cpu"])
def test_the_5x5_case_follows_the_published_dual_objectives(kernel: str) -> None:
    lp, gamma = golden_lp(), 1e-3
    loops = make_kernel(build_layout(lp, "float64"), Settings(dtype="float64"), kernel)
    b = torch.from_numpy(lp.b)
    start = torch.full((5,), 0.1, dtype=torch.float64)
    ascent = AcceleratedAscent(start, take_step=along_the_gradient, initial_step=1e-5, max_step=0.1)
    logged = {}
    for iteration in range(1, 30):
        result = loops.project(ascent.point, 1 / gamma, values=True)
        assert result.values is not None
        penalty = gamma / 2 * result.sums[1]
        logged[iteration] = float(result.values.sum() + penalty + ascent.point @ (result.loads - b))
        ascent.ascend(result.loads - b)
    golden = {2: -3.6010155991401818, 16: -3.60842718733725, 23: -3.5080258013053136, 29: -3.4868496294227143}
    assert {k: logged[k] for k in golden} == pytest.approx(golden, abs=1e-5)


def test_the_quadratic_follows_the_published_objectives() -> None:
    centre = torch.tensor([3.0, -5.0], dtype=torch.float64)
    start = torch.zeros(2, dtype=torch.float64)
    ascent = AcceleratedAscent(start, take_step=along_the_gradient, initial_step=1e-5, max_step=0.1)
    logged = {}
    for iteration in range(1, 30):
        logged[iteration] = float(-((ascent.point - centre) ** 2).sum())
        ascent.ascend(-2 * (ascent.point - centre))
    golden = {2: -33.9996400036, 16: -28.60551547593112, 23: -25.473701313626133, 29: -25.00382134903756}
    assert {k: logged[k] for k in golden} == pytest.approx(golden, abs=1e-5)


@pytest.mark.parametrize("polytope", [Simplex(), Simplex(z=0.5, equality=True), Box(0.4)])
def test_a_solved_case_is_feasible_and_as_good_as_it_says(polytope: Simplex | Box) -> None:
    rng = np.random.default_rng(1)
    a = rng.uniform(0.1, 1, (30, 6))
    lp = dense(a, -rng.uniform(0, 1, (30, 6)), np.full(6, 2.0), polytope)
    solver = RestartedDualIP()
    settings = Settings(tolerance=1e-2, iteration_limit=5000, dtype="float64")
    answer = solver.run(solver.prepare(lp, settings))
    assert answer.status is Status.SOLVED
    assert answer.x is not None
    assert answer.dual is not None
    best = optimum(lp)
    assert best - 1e-9 <= lp.c @ answer.x <= best + 1e-2 * max(1, abs(best))
    assert (np.bincount(lp.destination, weights=lp.a * answer.x) <= lp.b + 1e-9).all()
    assert (answer.dual >= 0).all()


@pytest.mark.parametrize("family", ["dualip", "dualip-v5", "unit", "independent", "uniform"])
def test_the_restarted_variant_proves_1e_4_on_every_family(family: str) -> None:
    lp, solver = generate(parse_spec(named_instances()[f"{family}-5k"])), RestartedDualIP()
    answer = solver.run(solver.prepare(lp, Settings(tolerance=1e-4, iteration_limit=400)))
    assert answer.status is Status.SOLVED
    assert answer.x is not None
    assert answer.dual is not None
    assert repair(lp, answer.x.copy(), answer.dual).gap <= 1.01e-4


def test_at_a_limit_the_answer_is_the_best_point_not_the_last() -> None:
    lp, solver = golden_lp(), DualIP()
    answer = solver.run(solver.prepare(lp, Settings(tolerance=1e-9, iteration_limit=60, dtype="float64")))
    gaps = [point.gap for point in answer.trace]
    assert gaps[-1] > 2 * min(gaps)
    assert answer.x is not None
    assert answer.dual is not None
    assert repair(lp, answer.x, answer.dual).gap <= min(gaps) + 1e-9


@pytest.mark.parametrize("family", ["unit", "independent", "uniform"])
def test_the_restarted_variant_proves_1e_4_with_equality_sources(family: str) -> None:
    lp = generate(parse_spec(f"{family}:sources=1000,destinations=20,degree=6,seed=7,polytope=simplex-eq"))
    solver = RestartedDualIP()
    answer = solver.run(solver.prepare(lp, Settings(tolerance=1e-4, iteration_limit=400)))
    assert answer.status is Status.SOLVED


def test_equality_sources_that_budgets_cannot_serve_end_as_infeasible() -> None:
    lp = dense(A, -A, np.full(5, 0.1), Simplex(equality=True))
    solver = RestartedDualIP()
    answer = solver.run(solver.prepare(lp, Settings(iteration_limit=2000)))
    assert answer.status is Status.INFEASIBLE


@pytest.mark.parametrize("solver", [DualIP(), RestartedDualIP()])
def test_a_warm_start_from_the_answer_needs_fewer_iterations(solver: DualIP) -> None:
    rng = np.random.default_rng(2)
    lp = dense(rng.uniform(0.1, 1, (200, 8)), -rng.uniform(0, 1, (200, 8)), np.full(8, 10.0), Simplex())
    state = solver.prepare(lp, Settings(tolerance=1e-2, iteration_limit=5000))
    cold = solver.run(state)
    warm = solver.run(solver.warm_start(state, Start(dual=cold.dual)))
    assert warm.status is cold.status is Status.SOLVED
    assert warm.iterations < cold.iterations


def test_the_iteration_limit_ends_a_run_with_what_there_is() -> None:
    solver = DualIP()
    answer = solver.run(solver.prepare(golden_lp(), Settings(tolerance=1e-9, iteration_limit=7)))
    assert answer.status is Status.ITERATION_LIMIT
    assert answer.iterations == 7
    assert answer.x is not None


def test_the_time_limit_ends_a_run() -> None:
    solver = DualIP()
    answer = solver.run(solver.prepare(golden_lp(), Settings(tolerance=1e-12, time_limit=0.05)))
    assert answer.status is Status.TIME_LIMIT


@pytest.mark.parametrize("solver", [DualIP(), RestartedDualIP()])
@pytest.mark.parametrize("stopped", [14, 25])
def test_a_run_goes_on_from_its_checkpoint_bit_for_bit(solver: DualIP, stopped: int, tmp_path: Path) -> None:
    lp = generate(parse_spec("unit:sources=500,destinations=10,degree=4,seed=1"))

    def run(limit: int, *, every: float) -> Answer:
        context = SolveContext(checkpoints=CheckpointStore(tmp_path, LOCAL, identity={}, edges=lp.edges, every=every))
        return solver.run(solver.prepare(lp, Settings(tolerance=1e-9, iteration_limit=limit), context))

    straight = run(40, every=1e9)
    run(stopped, every=0.0)
    again = run(40, every=1e9)
    assert again.iterations == straight.iterations == 40
    assert len(again.trace) < len(straight.trace)
    assert np.array_equal(again.x, straight.x)
    assert np.array_equal(again.dual, straight.dual)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(options={"gama": 1.0}),
        Settings(options={"gamma": -1.0}),
        Settings(options={"decay_factor": 1.0}),
        Settings(options={"kernel": "fpga"}),
        pytest.param(Settings(device="cuda"), marks=pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA here")),
    ],
)
def test_bad_settings_are_refused_in_one_line(settings: Settings) -> None:
    with pytest.raises((OptionError, InputError)) as refusal:
        DualIP().prepare(golden_lp(), settings)
    assert "\n" not in str(refusal.value)
