"""Two runs with one thread each do not take the same core."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cores import by_load

ROOT = Path(__file__).resolve().parents[2]
TAKE = "import os, sys; from harness.cores import take_cores; print(*take_cores({}), flush=True); sys.stdin.read()"
#: The cores of this machine are held for all processes: runs of other tests would take some.
pytestmark = pytest.mark.alone
needs_two = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="no two cores here"
)


def taking(threads: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TAKE.format(threads)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def cores_of(process: subprocess.Popen[str]) -> set[int]:
    assert process.stdout is not None
    found = {int(word) for word in process.stdout.readline().split()}
    assert os.sched_getaffinity(process.pid) == found
    return found


@needs_two
def test_processes_that_start_at_once_take_different_cores_and_a_later_one_what_is_free_again() -> None:
    with taking(1) as one, taking(1) as other:
        first, second = cores_of(one), cores_of(other)
        assert (len(first), len(second)) == (1, 1)
        assert first.isdisjoint(second)
        one.communicate()
        with taking(1) as third:
            assert cores_of(third).isdisjoint(second)
            third.communicate()
        other.communicate()


@needs_two
def test_who_wants_every_core_has_them_all() -> None:
    with taking(len(os.sched_getaffinity(0))) as process:
        assert cores_of(process) == os.sched_getaffinity(0)
        process.communicate()


def test_the_least_busy_cores_come_first_and_equal_ones_in_their_order() -> None:
    assert by_load({0: 0.97, 1: 0.52, 2: 0.01, 3: 0.04}) == [2, 3, 1, 0]
    assert by_load({3: 0.0, 1: 0.0, 2: 0.0}) == [1, 2, 3]
