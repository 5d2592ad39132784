"""What else the machine did: measured around a run, told from what the solver itself did, marked past a threshold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from harness.disturbance import Reading, between, marks, read, too_short
from harness.summary import summary_table

BURN = "import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
#: A burner that is no descendant of the tests: its parent ends, and it writes who it is.
ORPHAN = "import os\nif os.fork(): os._exit(0)\nopen({notes!r}, 'w').write(str(os.getpid()))\n" + BURN
needs_linux = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")


@pytest.fixture
def core() -> Iterator[int]:
    """The one core that this process may use for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield min(before)
    os.sched_setaffinity(0, before)


def spin(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@needs_linux
def test_another_process_on_the_same_core_is_seen(core: int, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    subprocess.run([sys.executable, "-c", ORPHAN.format(notes=str(notes), core=core)], check=True)
    while not (notes.exists() and notes.read_text()):
        time.sleep(0.01)
    try:
        before = read()
        spin(0.6)
        found = between(before, read())
    finally:
        os.kill(int(notes.read_text()), signal.SIGKILL)
    assert found["cores"] == 1
    assert found["other_load"] is not None
    assert found["other_load"] > 0.2
    assert "other processes took" in marks(found)


@needs_linux
def test_what_a_solver_starts_itself_is_its_own(core: int) -> None:
    with subprocess.Popen([sys.executable, "-c", BURN.format(core=core)]) as child:
        while psutil.Process(child.pid).cpu_times().user == 0:
            time.sleep(0.01)
        before = read()
        time.sleep(0.6)
        live = read()
        child.kill()
        child.wait()
        ended = read()
    assert live.own - before.own > 0.05
    assert ended.own >= live.own - 0.05  # it is not lost when it ends


QUIET: dict[str, Any] = {"seconds": 10.0, "cores": 2, "other_load": 0.01, "steal": 0.0, "swapped": 0, "throttled": 0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"other_load": None, "steal": None, "swapped": None, "throttled": None}, ""),
        ({"other_load": 0.3}, "other processes took 30% of the cores"),
        ({"other_load": 0.3, "seconds": 0.02}, ""),  # a tick or two of the kernel
        ({"other_load": 0.2, "seconds": 0.1}, "other processes took 20% of the cores"),  # two cores: four ticks
        ({"steal": 0.05}, "the hypervisor took 5% of the cores"),
        ({"swapped": 5000}, "5000 pages were swapped"),
        ({"throttled": 2}, "heat or a CPU quota throttled the cores 2 times"),
        ({"clock": -3600.0}, "the clock was moved by -3600.0 s"),
        ({"clock": 0.004}, ""),
        ({"other_load": 0.5, "swapped": 300}, "other processes took 50% of the cores; 300 pages were swapped"),
    ],
)
def test_what_passes_its_threshold_is_named_with_its_size(change: dict[str, Any], words: str) -> None:
    assert marks(QUIET | {"clock": 0.0} | change) == words


#: Of each core: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice, in ticks of 1/100 s.
STAT = "cpu 9 9 9 9 9 9 9 9 9 9\ncpu{core} 100 20 30 4000 500 6 7 80 90 0\ncpu{other} 7000 0 0 0 0 0 0 7000 0 0\n"


@needs_linux
def test_what_the_kernel_counts_is_read_of_our_cores_only(
    core: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.disturbance._PROC", tmp_path)
    (tmp_path / "stat").write_text(STAT.format(core=core, other=core + 1))
    (tmp_path / "vmstat").write_text("nr_free_pages 5\npswpin 30\npswpout 4\n")
    found, tick = read(), 1 / os.sysconf("SC_CLK_TCK")
    assert found.busy == pytest.approx((100 + 20 + 30 + 6 + 7) * tick)
    assert found.steal == pytest.approx(80 * tick)
    assert found.swapped == 34


def test_shares_are_of_all_our_cores_and_without_our_own_work() -> None:
    first = Reading(
        monotonic=5.0, realtime=1e9, own=1.0, cores=2, busy=3.0, steal=0.5, swapped=7, throttled=None
    )  # fmt: skip
    last = Reading(
        monotonic=15.0, realtime=1e9 + 10, own=3.0, cores=2, busy=9.0, steal=1.5, swapped=9, throttled=4
    )  # fmt: skip
    found = between(first, last)
    assert found["other_load"] == pytest.approx((6 - 2) / 20)
    assert found["steal"] == pytest.approx(1 / 20)
    assert (found["swapped"], found["throttled"], found["clock"]) == (2, None, 0.0)


def test_a_clock_that_was_moved_is_seen() -> None:
    before, after = read(), read()
    moved = between(before, type(after)(**{**vars(after), "realtime": after.realtime + 60.0}))
    assert "the clock was moved by 60.0 s" in marks(moved)


def test_records_from_before_have_nothing_to_mark() -> None:
    assert marks({}) == ""


@pytest.mark.parametrize("disturbed", ["", "5000 pages were swapped"])
def test_a_disturbed_time_carries_a_mark_that_is_explained(disturbed: str) -> None:
    row = {
        "instance": "i", "edges": 5, "solver": "s", "status": "solved", "settings": {"tolerance": 0.01},
        "seconds": {"run": 1.25}, "certificate": {"certified_gap": 1e-3}, "disturbed": disturbed,
    }  # fmt: skip
    console = Console(file=StringIO(), width=160)
    console.print(summary_table([row]))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert ("1.25~ (1e-3)" in text) == bool(disturbed)
    assert ("--rerun-disturbed" in text) == bool(disturbed)


@pytest.mark.parametrize(("seconds", "cores", "short"), [(0.149, 2, True), (0.151, 2, False), (0.29, 1, True)])
def test_a_run_is_too_short_where_the_threshold_does_not_fill_three_ticks(
    seconds: float,
    cores: int,
    short: bool,
) -> None:
    found: dict[str, float | None] = {"seconds": seconds, "cores": cores, "other_load": 0.0}
    assert too_short(found) is short
    assert marks(found | {"other_load": 0.1001}) == ("" if short else "other processes took 10% of the cores")


def test_nothing_is_said_of_a_run_that_nobody_watched() -> None:
    assert not too_short({})
