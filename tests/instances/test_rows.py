"""Families of rows are checked once, at the border: what cannot be is refused in one line."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from instances import InstanceError, MatchingLP, Rows
from tests.support.small_rows import campaigns, lp_of, paths

INF = float("inf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lower": [0.0, 7.0]}, "rows 'campaign': lower[1] is 7.0, above upper[1] = 6.0"),
        ({"upper": [5.0, np.nan]}, "rows 'campaign': upper[1] is nan: it must be a number, or inf for no ceiling"),
        ({"upper": [5.0, -INF]}, "rows 'campaign': upper[1] is -inf"),
        ({"lower": INF}, "rows 'campaign': lower[0] is inf: it must be a number, or -inf for no floor"),
        ({"upper": None}, "rows 'campaign' limits nothing: give lower=, upper= or both"),
        ({"upper": [5.0]}, "rows 'campaign': row[1] is 1: it must be in 0..0 (the family has 1 rows)"),
        ({"row": [0, -1, 1]}, "rows 'campaign': row[1] is -1: it must be in 0..1"),
        ({"row": [0.0, 1.0, 1.0]}, "rows 'campaign': row is float64[3]: expected a one-dimensional integer array"),
        ({"row": None}, "rows 'campaign' has 2 rows and row=None, all edges in one row"),
        ({"lower": [1.0, 1.0, 1.0]}, "rows 'campaign': lower has 3 entries, upper 2: give one for each row"),
        ({"keys": ["a"]}, "rows 'campaign': upper has 2 entries, keys 1: give one for each row"),
        ({"keys": ["a", "a"]}, "rows 'campaign': keys[0] a stands 2 times: name each row once"),
        ({"keys": [0.5, 1.5]}, "rows 'campaign': keys is float64[2]: expected one string or integer a row"),
        (
            {"penalty": -1.0},
            "rows 'campaign': penalty below[0] is -1.0: it must be at least 0, or inf",
        ),
        ({"penalty": (INF, [1.0, np.nan])}, "rows 'campaign': penalty above[1] is nan"),
        ({"penalty": "high"}, "rows 'campaign': penalty below is <U4[]: expected one number, or one a row"),
        ({"coefficient": np.nan}, "rows 'campaign': coefficient is nan: give one finite number, or one for each edge"),
        ({"coefficient": [1.0, INF, 1.0]}, "rows 'campaign': coefficient[1] is inf: every entry must be finite"),
        ({"coefficient": [1.0, 2.0]}, "rows 'campaign': coefficient has 2 entries: offsets end at 3 edges"),
        ({"row": [0, 1]}, "rows 'campaign': row has 2 entries: offsets end at 3 edges"),
        ({"upper": np.ma.array([1.0, 2.0], mask=[0, 1])}, "rows 'campaign': upper is a masked array"),
    ],
)
def test_families_that_cannot_be_are_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)) as refusal:
        lp_of(campaigns(**changes))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entry_offsets": [0, 2, 1, 3]}, "rows 'link': entry_offsets fall from 2 to 1 at edge 1"),
        ({"entry_offsets": [0, 2, 3]}, "rows 'link': entry_offsets has 3 entries, expected one more than the 3 edges"),
        ({"entry_offsets": [0, 2, 2, 2]}, "rows 'link': row has 3 entries, entry_offsets end at 2"),
        ({"coefficient": [1.0]}, "rows 'link': coefficient has 1 entries, entry_offsets end at 3"),
        ({"row": [0, 2, 1]}, "rows 'link': row[1] is 2: it must be in 0..1"),
    ],
)
def test_ragged_families_that_cannot_be_are_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)):
        lp_of(paths(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": []}, "rows needs a list of families"),
        ({"rows": campaigns()}, "rows needs a list of families"),
        ({"rows": [campaigns(), campaigns()]}, "rows has two families named 'campaign'"),
        ({"rows": [{"upper": 1.0}]}, "a family in rows is of type builtins.dict"),
        ({"rows": None}, "destination, a, b not given: give destination=, a= and b=, or rows= with families"),
        ({"rows": [campaigns(), paths()], "b": [1.0]}, "give them or rows=, not both"),
    ],
)
def test_lists_of_families_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)):
        MatchingLP(**({"offsets": [0, 2, 2, 3], "c": [1.0, 2.0, 3.0]} | changes))


@pytest.mark.parametrize(("name", "message"), [("", "''"), ("a\nb", "'a\\nb'"), (3, "of type builtins.int")])
def test_a_family_needs_a_name(name: Any, message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(f"the name of a family of rows is {message}")):
        Rows(name, upper=1.0)


def test_numbers_stand_for_all_rows() -> None:
    family = Rows("slot", row=[0, 2, 2], upper=4)
    assert (family.rows, family.upper.tolist(), family.coefficient) == (3, [4.0, 4.0, 4.0], 1.0)
    assert Rows("total", lower=2.0).rows == 1
    assert campaigns(keys=[UUID(int=1), UUID(int=2)]).keys.tolist() == [str(UUID(int=1)), str(UUID(int=2))]


def test_sides_without_a_limit_have_no_price() -> None:
    soft = campaigns(penalty=0.5)
    assert soft.penalty_above.tolist() == [0.5, 0.5]
    assert soft.penalty_below.tolist() == [INF, INF]


def test_arrays_of_the_right_type_are_not_copied() -> None:
    row, cost = np.array([0, 1, 1], dtype=np.int32), np.array([1, 2, 3], dtype=np.float32)
    limit = np.array([5.0, 6.0])
    family = lp_of(Rows("campaign", row=row, coefficient=cost, upper=limit)).rows[0]
    for given_array, held in ((row, family.row), (cost, family.coefficient), (limit, family.upper)):
        assert np.shares_memory(given_array, held)
