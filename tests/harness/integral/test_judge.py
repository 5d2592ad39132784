"""An x that is called whole is judged like any other: what is not whole, or leaves a limit, has no gap."""

from __future__ import annotations

import numpy as np
import pytest

from harness import certify
from harness.integral.judge import Undecided, WholeFigures, judged_whole
from instances import MatchingLP

#: Three users, two items of 1 and 2 units. The best whole x is worth 6, which these prices prove.
USERS = MatchingLP(
    offsets=[0, 2, 4, 6],
    c=[-3.0, -2.0, -3.0, -1.0, -3.0, -1.0],
    destination=[0, 1] * 3,
    a=np.ones(6),
    b=[1.0, 2.0],
)
PRICES = np.array([3.0, 1.0])


def judged(*x: float, prices: np.ndarray = PRICES) -> WholeFigures:
    given = np.array(x)
    return judged_whole(USERS, given, certify(USERS, given, prices), None)


def test_the_best_whole_x_has_no_gap() -> None:
    figures = judged(0, 1, 1, 0, 0, 1)
    assert figures.gap == pytest.approx(0.0, abs=1e-12)
    assert (figures.integral, figures.kept, figures.decided) == (True, True, 3)


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        ((0, 1, 0.5, 0.5, 0.5, 0.5), "x is not whole"),
        ((0, 1, 1 - 1e-9, 0, 0, 1), "x is not whole"),
        ((1, 0, 1, 0, 0, 1), "no whole decisions were found that keep every hard limit"),
        ((0, 1, 0, 1, 0, 1), "no whole decisions were found that keep every hard limit"),
        ((1, 1, 0, 1, 0, 0), "no whole decisions were found that keep every hard limit"),
        ((2, -1, 0, 1, 0, 1), "no whole decisions were found that keep every hard limit"),
        ((0, 1e300, 0, 0, 0, 0), "no whole decisions were found that keep every hard limit"),
    ],
    ids=["halves", "nearly whole", "an item twice", "another item three times", "two for a user", "below 0", "huge"],
)
def test_what_is_not_whole_or_leaves_a_limit_has_no_gap(x: tuple[float, ...], reason: str) -> None:
    figures = judged(*x)
    assert figures.gap is None
    assert figures.reason == reason


def test_users_who_are_left_out_are_counted_and_cost_what_they_lack() -> None:
    figures = judged(0, 1, 1, 0, 0, 0)
    assert figures.undecided == {str(Undecided.SEARCH_ENDED): 1}
    assert figures.decided == 2
    assert figures.gap == pytest.approx(1 / 6)


@pytest.mark.parametrize("prices", [np.zeros(2), np.full(2, 1e300), np.array([-5.0, 2.0]), np.array([3.0, 1.0 + 1e-7])])
def test_no_prices_make_a_gap_smaller_than_it_is(prices: np.ndarray) -> None:
    figures = judged(0, 1, 1, 0, 0, 0, prices=prices)
    assert figures.gap is None or figures.gap >= 1 / 6
