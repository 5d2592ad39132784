"""Available memory: of the machine, or of the container where that is less."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from instances import InputError, available, available_memory, entries_in_rows, generate, parse_spec
from instances.available import memory_limited

SPEC = "dualip:sources=100000,destinations=10,degree=5"


def container(folder: Path, limit: str) -> None:
    (folder / "memory.max").write_text(limit + "\n")
    (folder / "memory.current").write_text("3000000\n")
    (folder / "memory.stat").write_text("anon 5\ninactive_file 1000000\n")


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(available, "_CGROUP", tmp_path)
    return tmp_path


def test_the_limit_of_a_container_counts_and_its_file_cache_does_not(cgroup: Path) -> None:
    container(cgroup, "5000000")
    assert available_memory() == 3_000_000


def test_a_full_container_has_nothing_left(cgroup: Path) -> None:
    container(cgroup, "1500000")
    assert available_memory() == 0


@pytest.mark.parametrize("limit", ["max", "1000000000000000000", "", "?"])
def test_without_a_limit_it_is_the_machine(cgroup: Path, limit: str) -> None:
    container(cgroup, limit)
    machine = psutil.virtual_memory().total
    assert 0 < available_memory() <= machine


def test_an_instance_that_does_not_fit_the_container_is_refused(cgroup: Path) -> None:
    container(cgroup, "5000000")
    with pytest.raises(InputError, match=r"degree=5,seed=0 needs 0\.\d+ GiB .* 0\.00279 GiB are available: choose"):
        generate(parse_spec(SPEC))


def test_the_rows_of_an_edge_are_known_before_an_instance_is_made() -> None:
    sizes = "sources=1000,destinations=50,degree=5"
    counted = {name: entries_in_rows(parse_spec(f"{name}:{sizes}")) for name in ("unit", "pacing", "coupons", "volume")}
    assert counted == {"unit": 1.0, "pacing": 2.0, "coupons": 3.0, "volume": 4.0}
    assert entries_in_rows(parse_spec(f"paths:{sizes}")) > 2.0


def test_a_limit_counts_while_it_is_asked_for_and_the_tightest_of_all() -> None:
    free = available_memory()
    with memory_limited(2**40), memory_limited(1), memory_limited(None):
        assert available_memory() == 0
    assert available_memory() > free / 2


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
@pytest.mark.parametrize("limit", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_the_limits_of_the_process_count(limit: str) -> None:
    program = f"""
import resource
from instances import available_memory
size = {{"RLIMIT_DATA": "VmData", "RLIMIT_AS": "VmSize"}}[{limit!r}]
available_memory()
taken = next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(size))
resource.setrlimit(resource.{limit}, (taken + 50_000_000,) * 2)
print(available_memory())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert 40_000_000 < int(done.stdout) <= 50_000_000
