"""Exact rational arithmetic on small LPs: bounds, objectives, violations and optima that no rounding has touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from instances import MatchingLP

Row = list[Fraction]
INF = float("inf")


def bound(lp: MatchingLP, dual: Any) -> Fraction | None:
    """g0 at max(dual, 0); None where a '=' source wants more than its edges may take (no x exists: any bound holds)."""
    price = [max(Fraction(float(value)), Fraction(0)) for value in dual]
    total = -sum((limit * value for limit, value in zip(fractions(lp.b), price, strict=True)), Fraction(0))
    a, c = fractions(lp.a), fractions(lp.c)
    for i in range(lp.sources):
        edges = range(int(lp.offsets[i]), int(lp.offsets[i + 1]))
        reduced = [c[e] + a[e] * price[int(lp.destination[e])] for e in edges]
        least = support(lp, i, reduced)
        if least is None:
            return None
        total += least
    return total


def is_ray(lp: MatchingLP, ray: Any) -> bool:
    """Whether max(ray, 0) proves that no x is feasible: the bound of the same LP without costs is above 0."""
    value = bound(replace(lp, c=np.zeros(lp.edges)), ray)
    return value is None or value > 0


def support(lp: MatchingLP, source: int, costs: Sequence[Fraction]) -> Fraction | None:
    """min of costs'x over the polytope of a source, filled in the order of the costs; None where it is empty."""
    left, uppers, equality = _limits(lp, source)
    total = Fraction(0)
    for cost, upper in sorted(zip(costs, uppers, strict=True)):
        if cost >= 0 and not equality:
            break
        amount = min(left, upper)
        total += amount * cost
        left -= amount if left != INF else 0
    return None if equality and left > 0 else total


def _limits(lp: MatchingLP, source: int) -> tuple[Any, list[Any], bool]:
    """z of a source and u of each of its edges, as fractions or INF, and whether its sum is z."""
    limits = lp.per_source.limits(source, source + 1)
    edges = slice(int(lp.offsets[source]), int(lp.offsets[source + 1]))
    own = np.full(edges.stop - edges.start, limits.upper[0]) if lp.edge_upper is None else lp.edge_upper[edges]
    z, *uppers = (INF if value == INF else Fraction(float(value)) for value in (limits.at_most[0], *own))
    return z, uppers, bool(limits.equality[0])


def objective(lp: MatchingLP, x: Any) -> Fraction:
    """c'x."""
    return sum((c * v for c, v in zip(fractions(lp.c), fractions(x), strict=True)), Fraction(0))


def violation(lp: MatchingLP, x: Any) -> Fraction:
    """The largest violation of a row or bound, relative to its right-hand side (absolute where that is 0)."""
    values = fractions(x)
    worst = max((-value for value in values), default=Fraction(0))
    loads = [Fraction(0)] * lp.destinations
    for a, j, value in zip(fractions(lp.a), lp.destination, values, strict=True):
        loads[int(j)] += a * value
    excesses = [(load - limit, limit) for load, limit in zip(loads, fractions(lp.b), strict=True)]
    for i in range(lp.sources):
        mine = values[int(lp.offsets[i]) : int(lp.offsets[i + 1])]
        z, uppers, equality = _limits(lp, i)
        excesses += [(value - u, u) for value, u in zip(mine, uppers, strict=True) if u != INF]
        if z != INF:
            excess = sum(mine, Fraction(0)) - z
            excesses.append((abs(excess) if equality else excess, z))
    return max([worst, Fraction(0), *(excess / limit if limit else excess for excess, limit in excesses)])


def optimum(lp: MatchingLP) -> Fraction | None:
    """The optimal value by the simplex method with Bland's rule on fractions; None where no x is feasible."""
    rows, sides, equalities = _rows(lp)
    return two_phases(rows, sides, equalities, fractions(lp.c))


def fractions(values: Any) -> list[Fraction]:
    return [Fraction(float(value)) for value in values]


