"""Costs that mean "forbidden", and offsets that a source pays whatever it does, decide no step of our own solvers."""

from __future__ import annotations

import numpy as np
import pytest

from harness import certify
from instances import Kind, MatchingLP, PerSource, Simplex, generate, parse_spec
from solvers import Settings, get_solver
from solvers.base import Answer, Status
from solvers.engine.costs import working_costs

FORBIDDEN = (1e6, 1e9, 1e12, 1e20, 1e30)


def matching(sources: int, *, equality: bool, forbidden: float, offset: float = 0.0, share: float = 0.4) -> MatchingLP:
    """8 edges a source; but for the first, each is forbidden with probability `share`."""
    rng = np.random.default_rng([sources, int(equality)])
    degree, destinations = 8, max(8, sources // 20)
    destination = np.concatenate([rng.permutation(destinations)[:degree] for _ in range(sources)])
    c = rng.random((sources, degree)) * (1 if equality else -1)
    never = rng.random((sources, degree)) < share
    never[:, 0] = False
    c[never] = forbidden
    c += offset * rng.random((sources, 1))
    return MatchingLP(
        offsets=degree * np.arange(sources + 1),
        destination=destination.astype(np.int32),
        a=np.ones(degree * sources),
        c=c.ravel(),
        b=np.full(destinations, (1.3 if equality else 0.5) * sources / destinations),
        polytope=Simplex(equality=equality),
    )


def budgets_filled_in_part(sources: int, destinations: int, *, forbidden: float, share: float) -> MatchingLP:
    """3 edges a source, all but one forbidden for the `share` of the sources, half of them for the others; budgets for
    a fifth more than a witness on edges that are allowed, so that some are full and some are not.
    """
    rng = np.random.default_rng([sources, 1])
    destination = np.array([np.sort(rng.permutation(destinations)[:3]) for _ in range(sources)])
    allowed = rng.integers(0, 3, sources)
    never = (rng.random((sources, 3)) < 0.5) | (rng.random((sources, 1)) < share)
    never[np.arange(sources), allowed] = False
    a = rng.uniform(0.5, 2.0, (sources, 3))
    witness = np.zeros((sources, 3))
    witness[np.arange(sources), allowed] = 1.0
    return MatchingLP(
        offsets=3 * np.arange(sources + 1),
        destination=destination.ravel().astype(np.int32),
        a=a.ravel(),
        c=np.where(never, forbidden, rng.uniform(-1.0, 1.0, (sources, 3))).ravel(),
        b=1.2 * np.bincount(destination.ravel(), (a * witness).ravel(), destinations),
        polytope=Simplex(equality=True),
    )


def solved(solver_id: str, lp: MatchingLP, tolerance: float, **options: str) -> Answer:
    solver = get_solver(solver_id)
    settings = Settings(tolerance=tolerance, iteration_limit=3000, time_limit=20.0, options=options)
    return solver.run(solver.prepare(lp, settings))


@pytest.mark.parametrize("forbidden", FORBIDDEN)
@pytest.mark.parametrize("equality", [True, False])
@pytest.mark.parametrize("solver_id", ["blockpdhg", "dualip-restarted"])
def test_forbidden_edges_do_not_slow_a_solver_down(solver_id: str, equality: bool, forbidden: float) -> None:
    lp = matching(200, equality=equality, forbidden=forbidden)
    answer = solved(solver_id, lp, 1e-6 if solver_id == "blockpdhg" else 1e-4)
    assert answer.status is Status.SOLVED
    assert certify(lp, answer.x, answer.dual).certified_gap <= 1e-4
    assert answer.iterations <= 400
    assert (answer.x[lp.c == forbidden] == 0).all()


@pytest.mark.parametrize("forbidden", [1e5, 1e7, 1e12])
@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
@pytest.mark.parametrize("size", [(8, 4), (200, 20)])
def test_sources_with_one_allowed_edge_stall_nothing(size: tuple[int, int], share: float, forbidden: float) -> None:
    """What rounding lacks beside full rows goes to a forbidden edge, where 1e-8 of mass costs more than the gap."""
    lp = budgets_filled_in_part(*size, forbidden=forbidden, share=share)
    answer = solved("blockpdhg", lp, 1e-6)
    assert answer.status is Status.SOLVED
    assert certify(lp, answer.x, answer.dual).certified_gap <= 1e-6


def test_prices_that_rest_do_not_keep_x_from_moving() -> None:
    """No budget binds, and one source of two has a forbidden edge beside the one that it takes."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1]),
        a=np.array([0.82, 0.66, 0.63, 1.21]),
        c=np.array([-0.04, -0.74, 1.34, 1e7]),
        b=np.array([5.6, 6.6]),
        polytope=PerSource(kind=np.full(2, Kind.SIMPLEX_EQUALITY, np.uint8), radius=np.array([9.25, 5.9])),
    )
    answer = solved("blockpdhg", lp, 1e-6)
    assert answer.status is Status.SOLVED
    assert answer.x == pytest.approx([0.0, 9.25, 5.9, 0.0], abs=1e-5)


@pytest.mark.parametrize("forbidden", [1e12, 1e20])
@pytest.mark.parametrize("solver_id", ["blockpdhg", "dualip-restarted"])
def test_the_rounding_of_full_rows_is_not_charged_at_the_price_of_a_forbidden_edge(
    solver_id: str, forbidden: float
) -> None:
    lp = matching(2000, equality=True, forbidden=forbidden)
    answer = solved(solver_id, lp, 1e-4)
    assert answer.status is Status.SOLVED
    assert certify(lp, answer.x, answer.dual).certified_gap <= 1e-4


@pytest.mark.parametrize("offset", [1e8, 1e12])
@pytest.mark.parametrize("solver_id", ["blockpdhg", "dualip-restarted", "dualip"])
def test_what_a_source_pays_anyway_changes_nothing(solver_id: str, offset: float) -> None:
    lp = matching(200, equality=True, forbidden=2.0, offset=offset)
    answer = solved(solver_id, lp, 1e-6)
    assert answer.status is Status.SOLVED
    assert certify(lp, answer.x, answer.dual).certified_gap <= 1e-6


@pytest.mark.parametrize("place", [{"kernel": "reference"}, {"memory": "disk"}])
def test_every_kernel_iterates_on_the_same_costs(place: dict[str, str], tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))
    lp = matching(200, equality=True, forbidden=1e20, offset=1e3)
    answer = solved("blockpdhg", lp, 1e-4, **place)
    assert answer.status is Status.SOLVED
    assert certify(lp, answer.x, answer.dual).certified_gap <= 1e-4


def test_an_edge_that_is_dear_but_needed_is_used() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1], np.int32),
        a=np.ones(4),
        c=np.array([0.0, 1e9, 1.0, 1e9]),
        b=np.array([1.0, 5.0]),
        polytope=Simplex(equality=True),
    )
    for solver_id in ("blockpdhg", "dualip-restarted"):
        answer = solved(solver_id, lp, 1e-6)
        assert answer.status is Status.SOLVED
        assert lp.c @ answer.x == pytest.approx(1e9, rel=1e-6)


def test_the_costs_without_offset_and_forbidden_edges_are_these() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 3, 5]),
        destination=np.array([0, 1, 2, 0, 1], np.int32),
        a=np.ones(5),
        c=np.array([1e9 + 3.0, 1e9, 1e30, 1e9 + 4.0, 1e9]),
        b=np.ones(3),
        polytope=Simplex(z=np.array([2.0, 5.0]), equality=True),
    )
    found = working_costs(lp)
    np.testing.assert_array_equal(found.lp.c, [3.0, 0.0, 1e30 - 1e9, 4.0, 0.0])
    assert found.offset == 7e9
    assert found.norm == 5.0
    assert (found.usual, found.largest) == (4.0, 1e30)


def test_an_edge_that_never_helps_costs_one_unit_at_most() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 3]),
        destination=np.arange(3, dtype=np.int32),
        a=np.ones(3),
        c=np.array([-3.0, 1e30, -4.0]),
        b=np.ones(3),
    )
    found = working_costs(lp)
    np.testing.assert_array_equal(found.lp.c, [-3.0, 4.0, -4.0])
    assert (found.norm, found.usual, found.offset) == (5.0, 4.0, 0.0)


@pytest.mark.parametrize("polytope", ["simplex", "simplex-eq", "box"])
def test_ordinary_costs_stay_as_they_are(polytope: str) -> None:
    lp = generate(parse_spec(f"uniform:sources=100,destinations=10,degree=4,seed=1,polytope={polytope}"))
    found = working_costs(lp)
    assert found.lp is lp
    assert found.norm is None
    assert found.usual == found.largest == np.abs(lp.c).max()
