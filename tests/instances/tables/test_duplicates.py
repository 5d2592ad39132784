"""Rows that name one edge become one by the rule of the problem, in whatever order they come."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import pyarrow as pa
import pytest

from instances import InputError, Problem
from instances.tables import Stated

COLUMNS = ("user", "item", "group", "score", "cost", "position")
ROWS = [(1, 1, "g", 0.1, 1.0, "p"), (1, 1, "g", 0.7, 2.0, "q"), (1, 1, "g", 0.2, 4.0, "r"), (1, 2, "h", 9.0, 8.0, "s")]
ORDERS = [(*rows, ROWS[3]) for rows in permutations(ROWS[:3])]


def stated(rows: Any, rule: str) -> Stated:
    table = pa.table(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
    limits = [{"name": "group", "by": "group", "use": "cost", "at_most": 1}]
    return Problem.from_tables(
        edges=table,
        source="user",
        destination="item",
        sources={"at_most": 1},
        limits=limits,
        maximise="score",
        duplicates=rule,
    ).build()


@pytest.mark.parametrize(("rule", "score", "cost"), [("sum", math.fsum([0.1, 0.7, 0.2]), 7.0), ("max", 0.7, 2.0)])
def test_sum_and_max_do_not_depend_on_the_order(rule: str, score: float, cost: float) -> None:
    for rows in ORDERS:
        made = stated(rows, rule)
        assert made.lp.c.tolist() == [-score, -9.0]
        assert made.lp.a.tolist() == [cost, 8.0]


def test_max_keeps_the_whole_row() -> None:
    assert stated(ROWS, "max").edge_columns(["position"])["position"].to_pylist() == ["q", "s"]


def test_first_takes_the_row_that_stands_first() -> None:
    for rows in ORDERS:
        first = next(row for row in rows if row[1] == 1)
        made = stated(rows, "first")
        assert made.lp.c.tolist() == [-first[3], -9.0]
        assert made.edge_columns(["position"])["position"].to_pylist() == [first[5], "s"]


def test_rows_that_lie_in_different_rows_of_a_limit_have_no_sum() -> None:
    with pytest.raises(InputError, match="rows of one edge differ in group"):
        stated([*ROWS, (1, 1, "h", 0.1, 1.0, "t")], "sum")