def _rows(lp: MatchingLP) -> tuple[list[Row], list[Fraction], list[bool]]:
    """The constraints as dense rows a'x <= side, or = side where marked."""
    rows = [[Fraction(0)] * lp.edges for _ in range(lp.destinations)]
    for e, (a, j) in enumerate(zip(fractions(lp.a), lp.destination, strict=True)):
        rows[int(j)][e] = a
    sides, equalities = fractions(lp.b), [False] * lp.destinations
    for row, side, equality in polytope_rows(lp):
        rows.append(row)
        sides.append(side)
        equalities.append(equality)
    return rows, sides, equalities


def polytope_rows(lp: MatchingLP) -> list[tuple[Row, Fraction, bool]]:
    """A dense row, its side and whether it is '=' for each limit of a source or an edge."""
    found: list[tuple[Row, Fraction, bool]] = []
    for i in range(lp.sources):
        edges = range(int(lp.offsets[i]), int(lp.offsets[i + 1]))
        z, uppers, equality = _limits(lp, i)
        groups = [([e], u, False) for e, u in zip(edges, uppers, strict=True) if u != INF]
        groups += [(list(edges), z, equality)] if z != INF else []
        for group, side, equal in groups:
            found.append(([Fraction(int(e in group)) for e in range(lp.edges)], side, equal))
    return found


def two_phases(
    rows: list[Row], sides: list[Fraction], equalities: Sequence[bool], costs: list[Fraction]
) -> Fraction | None:
    """A slack column for each '<=' row; an artificial one where that is no basis: '=' rows and negative sides."""
    edges, count = len(costs), len(rows)
    width = edges + 2 * count
    signs = [-1 if side < 0 else 1 for side in sides]
    needed = [equal or sign < 0 for equal, sign in zip(equalities, signs, strict=True)]
    table = []
    for r, (row, side) in enumerate(zip(rows, sides, strict=True)):
        slack = [Fraction(signs[r] * int(k == r and not equalities[r])) for k in range(count)]
        extra = [Fraction(int(k == r and needed[r])) for k in range(count)]
        table.append([*(signs[r] * value for value in row), *slack, *extra, signs[r] * side])
    basis = [edges + r + (count if needed[r] else 0) for r in range(count)]
    artificial = set(range(edges + count, width))
    _minimise(table, basis, [Fraction(int(k in artificial)) for k in range(width)], set())
    if any(table[r][-1] for r in range(count) if basis[r] in artificial):
        return None
    for r in range(count):  # an artificial variable at 0 leaves the basis, or its row says nothing
        if basis[r] in artificial:
            others = [k for k in range(width) if k not in artificial and table[r][k]]
            if others:
                _pivot(table, basis, r, others[0])
    full = [*costs, *[Fraction(0)] * (2 * count)]
    _minimise(table, basis, full, artificial)
    return sum((full[k] * table[r][-1] for r, k in enumerate(basis)), Fraction(0))


def _minimise(table: list[Row], basis: list[int], costs: list[Fraction], closed: set[int]) -> None:
    width = len(costs)
    reduced = list(costs)
    for r, k in enumerate(basis):
        if costs[k]:
            reduced = [value - costs[k] * entry for value, entry in zip(reduced, table[r], strict=False)]
    while True:
        entering = next((k for k in range(width) if reduced[k] < 0 and k not in closed), None)
        if entering is None:
            return
        ratios = [(row[-1] / row[entering], basis[r], r) for r, row in enumerate(table) if row[entering] > 0]
        _, _, leaving = min(ratios)
        _pivot(table, basis, leaving, entering)
        factor = reduced[entering]
        reduced = [value - factor * entry for value, entry in zip(reduced, table[leaving], strict=False)]


def _pivot(table: list[Row], basis: list[int], r: int, k: int) -> None:
    pivot = table[r][k]
    table[r] = [entry / pivot for entry in table[r]]
    for other, row in enumerate(table):
        if other != r and row[k]:
            factor = row[k]
            table[other] = [value - factor * entry for value, entry in zip(row, table[r], strict=True)]
    basis[r] = k
