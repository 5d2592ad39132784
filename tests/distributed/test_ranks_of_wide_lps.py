"""Several families of rows on ranks: generated or stored, the certificate of the whole, checkpoints, the record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import records
from harness.cli import invoke
from harness.referee import certify
from harness.scaling.launch import Launched
from instances import MatchingLP, generate, parse_spec, write_parquet
from solvers import Answer, Settings, get_solver
from tests.support.rank_cases import results_of, sharded_case

Start = Callable[..., Launched]
#: A cap of all sends, one of each kind, one of complaints and a floor of engagement, in several blocks of sources.
SPEC = "volume:sources=40000,destinations=60,degree=4,seed=3"
TOLERANCE = 1e-5
ASCENT: dict[str, Any] = {"iteration_limit": 20, "tolerance": TOLERANCE, "dtype": "float64"}


@pytest.fixture(scope="module")
def whole() -> MatchingLP:
    return generate(parse_spec(SPEC))


@pytest.fixture(scope="module")
def on_two_ranks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of what two ranks solve, one after the other, by name."""
    plain: dict[str, Any] = {"tolerance": TOLERANCE, "options": {"finish": "none"}}
    kept: dict[str, Any] = {"checkpoint": str(tmp_path_factory.mktemp("points")), **plain}
    cases = {
        "solved": sharded_case(SPEC, "blockpdhg", 2, tolerance=TOLERANCE),
        "straight": sharded_case(SPEC, "blockpdhg", 2, iteration_limit=60, **plain),
        "interrupted": sharded_case(SPEC, "blockpdhg", 2, iteration_limit=30, every=0.0, **kept),
        "resumed": sharded_case(SPEC, "blockpdhg", 2, iteration_limit=60, resume=True, **kept),
        "dualip": sharded_case(SPEC, "dualip", 2, **ASCENT),
        "dualip-restarted": sharded_case(SPEC, "dualip-restarted", 2, **ASCENT),
    }
    return dict(zip(cases, results_of(list(cases.values()), tmp_path_factory.mktemp("ranks")), strict=True))


def alone(lp: MatchingLP, solver: str, **chosen: Any) -> Answer:
    """The answer of a single process, this one."""
    solves = get_solver(solver)
    return solves.run(solves.prepare(lp, Settings(threads=1, **chosen)))


def check(result: Any, lp: MatchingLP) -> None:
    """The certificate summed over the ranks is the one of the referee for the same dual."""
    judged = certify(lp, dual=np.array(result["dual"]))
    assert judged.dual_bound == pytest.approx(result["certificate"]["dual_bound"], rel=1e-9)


@pytest.mark.parametrize("ranks", [1, 2])
def test_ranks_end_with_the_answer_of_the_single_process(
    start: Start, on_two_ranks: dict[str, Any], whole: MatchingLP, ranks: int
) -> None:
    result = on_two_ranks["solved"] if ranks == 2 else start(SPEC, "blockpdhg", ranks, tolerance=TOLERANCE).result
    assert result is not None
    answer = alone(whole, "blockpdhg", tolerance=TOLERANCE)
    assert answer.dual is not None
    assert (result["status"], result["iterations"]) == ("solved", answer.iterations)
    assert result["bytes_per_iteration"] <= 4 * whole.row_count + 256
    check(result, whole)
    if ranks == 1:
        assert result["dual"] == answer.dual.tolist()
    np.testing.assert_allclose(result["dual"], answer.dual, rtol=1e-6, atol=1e-9)


def test_ranks_go_on_from_a_checkpoint_to_the_same_bits(on_two_ranks: dict[str, Any]) -> None:
    straight, resumed = on_two_ranks["straight"], on_two_ranks["resumed"]
    assert resumed["notes"] == ["went on from iteration 29"]
    assert resumed["dual"] == straight["dual"]
    assert resumed["certificate"] == straight["certificate"]


@pytest.mark.parametrize("solver", ["dualip", "dualip-restarted"])
def test_ascents_follow_the_prices_of_the_single_process(
    on_two_ranks: dict[str, Any], whole: MatchingLP, solver: str
) -> None:
    result = on_two_ranks[solver]
    np.testing.assert_allclose(result["dual"], alone(whole, solver, **ASCENT).dual, rtol=1e-5, atol=1e-8)
    check(result, whole)


def test_a_series_over_a_stored_lp_is_judged_and_verified(whole: MatchingLP, tmp_path: Path) -> None:
    write_parquet(whole, tmp_path / "lp", SPEC)
    out = tmp_path / "out"
    chosen = ["--tolerance", str(TOLERANCE), "--no-probe", "--keep-x", "--strict"]
    assert invoke(["scale", f"parquet:path={tmp_path / 'lp'}", "--ranks", "2", *chosen, "--out", str(out)]) == 0
    (row,) = records.read(out).scaling
    assert (row["status"], row["claim"]) == ("solved", "solved")
    assert row["certificate"]["certified_gap"] <= TOLERANCE
    assert invoke(["verify", str(out)]) == 0
