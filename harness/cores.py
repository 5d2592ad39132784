"""Which cores a process with a given number of threads runs on: the least busy ones that no other of ours holds.

A core is held by a Unix socket with its number in its name (abstract: no file, unique on the machine for every user):
binding it fails where another process of ours has bound it, and the kernel releases it when the last holder ends.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from instances.cpus import usable_cpus

_STAT = Path("/proc/stat")
_WINDOW = 0.1  # seconds: ten ticks of most kernels
#: Columns of /proc/stat in which a core did nothing: idle, iowait.
_IDLE = (3, 4)
#: Open until this process and every process that it forks have ended.
_held: list[socket.socket] = []


def take_cores(threads: int) -> list[int]:
    """Restrict this process to `threads` cores of those it may use; the cores, [] where the system has no affinity.

    Cores that are equally busy are taken from the lowest on. Where too few are free, some are shared: the load that
    they bring is measured around every run (harness/disturbance.py).
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    usable = usable_cpus()
    if threads >= len(usable):
        return usable
    ordered = by_load(_busy(usable))
    cores = sorted(_claimed(ordered, threads))
    os.sched_setaffinity(0, cores)
    return cores


def by_load(busy: Mapping[int, float]) -> list[int]:
    """Cores from the least to the most busy, by tenths of their time."""
    return sorted(busy, key=lambda core: (round(busy[core], 1), core))


def _claimed(ordered: Sequence[int], threads: int) -> list[int]:
    """The first `threads` cores that no other process holds, now ours; filled up with others where they are too few."""
    mine: list[int] = []
    for core in ordered:
        if len(mine) < threads and _claim(core):
            mine.append(core)
    others = [core for core in ordered if core not in mine]
    return mine + others[: threads - len(mine)]


def _claim(core: int) -> bool:
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(f"\0dualbench-core-{core}")
    except OSError:
        holder.close()
        return False
    _held.append(holder)
    return True


def _busy(cores: Sequence[int]) -> dict[int, float]:
    """Share of the window in which each core worked; 0 where the system does not say."""
    first = _ticks()
    time.sleep(_WINDOW)
    last = _ticks()
    return {core: _share(first.get(core, []), last.get(core, [])) for core in cores}


def _share(first: Sequence[int], last: Sequence[int]) -> float:
    passed = [after - before for before, after in zip(first, last, strict=False)]
    idle = sum(passed[column] for column in _IDLE if column < len(passed))
    return 1 - idle / sum(passed) if sum(passed) > 0 else 0.0


def _ticks() -> dict[int, list[int]]:
    """Ticks by column of each core."""
    try:
        lines = [line.split() for line in _STAT.read_text().splitlines()]
        rows = [words for words in lines if words and words[0].startswith("cpu") and words[0] != "cpu"]
        return {int(words[0].removeprefix("cpu")): [int(word) for word in words[1:9]] for words in rows}
    except (OSError, ValueError):
        return {}
