"""What no whole x can meet is refused in one line before anything is solved, and nothing else is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness import whole_decisions
from harness.integral.unmeetable import UnmeetableError, require_meetable
from instances import BoxCut, MatchingLP, Polytope, RaggedRows, Rows, Simplex
from tests.support.whole import least_whole, whole_lp

THREE = {"offsets": [0, 2, 4, 6], "c": [-1.0, -2.0] * 3}
ITEMS = [0, 1] * 3


@pytest.mark.parametrize(
    ("polytope", "rows", "words"),
    [
        (Simplex(z=1.5, equality=True), Rows("item", row=ITEMS, upper=9.0), "source 0 takes exactly 1.5"),
        (
            BoxCut(upper=1.5, at_most=3.0, equality=True),
            Rows("item", row=ITEMS, upper=9.0),
            "source 0 takes exactly 3, its 2 edges at most 1.5 each",
        ),
        (
            Simplex(z=9.0),
            Rows("item", row=ITEMS, lower=2.5, upper=2.5, keys=["a", "b"]),
            "row a of 'item' must be 2.5",
        ),
        (
            Simplex(z=9.0),
            RaggedRows("pair", entry_offsets=range(7), row=[0] * 6, coefficient=[2.0, 4.0] * 3, lower=2.5, upper=3.9),
            "from 2.5 to 3.9, and whole x make it multiples of 2",
        ),
        (
            Simplex(z=1.0, equality=True),
            Rows("item", row=ITEMS, upper=[0.9, 0.9]),
            "source 0 takes exactly 1, and the rows of its edges hold 0 whole units",
        ),
        (
            Simplex(z=1.0, equality=True),
            Rows("item", row=ITEMS, upper=[1.5, 1.5]),
            "sources take exactly 3 together, and the rows of 'item' hold 2 whole units",
        ),
        (
            Simplex(z=0.5),
            Rows("item", row=ITEMS, lower=[0.5, 0.0], keys=["a", "b"]),
            "row a of 'item' must be at least 0.5, and whole x reach 0",
        ),
        (
            Simplex(z=1.0),
            Rows("all", coefficient=[0.5, 0.25] * 3, lower=1.6),
            "row 0 of 'all' must be at least 1.6, and whole x reach 1.5",
        ),
        (
            Simplex(z=1.0),
            Rows("item", row=[0, 1, 2, 3, 0, 1], lower=[0.5, 0.5, 0.5, 0.5]),
            "the floors of 'item' need 4 whole units together, and all sources have 3",
        ),
    ],
)
def test_what_no_whole_x_can_meet_is_said_in_one_line(polytope: Polytope, rows: Rows, words: str) -> None:
    lp = MatchingLP(**THREE, polytope=polytope, rows=[rows])
    with pytest.raises(UnmeetableError) as refused:
        whole_decisions(lp, np.zeros(6), None)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nothing_is_refused_that_some_whole_x_meets() -> None:
    for seed in range(300):
        lp = whole_lp(seed)
        try:
            require_meetable(lp)
        except UnmeetableError:
            assert least_whole(lp) == math.inf, seed
