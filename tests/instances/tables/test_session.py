"""A build works within its memory, leaves nothing behind, and ends in one line."""

from __future__ import annotations

import _thread
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from instances import Problem, content_hash
from instances.errors import ProblemError
from instances.tables.session import rows_of, session

LONG = "SELECT count(*) FROM range(1_000_000_000) a, range(1_000_000_000) b WHERE hash(a.range, b.range) = 0"


def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_an_interrupt_ends_a_query_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = temporary(tmp_path / "spill", monkeypatch)
    timer = threading.Timer(0.3, _thread.interrupt_main)

    def interrupted() -> None:
        with session(1, None) as connection:
            timer.start()
            rows_of(connection, LONG)

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert list(folder.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = temporary(tmp_path / "spill", monkeypatch)

    def spilling() -> None:
        with session(1, 1) as connection:
            connection.execute("SET max_temp_directory_size = '1MiB'")
            connection.execute("CREATE TABLE big AS SELECT hash(range) AS h FROM range(20_000_000) ORDER BY h")

    with pytest.raises(ProblemError, match="DuckDB cannot read the tables: ") as caught:
        spilling()

    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []


def test_memory_and_threads_change_nothing_of_the_lp() -> None:
    count = 300_000
    drawn = np.random.default_rng(1)
    edges = pa.table(
        {
            "user": pa.array([f"user {u}" for u in drawn.permutation(count) // 10]),
            "item": np.arange(count) % 977,
            "score": drawn.random(count),
        }
    )
    problem = Problem.from_tables(
        edges=edges,
        source="user",
        destination="item",
        sources={"at_most": 1},
        limits=[{"name": "item", "by": "item", "at_most": 9}],
        maximise="score",
        duplicates="sum",
    )

    plenty = problem.build(threads=2)
    little = problem.build(threads=1, memory_limit=1)  # the least that a session takes

    assert content_hash(plenty.lp) == content_hash(little.lp)
    assert plenty.source_keys.equals(little.source_keys)
