"""Arrays mapped from files: released pages leave memory and come back unchanged."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from instances import InputError
from instances.mapped import default_cache, free_disk, read_ahead, release_pages, require_disk, stream_chunks

ENTRIES = 1 << 23  # 32 MiB


@pytest.fixture
def mapped(tmp_path: Path) -> np.ndarray:
    np.save(tmp_path / "v.npy", np.arange(ENTRIES, dtype=np.float32))
    return np.asarray(np.load(tmp_path / "v.npy", mmap_mode="r"))


def resident() -> int:
    """Bytes of files in the memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssFile:"))


@pytest.mark.skipif(sys.platform != "linux", reason="counts as Linux does")
def test_released_pages_leave_memory_and_come_back(mapped: np.ndarray) -> None:
    total, held = float(mapped.sum(dtype=np.float64)), resident()
    release_pages(mapped, 0, ENTRIES // 2)
    assert held - resident() > 15 << 20
    release_pages(mapped)
    assert held - resident() > 30 << 20
    read_ahead(mapped, 100, ENTRIES)
    assert float(mapped.sum(dtype=np.float64)) == total


@pytest.mark.skipif(sys.platform != "linux", reason="counts as Linux does")
def test_a_stream_holds_one_step_at_a_time(mapped: np.ndarray) -> None:
    starts, before, seen, most = np.arange(33) * (ENTRIES // 32), resident(), [], 0
    for first, last in stream_chunks(32, 3, [(mapped, starts)]):
        assert float(mapped[starts[first] : starts[last]].sum(dtype=np.float64)) > 0
        seen.append((first, last))
        most = max(most, resident() - before)
    assert seen == [(k, min(k + 3, 32)) for k in range(0, 32, 3)]
    assert most < 12 << 20


def test_a_stream_over_memory_is_one_step() -> None:
    assert list(stream_chunks(32, 3, [(np.zeros(32), np.arange(33))])) == [(0, 32)]


def test_changes_to_private_copies_are_never_released(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.zeros(1 << 20))
    mine = np.load(tmp_path / "v.npy", mmap_mode="c")
    mine[:] = 1
    release_pages(mine)
    assert mine.all()


def test_a_full_disk_is_named_with_the_remedy(tmp_path: Path) -> None:
    require_disk(1, tmp_path / "not" / "there", "it")
    with pytest.raises(InputError, match=r"it needs .* GiB of disk in .*: set DUALBENCH_CACHE to a folder on a larger"):
        require_disk(2 * free_disk(tmp_path), tmp_path, "it")


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("DUALBENCH_CACHE")
    assert default_cache() == Path.home() / ".cache" / "dualbench"
