"""Solvers on upper bounds that differ from edge to edge of a source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness import solve
from instances import BoxCut, InputError, Kind, MatchingLP, PerSource, generate, parse_spec
from solvers import Settings, Start, Status, get_solver, registry
from solvers.engine.arrays import edge_arrays
from solvers.engine.context import SolveContext
from solvers.sharded import ShardedSolver
from solvers.upper_rows import upper_as_rows
from tests.odd_lps import OddLP, with_upper_of_edges
from tests.odd_rows import odd_rows
from tests.support.optimum import optimum
from tests.support.ranks import on_ranks

OURS = ("blockpdhg", "dualip", "dualip-restarted")
EXACT = ("scipy-highs-ds", "ortools-glop", "clarabel", "ortools-pdlp", "ortools-mincostflow")
REFUSING = ("dualip-upstream", "pot-emd")


def small(seed: int) -> OddLP:
    odd = odd_rows(seed, largest_power=1, most_sources=6)
    return with_upper_of_edges(odd, seed)


def workload(family: str, sources: int = 1000, *, equality: bool = False) -> MatchingLP:
    """A generated instance whose edges take at most 0.3 to 1.2 each, and z = 1.5."""
    lp = generate(parse_spec(f"{family}:sources={sources},destinations={max(8, sources // 25)},degree=6,seed=5"))
    upper = np.random.default_rng(5).uniform(0.3, 1.2, lp.edges)
    served = np.bincount(lp.source_of_edge(), upper, lp.sources)
    z = np.minimum(1.5, 0.5 * served) if equality else 1.5
    b = lp.b * 3 + (0.2 * np.bincount(lp.destination, lp.a * upper, lp.destinations) if equality else 0.0)
    return replace(lp, b=b, polytope=BoxCut(upper=upper, at_most=z, equality=equality))


@pytest.mark.parametrize("solver", EXACT)
@pytest.mark.parametrize("equality", [False, True], ids=["at most", "exactly"])
def test_general_solvers_and_flows_reach_the_optimum(solver: str, equality: bool) -> None:
    if not registry()[solver].available().ok:
        pytest.skip("not available in this process")
    lp = workload("unit", 300, equality=equality)
    lp = replace(lp, b=np.rint(lp.b * 8) / 8) if solver == "ortools-mincostflow" else lp
    result = solve(lp, solver, tolerance=1e-6, time_limit=20.0)
    assert result.status is Status.SOLVED, result.reason
    assert result.certificate is not None
    assert result.certificate.feasible_objective == pytest.approx(optimum(lp), rel=1e-5)


def test_flows_with_whole_bounds_are_whole() -> None:
    lp = workload("unit", 300)
    upper = np.random.default_rng(1).integers(0, 4, lp.edges).astype(float)
    lp = replace(lp, b=np.floor(lp.b), polytope=BoxCut(upper=upper, at_most=4.0))
    result = solve(lp, "ortools-mincostflow", tolerance=1e-6)
    assert result.status is Status.SOLVED, result.reason
    assert result.answer is not None
    assert result.answer.x is not None
    assert (result.answer.x == np.rint(result.answer.x)).all()
    assert (result.answer.x <= upper).all()


def test_greedy_stays_within_the_bounds() -> None:
    lp = workload("independent")
    result = solve(lp, "greedy")
    assert result.answer is not None
    assert result.answer.x is not None
    assert (result.answer.x <= lp.upper_of_edges()).all()
    assert result.certificate is not None
    assert result.certificate.certified_gap is not None
    assert result.certificate.polytope_violation == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("solver", REFUSING)
def test_others_refuse_in_one_line(solver: str) -> None:
    lp = workload("unit", 100)
    refused = get_solver(solver).unsuited(replace(lp, polytope=_boxes(lp)))
    assert refused
    assert "\n" not in refused


def test_a_solver_that_does_not_say_so_does_not_take_them() -> None:
    lp = workload("unit", 100)
    upstream = get_solver("dualip-upstream")
    assert upstream.unsuited(replace(lp, polytope=_boxes(lp))) == (
        "dualip-upstream takes one upper bound a source, and the instance has one an edge"
    )
    with pytest.raises(InputError, match="compiled loops know one upper bound a source"):
        edge_arrays(lp)


def _boxes(lp: MatchingLP) -> PerSource:
    kind = np.full(lp.sources, Kind.BOX, np.uint8)
    return PerSource(kind=kind, radius=np.zeros(lp.sources), edge_upper=lp.upper_of_edges())


@pytest.mark.parametrize("in_shares", [False, True], ids=["rows", "rows and shares"])
def test_bounds_as_rows_are_the_same_lp(in_shares: bool) -> None:
    for seed in range(40):
        odd = small(seed)
        if not odd.lp.edges:
            continue  # HiGHS takes none
        form = upper_as_rows(odd.lp, in_shares=in_shares)
        assert form.lp.edge_upper is None
        assert optimum(form.lp) == pytest.approx(optimum(odd.lp), rel=1e-6, abs=1e-6), odd.traits


def test_boxes_get_no_rows() -> None:
    lp = workload("unit", 100)
    lp = replace(lp, polytope=_boxes(lp))
    form = upper_as_rows(lp)
    assert (form.lp.row_count, form.lp.is_short_form) == (lp.row_count, True)
    assert form.lp.per_source.limits().upper.tolist() == [1.0] * lp.sources


@pytest.mark.parametrize("solver", OURS)
def test_our_own_reach_the_tolerance_that_highs_confirms(solver: str) -> None:
    tolerance = 1e-4 if solver == "blockpdhg" else 1e-2
    lp = workload("unit")
    boxes = replace(lp, polytope=_boxes(lp))
    for one in (lp, boxes) if solver == "blockpdhg" else (boxes,):
        result = solve(one, solver, tolerance=tolerance, time_limit=20.0, threads=2)
        assert result.status is Status.SOLVED, result.reason
        assert result.certificate is not None
        assert result.certificate.feasible_objective == pytest.approx(optimum(one), rel=2 * tolerance)
        assert result.answer is not None
        assert result.answer.dual is not None
        assert result.answer.dual.size == one.row_count


def test_a_warm_start_is_in_the_numbers_of_the_instance() -> None:
    lp = replace(workload("unit"), polytope=_boxes(workload("unit")))
    first = solve(lp, "blockpdhg", tolerance=1e-4, threads=2)
    assert first.answer is not None
    again = solve(lp, "blockpdhg", tolerance=1e-4, threads=2, start=Start(x=first.answer.x, dual=first.answer.dual))
    assert again.status is Status.SOLVED
    assert again.answer is not None
    assert again.answer.iterations is not None
    assert first.answer.iterations is not None
    assert again.answer.iterations < first.answer.iterations


def test_a_box_cut_with_equal_bounds_is_that_with_one_bound() -> None:
    lp = workload("unit")
    same = replace(lp, polytope=BoxCut(upper=np.full(lp.edges, 0.5), at_most=1.5))
    one = replace(lp, polytope=BoxCut(upper=0.5, at_most=1.5))
    assert optimum(same) == pytest.approx(optimum(one), rel=1e-9)
    assert upper_as_rows(same).lp.is_short_form


def test_several_ranks_are_refused_in_one_line() -> None:
    lp = workload("unit", 100)
    solver = get_solver("blockpdhg")
    assert isinstance(solver, ShardedSolver)
    with pytest.raises(InputError, match="blockpdhg takes upper bounds of single edges on one rank alone"):
        on_ranks(2, lambda group: solver.prepare(lp, Settings(), SolveContext(group)))
