"""Rows in families are evaluated as they are defined, and the explicit form is the same LP."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog

from instances import Kind, MatchingLP, RaggedRows, Rows, activities, objective, penalty_cost
from tests.support.families import family_lps

INF = float("inf")


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
