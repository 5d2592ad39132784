"""The LPs that other tests are made of are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tests import exact
from tests.odd_lps import assignment_lp, infeasible_lp, odd_lp, transport_lp
from tests.support.optimum import optimum


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_the_witness_of_an_odd_lp_is_feasible_in_exact_arithmetic(start: int) -> None:
    for seed in range(start, start + 100):
        odd = odd_lp(seed)
        assert exact.violation(odd.lp, odd.witness) == 0, odd.traits
    assert np.array_equal(odd_lp(7).lp.c, odd_lp(7).lp.c)


def test_assignments_and_transports_are_full_and_feasible() -> None:
    for odd in (assignment_lp(0, 30, 4), transport_lp(0, 5, 4, whole=True), transport_lp(0, 5, 4, whole=False)):
        assert exact.violation(odd.lp, odd.witness) == 0, odd.traits
        assert odd.lp.b.sum() == odd.lp.per_source.radius.sum()


def test_exact_optima_are_those_of_a_solver() -> None:
    for seed in range(40):
        odd = odd_lp(seed, largest_power=1, most_sources=5)
        best = exact.optimum(odd.lp)
        assert best is not None, odd.traits
        if odd.lp.edges == 0:
            assert best == 0
            continue
        assert float(best) == pytest.approx(optimum(odd.lp), rel=1e-6, abs=1e-6), odd.traits


def test_no_point_satisfies_an_infeasible_lp() -> None:
    for seed in range(40):
        assert exact.optimum(infeasible_lp(seed)) is None
