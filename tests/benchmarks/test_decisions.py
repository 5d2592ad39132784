"""Seconds of writing the decisions of 1e7 edges with string keys: those that are used, and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from harness import certify
from harness.decisions.choice import choose
from harness.decisions.solution import Solution
from instances.tables import Problem, Stated
from solvers import Settings, Status

EDGES = 10_000_000
USERS = 1_000_000
ITEMS = 10_000
#: The share of edges that a matching uses: two of the ten that a user has.
USED = 0.2


def tables() -> Any:
    """Ten items a user, with string keys."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(USERS), EDGES // USERS)
    item = (np.tile(np.arange(EDGES // USERS) * (ITEMS * USERS // EDGES), USERS) + user) % ITEMS
    keys = [pa.array([f"{name}-{k:08d}" for k in range(count)]) for name, count in (("user", USERS), ("item", ITEMS))]
    columns = [one.take(pa.array(number)) for one, number in zip(keys, (user, item), strict=True)]
    return pa.table([*columns, rng.random(EDGES)], names=["user", "item", "score"])


@pytest.fixture(scope="module")
def stated() -> Stated:
    problem = Problem.from_tables(
        edges=tables(),
        source="user",
        destination="item",
        maximise="score",
        sources={"at_most": 2, "each_at_most": 1},
        limits=[{"name": "item", "by": "item", "at_most": 1000}],
    )
    return problem.build()


@pytest.fixture(scope="module")
def solution(stated: Stated) -> Solution:
    """Any decisions will do."""
    x = (np.random.default_rng(1).random(stated.lp.edges) < USED).astype(np.float64)
    dual = np.zeros(stated.lp.row_count)
    return Solution(
        stated=stated,
        choice=choose(stated.lp),
        columns=("user", "item"),
        settings=Settings(),
        status=Status.TIME_LIMIT,
        reason="made for this benchmark",
        certificate=certify(stated.lp, x, dual, threads=2),
        x=x,
        dual=dual,
        iterations=None,
        seconds={},
    )


@pytest.mark.parametrize("all_edges", [False, True])
def test_write(benchmark: Any, solution: Solution, tmp_path: Path, *, all_edges: bool) -> None:
    benchmark.pedantic(lambda: solution.write(tmp_path / "out", all_edges=all_edges), rounds=3)
    file = tmp_path / "out" / "decisions.parquet"
    rows = parquet.ParquetFile(file).metadata.num_rows
    benchmark.extra_info.update(edges=EDGES, rows=rows, file_bytes=file.stat().st_size)
    assert rows == (EDGES if all_edges else np.count_nonzero(solution.x))
