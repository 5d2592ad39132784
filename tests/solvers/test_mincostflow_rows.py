"""Min-cost flow on rows of every form: floors, '=' rows and ranges, soft sides, box-cut sources."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from harness import solve
from instances import BoxCut, Kind, MatchingLP, PerSource, RaggedRows, Rows, Simplex, activities, generate, parse_spec
from solvers import Settings, Status, get_solver, registry
from tests.support.optimum import optimum
from tests.support.wide import ray_value

SOLVER = "ortools-mincostflow"
pytestmark = pytest.mark.skipif(not registry()[SOLVER].available().ok, reason="OR-Tools is not installed")
Float64 = npt.NDArray[np.float64]


def flow_lp(seed: int, *, unreachable: bool = False) -> MatchingLP:
    """Sources of every kind and rows of every form, one coefficient a row; a hidden x satisfies every side.

    unreachable: the first row has to get more than all sources have.
    """
    rng = np.random.default_rng([19, seed])
    degrees = rng.integers(1, 5, int(rng.integers(2, 9)))
    grid = rng.choice([1.0, 4.0, 10.0, 7.3])  # quantities are whole, dyadic, decimal or none of these
    u = rng.integers(1, 4, degrees.size) / grid
    z = np.minimum(rng.integers(1, 8, degrees.size) / grid, u * degrees)
    kind = rng.choice([int(one) for one in Kind], degrees.size).astype(np.uint8)
    box, cut = kind == Kind.BOX, np.isin(kind, (Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY))

    x = np.concatenate([_filled(*of_source) for of_source in zip(u, z, degrees, strict=True)])
    rows = int(rng.integers(1, 5))
    row = rng.integers(0, rows, x.size)
    a = rng.choice([0.5, 1.0, 3.0], rows)[row] * (rng.random(x.size) < 0.9)
    activity = np.bincount(row, a * x, rows)
    spare = rng.integers(0, 3, (2, rows)) / grid
    sides = rng.integers(0, 3, rows)
    lower = np.where(sides != 0, activity - spare[0], -np.inf)
    upper = np.where(sides != 1, activity + spare[1], np.inf)
    penalty = rng.choice((np.inf, np.inf, 0.0, 0.3, 2.0), (2, rows))
    if unreachable:
        lower[0], upper[0], penalty[0, 0] = 3 * float(u @ degrees) + 1, np.inf, np.inf
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        c=rng.integers(-9, 5, x.size) * rng.choice([1.0, 1e-3, 0.37]),
        polytope=PerSource(kind=kind, params=np.stack((np.where(box, u, z), np.where(cut, u, 0.0)))),
        rows=[Rows("goal", row=row, coefficient=a, lower=lower, upper=upper, penalty=(penalty[0], penalty[1]))],
    )


def _filled(u: float, z: float, degree: int) -> Float64:
    """z on the edges of a source, each up to u."""
    return np.clip(z - u * np.arange(degree), 0.0, u)


def one_row(*, c: list[float], **sides: float | tuple[float, float]) -> MatchingLP:
    """As many sources with one edge and one unit each as there are costs, all in one row."""
    count = len(c)
    family = Rows("goal", row=np.zeros(count, dtype=np.int32), coefficient=2.0, **sides)
    return MatchingLP(offsets=np.arange(count + 1), c=np.array(c), polytope=Simplex(), rows=[family])


def test_random_rows_of_every_form_are_solved_to_the_optimum() -> None:
    for seed in range(80):
        lp = flow_lp(seed)
        result = solve(lp, SOLVER, tolerance=1e-7)
        assert result.status is Status.SOLVED, (seed, result.reason)
        assert result.certificate is not None
        assert result.certificate.dual_bound == pytest.approx(optimum(lp), rel=1e-7, abs=1e-7), seed


def test_a_floor_beyond_all_units_is_infeasible_with_a_ray() -> None:
    for seed in range(60):
        lp = flow_lp(seed, unreachable=True)
        result = solve(lp, SOLVER)
        assert result.status is Status.INFEASIBLE, (seed, result.reason)
        assert result.answer is not None
        assert ray_value(lp, result.answer.ray) > 0, seed


def test_a_hard_floor_takes_units_at_a_loss_and_is_priced_below_zero() -> None:
    """One unit is worth 5, the next two cost 1 and 3; a row with a = 2 that needs 4 takes two of them."""
    result = solve(one_row(c=[-5.0, 1.0, 3.0], lower=4.0), SOLVER, tolerance=1e-9)
    assert result.status is Status.SOLVED
    assert result.answer is not None
    assert result.answer.x.tolist() == [1.0, 1.0, 0.0]
    assert -1.5 - 1e-9 <= result.answer.dual[0] <= -0.5 + 1e-9


def test_units_up_to_a_soft_floor_are_taken_while_the_penalty_pays_for_them() -> None:
    """A unit saves 2 x 0.75: worth its cost of 1, not that of 3."""
    result = solve(one_row(c=[1.0, 3.0], lower=4.0, penalty=0.75), SOLVER, tolerance=1e-9)
    assert result.answer is not None
    assert result.answer.x.tolist() == [1.0, 0.0]
    assert result.answer.dual[0] == -0.75


def test_units_beyond_a_soft_upper_side_pay_the_penalty() -> None:
    result = solve(one_row(c=[-5.0, -3.0, -1.0], upper=2.0, penalty=1.0), SOLVER, tolerance=1e-9)
    assert result.answer is not None
    assert result.answer.x.tolist() == [1.0, 1.0, 0.0]
    assert result.answer.dual[0] == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("family", ["slots", "reviewers", "transport", "delivery"])
def test_the_workloads_that_are_flows_are_solved(family: str) -> None:
    lp = generate(parse_spec(f"{family}:sources=500,destinations=20,degree=6,seed=3"))
    result = solve(lp, SOLVER, tolerance=1e-7)
    assert result.status is Status.SOLVED, result.reason
    assert result.certificate is not None
    assert result.certificate.dual_bound == pytest.approx(optimum(lp), rel=1e-7)


def test_floors_that_take_all_thirds_are_met_within_rounding() -> None:
    """No scale makes thirds whole; what three sources have together is whole, and what two rows need is not."""
    lp = MatchingLP(
        offsets=[0, 2, 4, 6],
        c=[0.0, 1.0, 1.0, 0.0, 1.0, 1.0],
        polytope=BoxCut(upper=1 / 3, at_most=1 / 3, equality=True),
        rows=[Rows("need", row=[0, 1, 0, 1, 0, 1], lower=[1 / 3, 2 / 3], upper=[1 / 3, 2 / 3])],
    )
    result = solve(lp, SOLVER, tolerance=1e-9)
    assert result.status is Status.SOLVED, result.reason
    assert result.answer is not None
    assert activities(lp, result.answer.x) == pytest.approx([1 / 3, 2 / 3], rel=1e-12)


def test_what_is_no_flow_is_said_in_one_line() -> None:
    solver = get_solver(SOLVER)
    ragged = RaggedRows("links", entry_offsets=[0, 1], row=[0], upper=[1.0])
    told = [
        solver.unsuited(MatchingLP(offsets=[0, 1], c=[-1.0], rows=rows))
        for rows in (
            [ragged],
            [Rows("first", upper=1.0), Rows("second", upper=1.0)],
            [Rows("signed", coefficient=-1.0, upper=1.0)],
            [Rows("below", lower=-2.0, upper=-1.0, penalty=1.0)],
        )
    ]
    assert told == [
        f"{SOLVER} does not take ragged rows, which the instance has",
        f"{SOLVER} does not take several families, which the instance has",
        f"{SOLVER} does not take negative coefficients, which the instance has",
        "a flow is never below 0: row 0 may hold at most -1",
    ]


def test_one_sweep_is_no_proof() -> None:
    lp = generate(parse_spec("transport:sources=2000,destinations=40,degree=6,seed=3"))
    answer = get_solver(SOLVER).run(get_solver(SOLVER).prepare(lp, Settings(iteration_limit=1)))
    assert answer.status is Status.ITERATION_LIMIT
    assert answer.iterations == 1
