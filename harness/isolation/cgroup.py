"""A limit by the kernel: a cgroup v2 for the processes of one case, where this process may make one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from harness.isolation.processes import descendants

_OWN = Path("/proc/self/cgroup")
_MOUNTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
_LEAF = "dualbench-harness"


def own_group() -> Path | None:
    """The folder of this process in cgroup v2, None where that is not mounted or does not limit memory."""
    mount = next((mount for mount in _MOUNTS if "memory" in _words(mount / "cgroup.controllers")), None)
    if mount is None or not _OWN.exists():
        return None
    lines = [line for line in _OWN.read_text().splitlines() if line.startswith("0::")]
    return mount / lines[0].removeprefix("0::").lstrip("/") if lines else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def memory_group(limit: int) -> Path | None:
    """A group whose processes together get `limit` bytes and no swap; None where the system does not allow it."""
    return make("memory", {"memory.max": str(limit), "memory.swap.max": "0"})


def make(controller: str, settings: Mapping[str, str]) -> Path | None:
    """A new group below our own with `controller` and `settings` (file: content); None where any of it is refused."""
    parent = own_group()
    if parent is None:
        return None
    parent = parent.parent if parent.name == _LEAF else parent
    group = parent / f"dualbench-case-{os.getpid()}"
    try:
        if controller not in _words(parent / "cgroup.subtree_control"):
            _move_to_leaf(parent)
            (parent / "cgroup.subtree_control").write_text(f"+{controller}")
        group.mkdir(exist_ok=True)
        for name, content in settings.items():
            (group / name).write_text(content)
    except OSError:
        remove(group)
        return None
    return group


def _move_to_leaf(parent: Path) -> None:
    """A group that hands controllers on may hold no process itself: ours go below, if there are only ours."""
    found = {int(pid) for pid in _words(parent / "cgroup.procs")}
    if not found <= {os.getpid(), *descendants(os.getpid())}:
        return
    leaf = parent / _LEAF
    leaf.mkdir(exist_ok=True)
    for pid in found:
        (leaf / "cgroup.procs").write_text(str(pid))


def enter(group: Path) -> None:
    """Move this process into `group`; what it starts stays there."""
    with contextlib.suppress(OSError):
        (group / "cgroup.procs").write_text(str(os.getpid()))


def kills(group: Path) -> int:
    """How many processes of `group` the kernel has killed for its limit."""
    with contextlib.suppress(OSError):
        counts = dict(line.split() for line in (group / "memory.events").read_text().splitlines())
        return int(counts.get("oom_kill", 0))
    return 0


def remove(group: Path | None) -> None:
    """Remove an empty group; None is none."""
    if group is not None:
        with contextlib.suppress(OSError):
            group.rmdir()
