"""Serve sources that were not in the solve from its prices: `dualbench decide` and `decide`.

Each new source takes its best response, argmin over C_i of (c + A'y)_i'x: edges with a reduced cost below 0, the least
first, each up to its own limit while the sum of the source allows it ('=' sources take all they must). Of equal edges
the first by the keys is taken, and one whose reduced cost is 0 is left. Nothing looks at what the limits have left:
prices alone hold the new sources back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from harness.arguments import require_judged
from harness.decisions.by_key import numbered_rows, read_columns
from harness.decisions.folder import PRICES
from harness.decisions.outcome import Float64
from harness.decisions.solution import Solution
from harness.decisions.tables import decision_columns, decisions_table
from harness.decisions.yesterday import Earlier, earlier_summary, find_prices
from instances import InputError, MatchingLP, activities
from instances.evaluate import linear_cost
from instances.tables import Problem, Stated
from instances.tables.statement import Files, Frame, Limit, Table
from instances.words import shown
from solvers.best_response import best_response

#: A limit that is passed by no more than this share of 1 + itself is not passed.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Passed:
    """Limits of one family that the new decisions pass beside those of the solve."""

    family: str

    rows: int
    """Of them, how many rows."""

    of: int
    """Rows of the family with an upper limit."""

    share: float
    """By how much together, over the sum of all these limits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Served:
    """Decisions for new sources by key. E edges, R rows of limits that the edges have keys of."""

    stated: Stated
    """The new sources as an LP without limits of rows."""

    columns: tuple[str, ...]

    x: Float64
    """float64[E] in the order of the edges."""

    dual: Float64
    """float64[R] in the sign of solvers.Answer.dual; 0 where the prices have no such key."""

    keys_unknown: int
    """Rows of limits that the prices do not have."""

    edges_unknown: int
    """Edges in such a row, which counts at a price of 0."""

    passed: tuple[Passed, ...]
    """The families of which a limit is passed."""

    @cached_property
    def decisions(self) -> Any:
        """An Arrow table of the edges with x > 0: keys, columns asked for, and x."""
        return decisions_table(self.stated, self.x, self.columns)

    @property
    def objective(self) -> float:
        """In the user's sense, without what limits of rows may cost."""
        cost = linear_cost(self.stated.lp, self.x)
        return 0.0 - cost if self.stated.maximise else cost

    @property
    def in_words(self) -> str:
        """What was decided, in one line."""
        lp = self.stated.lp
        used = np.count_nonzero(self.x)
        sense = "maximise" if self.stated.maximise else "minimise"
        parts = [f"{lp.sources:,} sources use {used:,} of {lp.edges:,} edges, {sense} {self.objective:,.10g}"]
        if self.keys_unknown:
            parts.append(
                f"{self.keys_unknown:,} of {lp.row_count:,} keys of limits have no price, "
                f"and {self.edges_unknown:,} edges count them at 0"
            )
        passed = [f"{one.rows:,} of {one.of:,} of {shown(one.family)} by {one.share:.2%}" for one in self.passed]
        if passed:
            parts.append(f"beside the decisions of the solve limits are passed: {', '.join(passed)} of their sum")
        return "; ".join(parts)


def decide(prices: Any, edges: Any, *, sources: Any = None, columns: Sequence[str] = ()) -> Any:
    """Decisions for sources that were not in the solve, at its prices.

    prices: a Solution, or the folder that `dualbench solve` wrote; edges: a table of the new sources' edges with the
    columns of that problem (a DataFrame, an Arrow table or files), and sources=: one with their limits where the
    problem takes them from a table; default that of the problem. Returns `Served`, decisions by key.

    Or prices: the dual float64[R] of an LP, and edges: a MatchingLP of the new sources under the same R rows. Returns
    x float64[E]. Raises InputError for what does not fit.
    """
    if isinstance(edges, MatchingLP):
        return _of_arrays(edges, prices)
    summary = earlier_summary(prices)
    stated = _new_problem(_problem_of(prices, summary), edges, sources).build()
    names = decision_columns(stated.problem, columns)
    found = find_prices(prices, stated, summary.get("sense"))
    x = _response(stated.lp, found.dual)
    return Served(
        stated=stated,
        columns=names,
        x=x,
        dual=found.dual,
        keys_unknown=int((~found.known).sum()),
        edges_unknown=_edges_in(stated.lp, ~found.known),
        passed=tuple(_passed(prices, stated, x)),
    )


