"""What else the machine did while a solver ran, from counters read before and after, outside the clock.

Load of other processes and steal time are shares of the cores that this process may use, so they do not depend on the
size of the machine. Where the system does not show a figure it is None.
"""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from instances.cpus import times_throttled, usable_cpus

_PROC = Path("/proc")
_CPU = Path("/sys/devices/system/cpu")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
#: Columns of /proc/stat that are work: user, nice, system, irq, softirq. The time of guests is part of user.
_WORK = (0, 1, 2, 5, 6)
#: The column of the time that the hypervisor took.
_STEAL = 7
#: Thresholds; METHOD.md says how they were chosen. Shares of the cores:
OTHER_LOAD = 0.10
STEAL = 0.02
#: Ticks of the kernel below which a share is only quantisation.
TICKS = 3
#: 1 MiB.
SWAPPED_PAGES = 256
#: Seconds, and share of the run, by which the calendar clock may move against the monotonic one.
CLOCK_SECONDS = 0.1
CLOCK_SHARE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Counters at one moment; None where the system does not show one."""

    monotonic: float
    realtime: float

    own: float
    """CPU seconds of this process and of all below it."""

    cores: int
    """How many cores this process may use."""

    busy: float | None
    """Seconds in which those cores worked."""

    steal: float | None
    """Seconds that the hypervisor took from them."""

    swapped: int | None
    """Pages of the machine, in and out."""

    throttled: int | None
    """Times that heat or a quota slowed the cores down."""


def read() -> Reading:
    cores = usable_cpus()
    busy, steal = _core_seconds(cores)
    return Reading(
        monotonic=time.monotonic(),
        realtime=time.time(),
        own=_own_seconds(),
        cores=len(cores),
        busy=busy,
        steal=steal,
        swapped=_swapped_pages(),
        throttled=_throttled(cores),
    )


def between(first: Reading, last: Reading) -> dict[str, float | None]:
    """other_load, steal: shares of our cores; swapped: pages of the machine; throttled: events; clock: seconds by which
    the calendar clock moved against the monotonic one; seconds, cores: what the shares are of.
    """
    seconds = last.monotonic - first.monotonic
    whole = max(seconds, 1e-9) * first.cores

    busy = _change(first.busy, last.busy)
    steal = _change(first.steal, last.steal)
    other = None if busy is None else max(0.0, busy - (last.own - first.own)) / whole
    return {
        "seconds": seconds,
        "cores": first.cores,
        "other_load": other,
        "steal": None if steal is None else steal / whole,
        "swapped": _change(first.swapped, last.swapped),
        "throttled": _change(first.throttled, last.throttled),
        "clock": (last.realtime - first.realtime) - seconds,
    }


def marks(measured: Mapping[str, float | None]) -> str:
    """The figures that pass their thresholds, in words; "" where none does. Shares below three ticks are ignored."""
    seconds = measured.get("seconds") or 0.0
    cores = measured.get("cores") or 1
    least = TICKS * _TICK / max(seconds, 1e-9)

    passed = []
    for name, threshold, words in (("other_load", OTHER_LOAD, "other processes"), ("steal", STEAL, "the hypervisor")):
        share = measured.get(name) or 0.0
        if share > threshold and share * cores > least:
            passed.append(f"{words} took {share:.0%} of the cores")

    if (measured.get("swapped") or 0) >= SWAPPED_PAGES:
        passed.append(f"{measured['swapped']:.0f} pages were swapped")
    if measured.get("throttled"):
        passed.append(f"heat or a CPU quota throttled the cores {measured['throttled']:.0f} times")
    if abs(measured.get("clock") or 0.0) > CLOCK_SECONDS + CLOCK_SHARE * seconds:
        passed.append(f"the clock was moved by {measured['clock']:.1f} s")
    return "; ".join(passed)


def too_short(measured: Mapping[str, float | None]) -> bool:
    """Whether the run was too short for the counters: a load of a tenth of the cores is less than three ticks."""
    seconds = measured.get("seconds")
    cores = measured.get("cores")
    return seconds is not None and cores is not None and OTHER_LOAD * cores * seconds < TICKS * _TICK


def _change(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else last - first


def _core_seconds(cores: list[int]) -> tuple[float | None, float | None]:
    """Seconds of work and of steal that `cores` have counted."""
    wanted = {f"cpu{core}" for core in cores}
    try:
        lines = [line.split() for line in (_PROC / "stat").read_text().splitlines() if line.startswith("cpu")]
        rows = [[int(word) for word in words[1:]] for words in lines if words[0] in wanted]
        work = sum(row[column] for row in rows for column in _WORK)
        return work * _TICK, sum(row[_STEAL] for row in rows) * _TICK
    except (OSError, ValueError, IndexError):
        return None, None


def _own_seconds() -> float:
    """CPU seconds of this process, of its children that ended, and of its descendants that live."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = time.process_time() + ended.ru_utime + ended.ru_stime
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            used = child.cpu_times()
            total += used.user + used.system
    return total


def _swapped_pages() -> int | None:
    """Pages that the machine has swapped in and out."""
    try:
        counts = dict(line.split() for line in (_PROC / "vmstat").read_text().splitlines())
        return int(counts["pswpin"]) + int(counts["pswpout"])
    except (OSError, KeyError, ValueError):
        return None


def _throttled(cores: list[int]) -> int | None:
    """Times that heat slowed a core down, and that a CPU quota of our cgroups stopped us."""
    counts = []
    for core in cores:
        for name in ("core_throttle_count", "package_throttle_count"):
            with contextlib.suppress(OSError, ValueError):
                counts.append(int((_CPU / f"cpu{core}" / "thermal_throttle" / name).read_text()))
    stopped = times_throttled()
    if stopped is not None:
        counts.append(stopped)
    return sum(counts) if counts else None
