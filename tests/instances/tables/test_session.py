"""A build works within its memory, leaves nothing behind, and ends in one line."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from instances import Problem, content_hash
from instances.errors import ProblemError
from instances.mapped import is_mapped
from instances.tables.session import rows_of, session

ROOT = Path(__file__).resolve().parents[3]
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


SPILLING = """
import sys
from instances.tables.session import session
with session(1, 1) as connection:
    connection.execute("CREATE TABLE big AS SELECT hash(range) AS h FROM range(16_000_000)")
    print("spilled", flush=True)
    connection.execute(sys.argv[1])
"""


def test_sigterm_in_a_query_leaves_no_file(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SPILLING, LONG]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "spilled\n"
        assert list(tmp_path.iterdir())
        process.terminate()
        assert process.wait(60) == -signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_folders_of_dead_processes_are_removed_once_they_are_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = temporary(tmp_path / "spill", monkeypatch)
    dead = 2**22 + 1  # above what Linux gives
    names = (
        f"dualbench-tables-{dead}-old",
        f"dualbench-tables-{dead}-new",
        f"dualbench-tables-{os.getpid()}-old",
        "mine-old",
    )
    for name in names:
        (folder / name).mkdir()
        if name.endswith("old"):
            os.utime(folder / name, (1e9, 1e9))
    with session(1, None):
        pass
    assert {path.name for path in folder.iterdir()} == set(names[1:])


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

    assert not is_mapped(plenty.lp.c)
    assert is_mapped(little.lp.c)
    assert is_mapped(little.lp.rows[0].row)
    assert content_hash(plenty.lp) == content_hash(little.lp)
    assert plenty.source_keys.equals(little.source_keys)