def _passed(prices: Earlier, stated: Stated, x: Float64) -> Iterator[Passed]:
    """What x[E] passes of the upper limits, of which the decisions of the solve use their loads."""
    columns = ("family", "key", "load", "upper")
    rows = prices.prices if isinstance(prices, Solution) else read_columns(Path(prices) / PRICES, columns)
    number = numbered_rows(rows, stated)
    load = np.zeros(stated.lp.row_count)
    upper = np.full(stated.lp.row_count, np.inf)
    for values, name in ((load, "load"), (upper, "upper")):
        given = rows[name].to_numpy().astype(np.float64)
        values[number[number >= 0]] = np.where(np.isnan(given), np.inf, given)[number >= 0]

    with np.errstate(invalid="ignore"):  # a limit that is none, used without end
        beyond = np.maximum(activities(stated.lp, x) - np.maximum(upper - load, 0.0), 0.0)
    beyond[beyond <= _ROUNDING * (1 + np.abs(upper))] = 0.0
    limits, over = stated.lp.split(upper), stated.lp.split(beyond)
    for family in stated.lp.rows:
        limited = np.isfinite(limits[family.name])
        passed = int(np.count_nonzero(over[family.name][limited]))
        if passed:
            total = float(np.abs(limits[family.name][limited]).sum())
            share = float(over[family.name][limited].sum()) / total if total else np.inf
            yield Passed(family=family.name, rows=passed, of=int(limited.sum()), share=share)


def _of_arrays(lp: MatchingLP, dual: Any) -> Float64:
    require_judged(lp, None, dual)
    given = np.asarray(dual)
    if given.shape != (lp.row_count,) or given.dtype.kind not in "fiu" or not np.isfinite(given).all():
        raise InputError(f"prices is {given.dtype}{list(given.shape)}: expected {lp.row_count} finite numbers")
    return _response(lp, given.astype(np.float64))


def _response(lp: MatchingLP, dual: Float64) -> Float64:
    return best_response(lp, dual, np.zeros(lp.edges), np.ones(lp.sources, dtype=np.bool_))


def _problem_of(prices: Earlier, summary: dict[str, Any]) -> Problem:
    if isinstance(prices, Solution):
        return prices.stated.problem
    if summary.get("problem") is None:
        raise InputError(f"{prices} is of tables in memory: give the Solution itself")
    return Problem.read(summary["problem"])


def _new_problem(problem: Problem, edges: Any, sources: Any) -> Problem:
    """The problem with other edges, whose limits of rows are only keys that have a price."""
    limits = problem.sources if sources is None else replace(problem.sources, table=_table("sources", sources))
    if sources is not None and problem.sources.table is None:
        raise InputError("the problem takes the limits of its sources from no table: leave sources out")
    return replace(
        problem,
        edges=replace(problem.edges, table=_table("edges", edges)),
        sources=limits,
        limits=tuple(_without_amounts(limit) for limit in problem.limits),
    )


def _table(label: str, given: Any) -> Table:
    if isinstance(given, (str, os.PathLike)):
        return Files(patterns=(os.fspath(given),), folder=Path.cwd())
    return Frame(label=label, data=given)


def _without_amounts(limit: Limit) -> Limit:
    """The same rows, which limit nothing: they are numbered by the keys of the edges."""
    return replace(limit, at_most=float("inf"), at_least=None, equals=None, penalty=None, table=None, key=())


def _edges_in(lp: MatchingLP, rows: Any) -> int:
    """Edges with an entry in one of `rows` bool[R]."""
    inside = np.zeros(lp.edges, dtype=np.bool_)
    first_row = 0
    for family in lp.rows:
        edge, row, _ = family.entries(lp.edges)
        inside[edge[rows[first_row + row]]] = True
        first_row += family.rows
    return int(inside.sum())
