"""How many CPUs this process may use: those of its affinity, and what quotas of its cgroups (v1 or v2) leave of them.

A quota holds for a group and all below it, so that of every group from our own up to the mount counts. `root` is where
the file system begins: a test gives a tree of its own.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_ROOT = Path("/")


def usable_threads(root: Path = _ROOT) -> int:
    """min(CPUs of the affinity, quota rounded up): the default wherever a number of threads is asked for."""
    quota = cpu_quota(root)
    return affinity() if quota is None else max(1, min(affinity(), math.ceil(quota)))


def affinity() -> int:
    """The CPUs on which this process may be scheduled."""
    return len(usable_cpus())


def usable_cpus() -> list[int]:
    """Their numbers, in order; all of the machine where the system has no affinity."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cpu_quota(root: Path = _ROOT) -> float | None:
    """CPUs, such as 0.5, that the tightest quota grants; None where there is none."""
    quotas = [quota for group in _groups(root) if (quota := _quota(group)) is not None]
    return min(quotas, default=None)


def times_throttled(root: Path = _ROOT) -> int | None:
    """Periods in which a quota stopped this process's groups, since they were made; None where nobody counts."""
    counts = [_count(group / "cpu.stat") for group in _groups(root) if _quota(group) is not None]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _groups(root: Path) -> Iterator[Path]:
    """Our own group of each hierarchy that can hold a quota, and those above it up to the mount."""
    paths = _own_paths(root)
    for controllers, mounted, mount in _mounts(root):
        path = next((paths[name] for name in controllers if name in paths), None)
        if path is None:
            continue
        # Of a mount that begins below the root of the hierarchy, as containers have it, only what lies under it shows.
        inside = path.removeprefix(mounted.rstrip("/")) if f"{path}/".startswith(f"{mounted.rstrip('/')}/") else ""
        parts = [part for part in inside.split("/") if part not in ("", "..")]
        for length in range(len(parts), -1, -1):
            yield mount.joinpath(*parts[:length])


def _own_paths(root: Path) -> Mapping[str, str]:
    """Path of our group by controller; that of v2, which has no names there, is under ""."""
    lines = [line.split(":", 2) for line in _lines(root / "proc/self/cgroup")]
    return {name: words[2] for words in lines if len(words) == 3 for name in words[1].split(",")}


def _mounts(root: Path) -> Iterator[tuple[tuple[str, ...], str, Path]]:
    """(controllers, group that is mounted, folder) of each mount that can hold a quota; see proc_pid_mountinfo(5)."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        where, what = before.split(), after.split()
        if len(where) < 5 or len(what) < 3 or what[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = ("",) if what[0] == "cgroup2" else tuple({"cpu"} & set(what[2].split(",")))
        yield controllers, _unescaped(where[3]), root / _unescaped(where[4]).lstrip("/")


def _quota(group: Path) -> float | None:
    """CPUs that this one group is granted."""
    words = [*_words(group / "cpu.max"), *_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us")]
    try:
        quota, period = (float(word) for word in words)
    except ValueError:  # the word "max", or no such files
        return None
    return quota / period if quota > 0 and period > 0 else None


def _count(file: Path) -> int | None:
    try:
        return int(dict(line.split() for line in _lines(file))["nr_throttled"])
    except (KeyError, ValueError):
        return None


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _unescaped(path: str) -> str:
    r"""Blanks and backslashes stand as \040 and \134 in mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)
