"""What a start may be, and the prices of sums that general solvers need beside a dual of ours."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from instances import BoxCut, MatchingLP, Simplex
from solvers import Start, StartError
from solvers.general_start import reduced_costs, sum_prices


def lp(polytope: Simplex | BoxCut) -> MatchingLP:
    return MatchingLP(
        offsets=np.array([0, 2, 4, 6]),
        destination=np.array([0, 1, 0, 1, 0, 1]),
        a=np.array([2.0, 1.0, 2.0, 1.0, 2.0, 1.0]),
        c=np.array([-6.0, -1.0, -2.0, 0.5, -1.0, 0.5]),
        b=np.array([3.0, 10.0]),
        polytope=polytope,
    )


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "the start is empty: give x, dual or both"),
        ({"x": [0.0, np.nan]}, "x of the start has nan at entry 1: expected finite numbers"),
        ({"dual": np.array([np.inf], np.float32)}, "dual of the start has inf at entry 0"),
        ({"x": np.zeros((2, 2))}, r"x of the start is float64\[2, 2\]: expected a list of numbers"),
        ({"x": ["a"]}, r"x of the start is <U1\[1\]: expected a list of numbers"),
    ],
)
def test_what_is_no_start_is_refused_in_one_line(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(StartError, match=complaint) as error:
        Start(**given)  # type: ignore[arg-type]  # that is the subject
    assert "\n" not in str(error.value)


def test_a_start_of_another_lp_is_refused_by_its_lengths() -> None:
    Start(x=np.zeros(6), dual=np.zeros(2)).require_length(lp(Simplex()))
    with pytest.raises(StartError, match="x of the start has 5 entries, the LP has 6 edges"):
        Start(x=np.zeros(5)).require_length(lp(Simplex()))
    with pytest.raises(StartError, match="dual of the start has 3 entries, the LP has 2 rows"):
        Start(dual=np.zeros(3)).require_length(lp(Simplex()))


def test_nobody_can_write_into_a_start_and_the_arrays_that_were_given_stay_writable() -> None:
    x = np.zeros(6, dtype=np.float32)
    start = Start(x=x)
    assert start.x is not None
    assert start.x.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        start.x[0] = 1.0
    x[0] = 1.0


@pytest.mark.parametrize(
    ("polytope", "expected"),
    [
        # q = c + A'(1, 0) = (-4, -1 | 0, 0.5 | 1, 0.5)
        (Simplex(), [4, 0, 0]),
        (Simplex(equality=True), [4, 0, Fraction(-1, 2)]),
        (BoxCut(upper=0.6, at_most=1.0), [1, 0, 0]),
        (BoxCut(upper=0.6, at_most=1.0, equality=True), [1, Fraction(-1, 2), -1]),
    ],
)
def test_the_price_of_a_sum_is_that_of_the_edge_which_uses_it_up(
    polytope: Simplex | BoxCut, expected: list[Fraction]
) -> None:
    instance = lp(polytope)
    dual = np.array([1.0, 0.0])
    assert reduced_costs(instance, dual).tolist() == [-4.0, -1.0, 0.0, 0.5, 1.0, 0.5]
    assert sum_prices(instance, dual).tolist() == [float(price) for price in expected]
