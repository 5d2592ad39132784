"""Exact rational arithmetic for coupling rows of any form; tests/exact.py has what the short form needs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from instances import MatchingLP
from tests import exact
from tests.exact import INF, Row, fractions

Side = Fraction | float


def sides(lp: MatchingLP) -> list[tuple[Side, Side, Side, Side]]:
    """lower, upper, penalty_below and penalty_above of each row, as fractions or infinite."""
    names = ("lower", "upper", "penalty_below", "penalty_above")
    columns = [np.concatenate([getattr(family, name) for family in lp.rows]) for name in names]
    exact_columns = [
        [Fraction(float(value)) if np.isfinite(value) else float(value) for value in column] for column in columns
    ]
    return list(zip(*exact_columns, strict=True))


def matrix(lp: MatchingLP) -> list[dict[int, Fraction]]:
    """The coefficient of each edge in each row, by edge."""
    rows: list[dict[int, Fraction]] = []
    for family in lp.rows:
        own: list[dict[int, Fraction]] = [{} for _ in range(family.rows)]
        for edge, row, a in zip(*family.entries(lp.edges), strict=True):
            own[int(row)][int(edge)] = own[int(row)].get(int(edge), Fraction(0)) + Fraction(float(a))
        rows += own
    return rows


def bound(lp: MatchingLP, dual: Any, *, costs: bool = True, hard_only: bool = False) -> Fraction | None:
    """g0 at `dual` brought into its intervals; None where a '=' source wants more than its edges may take."""
    reduced = fractions(lp.c) if costs else [Fraction(0)] * lp.edges
    total = Fraction(0)
    for value, entries, row in zip(fractions(dual), matrix(lp), sides(lp), strict=True):
        lower, upper, below, above = (0 if hard_only and k > 1 and v != INF else v for k, v in enumerate(row))
        least = -below if lower != -INF else 0
        most = above if upper != INF else 0
        price = min(max(value, least), most)
        if price > 0:
            total -= Fraction(upper) * Fraction(price)
        elif price < 0:
            total -= Fraction(lower) * Fraction(price)
        for edge, a in entries.items():
            reduced[edge] += a * Fraction(price)
    for i in range(lp.sources):
        least_cost = exact.support(lp, i, reduced[int(lp.offsets[i]) : int(lp.offsets[i + 1])])
        if least_cost is None:
            return None
        total += least_cost
    return total


def cost(lp: MatchingLP, x: Any) -> Fraction:
    """c'x and what soft sides cost."""
    values = fractions(x)
    total = exact.objective(lp, x)
    for entries, (lower, upper, below, above) in zip(matrix(lp), sides(lp), strict=True):
        activity = sum((a * values[edge] for edge, a in entries.items()), Fraction(0))
        if above != INF and activity > upper:
            total += Fraction(above) * (activity - Fraction(upper))
        if below != INF and activity < lower:
            total += Fraction(below) * (Fraction(lower) - activity)
    return total


def violation(lp: MatchingLP, x: Any) -> Fraction:
    """The largest violation of a hard row over 1 + |the side that is violated|."""
    values = fractions(x)
    worst = Fraction(0)
    for entries, (lower, upper, below, above) in zip(matrix(lp), sides(lp), strict=True):
        activity = sum((a * values[edge] for edge, a in entries.items()), Fraction(0))
        if above == INF and activity > upper:
            worst = max(worst, (activity - Fraction(upper)) / (1 + abs(Fraction(upper))))
        if below == INF and activity < lower:
            worst = max(worst, (Fraction(lower) - activity) / (1 + abs(Fraction(lower))))
    return worst


def optimum(lp: MatchingLP) -> Fraction | None:
    """The optimal value by the simplex method on fractions; None where no x is feasible."""
    costs = fractions(lp.c)
    rows: list[Row] = []
    limits: list[Fraction] = []
    equal: list[bool] = []
    priced: list[tuple[int, Fraction]] = []  # the row that a violation column relieves, and its price

    for entries, (lower, upper, below, above) in zip(matrix(lp), sides(lp), strict=True):
        for side, penalty, sign in ((upper, above, 1), (lower, below, -1)):
            if side not in (INF, -INF):
                if penalty != INF:
                    priced.append((len(rows), Fraction(penalty)))
                rows.append([sign * entries.get(e, Fraction(0)) for e in range(lp.edges)])
                limits.append(sign * Fraction(side))
                equal.append(False)
    for row, side, equality in exact.polytope_rows(lp):
        rows.append(row)
        limits.append(side)
        equal.append(equality)

    for at, price in priced:
        for r, row in enumerate(rows):
            row.append(Fraction(-int(r == at)))
        costs.append(price)
    return exact.two_phases(rows, limits, equal, costs)
