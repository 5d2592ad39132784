"""One rank to four end with the same answer, the same way every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import solvers
from harness import solve, write_start
from harness.referee import certify
from harness.scaling.launch import Launched
from instances import InputError, MatchingLP, generate, parse_spec
from tests.support.rank_cases import results_of, sharded_case

Start = Callable[..., Launched]
TOLERANCE = 1e-4
SPEC = "dualip:sources=66000,destinations=40,degree=3,seed=5"
HARD = "{}:sources=70000,destinations=50,degree=5,seed=3"
EQUALITY = "unit:sources=40000,destinations=20,degree=3,seed=2,polytope=simplex-eq"


#: What two ranks solve, one after the other.
ON_TWO_RANKS = {
    "ascent": sharded_case(SPEC, "dualip-restarted", 2, tolerance=TOLERANCE),
    "in float32": sharded_case(SPEC, "blockpdhg", 2, tolerance=TOLERANCE, wire="float32"),
    "equality": sharded_case(EQUALITY, "blockpdhg", 2, tolerance=1e-3, wire="float64"),
    "Newton": sharded_case(HARD.format("independent"), "blockpdhg", 2, tolerance=1e-6),
    "Newton on equality": sharded_case(EQUALITY, "blockpdhg", 2, tolerance=1e-5),
}


@pytest.fixture(scope="module")
def whole() -> MatchingLP:
    return generate(parse_spec(SPEC))


#: What begins from an answer of one process: decisions and prices, or prices alone where a solver takes no more.
STARTED = {
    "warm": sharded_case(SPEC, "blockpdhg", 2, tolerance=TOLERANCE, wire="float32"),
    "warm ascent": sharded_case(SPEC, "dualip-restarted", 2, tolerance=TOLERANCE),
}


@pytest.fixture(scope="module")
def on_two_ranks(whole: MatchingLP, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results by name."""
    folder = tmp_path_factory.mktemp("ranks")
    begin = solve(whole, "blockpdhg", tolerance=TOLERANCE).start
    assert begin is not None
    write_start(folder / "both.npz", begin)
    write_start(folder / "prices.npz", solvers.Start(dual=begin.dual))
    starts = {len(ON_TWO_RANKS): folder / "both.npz", len(ON_TWO_RANKS) + 1: folder / "prices.npz"}
    results = results_of([*ON_TWO_RANKS.values(), *STARTED.values()], folder, starts)
    return dict(zip([*ON_TWO_RANKS, *STARTED], results, strict=True))


def check(result: Any, lp: MatchingLP, *, tolerance: float = TOLERANCE) -> None:
    """The certificate summed over the ranks is the one of the referee for the same dual, and proves the tolerance."""
    assert result["status"] == "solved"
    bound, objective = (result["certificate"][name] for name in ("dual_bound", "feasible_objective"))
    judged = certify(lp, dual=np.array(result["dual"]))
    assert judged.dual_bound == pytest.approx(bound, rel=1e-10)
    assert bound <= objective <= bound + tolerance * max(1.0, abs(bound))


@pytest.mark.parametrize("ranks", [1, 4])
def test_any_number_of_ranks_ends_within_the_tolerance(start: Start, whole: MatchingLP, ranks: int) -> None:
    result = start(SPEC, "blockpdhg", ranks, tolerance=TOLERANCE).result
    assert result is not None
    check(result, whole)
    assert result["edges"] == whole.edges == sum(rank["edges"] for rank in result["per_rank"])
    assert result["bytes_per_iteration"] <= 4 * whole.destinations + 256
    alone = solve(whole, "blockpdhg", tolerance=TOLERANCE)
    assert alone.certificate is not None
    assert alone.certificate.dual_bound is not None
    assert alone.certificate.feasible_objective is not None
    assert result["certificate"]["dual_bound"] <= alone.certificate.feasible_objective
    assert alone.certificate.dual_bound <= result["certificate"]["feasible_objective"]


def test_dual_ascent_runs_on_ranks_too(on_two_ranks: dict[str, Any], whole: MatchingLP) -> None:
    check(on_two_ranks["ascent"], whole)


@pytest.mark.parametrize(("warm", "cold", "share"), [("warm", "in float32", 0.5), ("warm ascent", "ascent", 0.85)])
def test_ranks_begin_from_an_earlier_answer(
    on_two_ranks: dict[str, Any], whole: MatchingLP, warm: str, cold: str, share: float
) -> None:
    check(on_two_ranks[warm], whole)
    assert on_two_ranks[warm]["iterations"] <= share * on_two_ranks[cold]["iterations"]


def test_equality_sources_of_all_ranks_share_the_slack(on_two_ranks: dict[str, Any]) -> None:
    result = on_two_ranks["equality"]
    assert result["wire"] == "float64"
    check(result, generate(parse_spec(EQUALITY)), tolerance=1e-3)


def test_a_run_repeats_bit_for_bit_in_other_processes(start: Start, on_two_ranks: dict[str, Any]) -> None:
    first = on_two_ranks["in float32"]
    second = start(SPEC, "blockpdhg", 2, tolerance=TOLERANCE, wire="float32").result
    assert second is not None
    assert first["wire"] == "float32"
    assert first["dual"] == second["dual"]
    assert first["certificate"] == second["certificate"]
    assert first["digest"] == second["digest"]


def test_more_ranks_than_blocks_are_refused(start: Start) -> None:
    with pytest.raises(InputError, match="2 ranks for 1 blocks of sources: use at most 1 ranks"):
        start("unit:sources=100,destinations=5,degree=2", "blockpdhg", 2)


def test_a_solver_without_ranks_is_refused(start: Start) -> None:
    with pytest.raises(InputError, match="scipy-highs-ds works in one process only"):
        start(SPEC, "scipy-highs-ds", 1)


@pytest.mark.parametrize(("family", "ranks"), [("unit", 3), ("independent", 2)])
def test_newton_finishes_hard_instances_on_any_number_of_ranks(
    start: Start, on_two_ranks: dict[str, Any], family: str, ranks: int
) -> None:
    spec = HARD.format(family)
    lp = generate(parse_spec(spec))
    result = on_two_ranks["Newton"] if ranks == 2 else start(spec, "blockpdhg", ranks, tolerance=1e-6).result
    assert result is not None
    check(result, lp, tolerance=1e-6)
    assert "Newton" in result["raw_status"]
    alone = solve(lp, "blockpdhg", tolerance=1e-6)
    assert alone.answer is not None
    assert alone.answer.iterations is not None
    assert alone.certificate is not None
    assert alone.certificate.dual_bound is not None
    assert result["certificate"]["dual_bound"] == pytest.approx(alone.certificate.dual_bound, rel=2e-6)
    assert result["iterations"] <= 1.5 * alone.answer.iterations


def test_newton_finishes_equality_sources_on_ranks(on_two_ranks: dict[str, Any]) -> None:
    result = on_two_ranks["Newton on equality"]
    check(result, generate(parse_spec(EQUALITY)), tolerance=1e-5)
    assert "Newton" in result["raw_status"]
