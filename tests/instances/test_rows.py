"""Rows in families: checked once at the border, evaluated exactly, and the same LP in the explicit form."""

from __future__ import annotations

import dataclasses
import re
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog

from instances import (
    InstanceError,
    Kind,
    MatchingLP,
    RaggedRows,
    RowKind,
    Rows,
    Simplex,
    activities,
    content_hash,
    objective,
    penalty_cost,
)
from solvers.registry import registry
from tests.support.families import family_lps

INF = float("inf")


def campaigns(**changes: Any) -> Rows:
    """Two rows over three edges, with `changes`."""
    fields: dict[str, Any] = {"row": [0, 1, 1], "coefficient": [1.0, 2.0, 3.0], "upper": [5.0, 6.0]}
    return Rows("campaign", **(fields | changes))


def paths(**changes: Any) -> RaggedRows:
    """Two rows; the first of three edges lies in both, the second in none."""
    fields: dict[str, Any] = {"entry_offsets": [0, 2, 2, 3], "row": [0, 1, 1], "coefficient": 2.0, "upper": [5.0, 6.0]}
    return RaggedRows("link", **(fields | changes))


def lp_of(*rows: Rows | RaggedRows, **changes: Any) -> MatchingLP:
    fields: dict[str, Any] = {"offsets": [0, 2, 2, 3], "c": np.array([-1.0, -2.0, 4.0], dtype=np.float32)}
    return MatchingLP(rows=list(rows), **(fields | changes))


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


def dense(lp: MatchingLP) -> np.ndarray:
    """A[R, E], entry by entry from the definition."""
    matrix = np.zeros((lp.row_count, lp.edges))
    first = 0
    for family in lp.rows:
        for e in range(lp.edges):
            entries = range(family.entry_offsets[e], family.entry_offsets[e + 1]) if _is_ragged(family) else [e]
            for k in entries:
                row = 0 if family.row is None else int(family.row[k])
                value = family.coefficient[k] if np.ndim(family.coefficient) else family.coefficient
                matrix[first + row, e] += value
        first += family.rows
    return matrix


def _is_ragged(family: Rows | RaggedRows) -> bool:
    return isinstance(family, RaggedRows)


@settings(deadline=None, max_examples=60)
@given(lp=family_lps())
def test_activities_and_costs_are_those_of_the_definition(lp: MatchingLP) -> None:
    x = np.arange(lp.edges) % 3 - 0.5
    activity = activities(lp, x)
    assert np.array_equal(activity, dense(lp) @ x)
    cost = 0.0
    for family in lp.rows:
        for r, act in enumerate(lp.split(activity)[family.name]):
            cost += (act - family.upper[r]) * family.penalty_above[r] if act > family.upper[r] else 0.0
            cost += (family.lower[r] - act) * family.penalty_below[r] if act < family.lower[r] else 0.0
    assert penalty_cost(lp, activity) == cost
    assert objective(lp, x) == float(lp.c.astype(np.float64) @ x) + cost


@settings(deadline=None, max_examples=60)
@given(lp=family_lps())
def test_the_explicit_form_is_the_same_lp(lp: MatchingLP) -> None:
    """Its optimum, found by HiGHS, is that of the dense rows and costs; x of the one costs the same in the other."""
    explicit = lp.to_explicit()
    matrix = explicit.matrix.toarray()
    assert explicit.coupling_rows == lp.row_count
    assert np.array_equal(matrix[: lp.row_count, : lp.edges], dense(lp))
    assert (explicit.edges, explicit.c[: lp.edges].tolist()) == (lp.edges, lp.c.tolist())
    if explicit.matrix.shape[1] == 0:
        return

    found = optimum(explicit.c, matrix, explicit.row_lower, explicit.row_upper, explicit.upper)
    direct = optimum(*direct_model(lp))
    assert (found is None) == (direct is None)
    if found is not None and direct is not None:
        value, x = found
        assert value == pytest.approx(direct[0], abs=1e-7)
        nearest = np.round(x[: lp.edges] * 2**20) / 2**20  # vertices of integer data, less HiGHS's last bits
        sides_left = [family.sides.violation(lp.split(activities(lp, nearest))[family.name]) for family in lp.rows]
        assert np.concatenate(sides_left).max(initial=0.0) < 1e-5
        assert float(lp.c @ nearest) <= value + 1e-5


def direct_model(lp: MatchingLP) -> tuple[np.ndarray, ...]:
    """One violation variable for each side of each row, priced or fixed to 0: no case is left out."""
    a, rows = dense(lp), lp.row_count
    sides = {
        name: np.concatenate([getattr(family, name) for family in lp.rows])
        for name in ("lower", "upper", "penalty_below", "penalty_above")
    }
    costs = np.concatenate((sides["penalty_below"], sides["penalty_above"]))
    hard = np.isinf(costs)
    blocks = [np.hstack((a, np.eye(rows), -np.eye(rows)))]
    low, high = [sides["lower"]], [sides["upper"]]
    upper = np.full(lp.edges, INF)
    for i in range(lp.sources):
        edges = slice(int(lp.offsets[i]), int(lp.offsets[i + 1]))
        radius = lp.per_source.radius[i]
        if lp.per_source.kind[i] == Kind.BOX:
            upper[edges] = radius
            continue
        row = np.zeros((1, lp.edges + 2 * rows))
        row[0, edges] = 1.0
        blocks.append(row)
        low.append(np.array([radius if lp.per_source.kind[i] == Kind.SIMPLEX_EQUALITY else -INF]))
        high.append(np.array([radius]))
    return (
        np.concatenate((lp.c, np.where(hard, 0.0, costs))),
        np.vstack(blocks),
        np.concatenate(low),
        np.concatenate(high),
        np.concatenate((upper, np.where(hard, 0.0, INF))),
    )


def optimum(
    c: np.ndarray, matrix: np.ndarray, low: np.ndarray, high: np.ndarray, upper: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """Value and x of min c'x, low <= matrix x <= high, 0 <= x <= upper by HiGHS; None where nothing is feasible."""
    has_high, has_low = np.isfinite(high), np.isfinite(low)
    found = linprog(
        c,
        A_ub=np.vstack((matrix[has_high], -matrix[has_low])),
        b_ub=np.concatenate((high[has_high], -low[has_low])),
        bounds=np.column_stack((np.zeros(c.size), upper)),
        method="highs",
    )
    assert found.status in (0, 2), found.message
    return None if found.x is None else (float(found.fun), found.x)
