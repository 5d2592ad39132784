"""One hard family of budgets is the short form of an LP; every other family is of a named kind beyond it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from instances import InstanceError, MatchingLP, RowKind, Rows, Simplex, content_hash
from solvers.registry import registry
from tests.support.families import family_lps
from tests.support.small_rows import campaigns, lp_of, paths

INF = float("inf")


def test_one_hard_family_of_budgets_is_the_short_form() -> None:
    short = lp_of(campaigns(keys=["x", "y"]))
    same = MatchingLP(offsets=short.offsets, c=short.c, destination=[0, 1, 1], a=[1.0, 2.0, 3.0], b=[5.0, 6.0])
    assert short.is_short_form
    assert (short.destination.tolist(), short.a.tolist(), short.b.tolist()) == ([0, 1, 1], [1, 2, 3], [5, 6])
    assert content_hash(short) == content_hash(same)
    assert [family.name for family in (*short.rows, *same.rows)] == ["campaign", "budget"]
    assert short.tightened.rows[0].keys.tolist() == ["x", "y"]


def test_a_number_for_all_edges_is_the_short_form_too() -> None:
    lp = lp_of(Rows("total", coefficient=0.5, upper=4.0))
    assert lp.is_short_form
    assert (lp.a.dtype, lp.a.tolist(), lp.destination.tolist()) == (np.float32, [0.5] * 3, [0] * 3)
    assert lp_of(Rows("total", coefficient=0.1, upper=4.0)).a.tolist() == [0.1] * 3
    assert lp_of(Rows("total", coefficient=1e300, upper=4.0)).a.tolist() == [1e300] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {"lower": 0.0},
        {"upper": [-1.0, 6.0]},
        {"penalty": 3.0},
        {"coefficient": -1.0},
        {"coefficient": [1.0, -2.0, 3.0]},
    ],
)
def test_anything_else_is_beyond_the_short_form(changes: dict[str, Any]) -> None:
    lp = lp_of(campaigns(**changes))
    assert not lp.is_short_form
    assert lp.tightened is lp
    with pytest.raises(InstanceError, match=r"destination is of the short form alone.*campaign.*use lp.rows"):
        _ = lp.destination


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, set()),
        ({"lower": [0.0, -INF], "upper": None}, {RowKind.FLOOR}),
        ({"lower": [-INF, 6.0]}, {RowKind.EQUALITY}),
        ({"lower": [0.0, 6.0]}, {RowKind.EQUALITY, RowKind.RANGE}),
        ({"upper": [-1.0, 6.0]}, {RowKind.NEGATIVE_LIMIT}),
        ({"coefficient": [1.0, -2.0, 3.0]}, {RowKind.NEGATIVE_COEFFICIENT}),
        ({"coefficient": -1.0, "penalty": [INF, 0.0]}, {RowKind.NEGATIVE_COEFFICIENT, RowKind.SOFT}),
    ],
)
def test_the_kinds_of_rows_are_what_is_beyond_the_short_form(changes: dict[str, Any], kinds: set[RowKind]) -> None:
    assert lp_of(campaigns(**changes)).row_kinds == kinds
    assert lp_of(campaigns(**changes), paths()).row_kinds == kinds | {RowKind.SEVERAL, RowKind.RAGGED}


@settings(deadline=None, max_examples=60)
@given(lp=family_lps())
def test_only_the_short_form_has_no_kinds_of_rows(lp: MatchingLP) -> None:
    assert lp.is_short_form == (not lp.row_kinds)


def test_a_change_of_the_short_form_keeps_the_family() -> None:
    lp = lp_of(campaigns(keys=["x", "y"]))
    changed = dataclasses.replace(lp, b=np.array([1.0, 2.0]))  # type: ignore[call-arg]
    assert (changed.b.tolist(), changed.a.tolist(), changed.rows[0].name) == ([1, 2], [1, 2, 3], "campaign")
    assert changed.rows[0].keys.tolist() == ["x", "y"]
    assert dataclasses.replace(lp_of(campaigns(), paths()), polytope=Simplex(z=2.0)).row_count == 4


def test_a_dual_splits_by_family() -> None:
    lp = lp_of(campaigns(), paths())
    assert (lp.row_count, lp.destinations, lp.cells) == (4, 2, 6)
    parts = lp.split(np.arange(4.0))
    assert {name: part.tolist() for name, part in parts.items()} == {"campaign": [0.0, 1.0], "link": [2.0, 3.0]}
    with pytest.raises(InstanceError, match="one for each of 4 rows"):
        lp.split(np.zeros(2))


def test_every_solver_takes_the_rows_of_an_lp_or_names_what_it_does_not_take() -> None:
    lp = lp_of(campaigns(), paths())
    for solver in registry().values():
        told = solver.unsuited(lp)
        assert told == "" or all(kind in told for kind in lp.row_kinds - solver.rows), told
