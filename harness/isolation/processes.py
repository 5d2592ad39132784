"""The processes of a case: who they are, what memory they hold, and how they are ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = 1 / os.sysconf("SC_CLK_TCK")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, a daemon too (Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the process that forked this one ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def protect_memory() -> None:
    """Keep other processes of this user, its children too, from reading or writing the memory of this one (Linux).

    Not those of root, and not their signals.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def open_memory() -> None:
    """Undo `protect_memory` in a child, which inherits it: its own files in /proc would not be its own."""
    _prctl(_PR_SET_DUMPABLE, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def first_for_the_oom_killer() -> None:
    """Where the machine runs out of memory the kernel takes this process, not the harness."""
    with contextlib.suppress(OSError):
        (_PROC / "self" / "oom_score_adj").write_text("1000")


def descendants(pid: int) -> list[int]:
    """Ids of all processes below `pid`; empty where it has ended."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each process and to the group that it leads."""
    for pid in pids:
        for send in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(pid, number)


def end_children(gentle: float) -> None:
    """End and reap every descendant of this process: SIGTERM, and SIGKILL to what is left after `gentle` seconds."""
    began = time.monotonic()
    number = signal.SIGTERM
    while not _reaped():
        signal_all(descendants(os.getpid()), number)
        time.sleep(0.005)
        if time.monotonic() - began > gentle:
            number = signal.SIGKILL


def _reaped() -> bool:
    """Whether this process has no child left; those that ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def resident(pids: Iterable[int]) -> int:
    """Bytes of memory that the processes hold; a page that several share counts for each."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    return total


def proportional(pids: Iterable[int]) -> int:
    """Bytes of memory that the processes hold, a shared page divided among those that share it; slower."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def is_stopped(pid: int) -> bool:
    """Whether a process is gone, or stands still until a signal lets it go on."""
    try:
        return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return True


def cpu_seconds(server: int, pids: Iterable[int]) -> float:
    """CPU seconds that `pids` and their ended children have used, and those that ended as children of `server`.

    Only differences mean something: what `server` reaped before is part of it.
    """
    total = _times(server, own=False)
    for pid in pids:
        total += _times(pid, own=True)
    return total


def _times(pid: int, *, own: bool) -> float:
    """CPU seconds of the ended children of a process, and its own."""
    try:
        words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        user, system, of_user, of_system = (int(word) * _TICK for word in words[11:15])
    except (OSError, ValueError):
        try:
            user, system, of_user, of_system = psutil.Process(pid).cpu_times()[:4]
        except psutil.Error:
            return 0.0
    return of_user + of_system + (user + system if own else 0.0)


def memory_left() -> int:
    """Bytes of memory and swap that this machine still has."""
    try:
        lines = dict(line.split(":") for line in (_PROC / "meminfo").read_text().splitlines())
        return 1024 * sum(int(lines[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
    except (OSError, KeyError):
        return int(psutil.virtual_memory().available)


def kernel_kills() -> int:
    """How many processes the kernel has killed for lack of memory since it started; 0 where it does not say."""
    with contextlib.suppress(OSError):
        for line in (_PROC / "vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
