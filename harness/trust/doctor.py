"""`dualbench doctor`: what this machine has, what it lacks, and how to get it.

Green: as it should be. Yellow: works, with the remedy that makes it better. Red: does not work.
"""

from __future__ import annotations

import enum
import os
import platform
import re
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from harness.cards import listing
from harness.environment import environment, governor, turbo
from harness.isolation.holder import try_servers
from harness.isolation.wire import ServerError
from instances.cpus import usable_threads
from solvers.engine.compile_cache import cache_folder

_LEAST_PYTHON = (3, 11)
#: Beside the packages in a checkout; an installed copy has none.
_CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"


class State(enum.StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was looked at."""

    topic: str
    """What."""

    state: State
    """How it is."""

    detail: str
    """What was found."""

    remedy: str = ""
    """What to do, for anything that is not green."""


def diagnose() -> Iterator[Line]:
    yield _python()
    yield from _packages()
    yield from _processor()
    yield from _memory()
    yield from _gpu()
    yield from _collectives()
    yield from _limits()
    yield from _processes()
    yield from _solvers()


def _green(topic: str, detail: str) -> Line:
    return Line(topic=topic, state=State.GREEN, detail=detail)


def _yellow(topic: str, detail: str, remedy: str) -> Line:
    return Line(topic=topic, state=State.YELLOW, detail=detail, remedy=remedy)


def _python() -> Line:
    version = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info >= _LEAST_PYTHON:
        return _green("Python", version)
    wanted = ".".join(map(str, _LEAST_PYTHON))
    return Line(topic="Python", state=State.RED, detail=version, remedy=f"install Python {wanted} or newer")


def _packages() -> Iterator[Line]:
    """What dualbench needs, and whether versions are those of constraints.txt."""
    needed = [need for need in metadata.requires("dualbench") or [] if "extra ==" not in need]
    missing = [name for name in map(_distribution, needed) if _version(name) is None]
    if missing:
        remedy = f"pip install {' '.join(missing)}"
        yield Line(topic="packages", state=State.RED, detail=f"missing: {', '.join(missing)}", remedy=remedy)

    if not _CONSTRAINTS.is_file():
        yield _yellow("versions", "no constraints.txt beside the packages", "run from a checkout to compare versions")
        return
    pinned = dict(line.split("==") for line in _CONSTRAINTS.read_text().splitlines() if "==" in line)
    other = [
        f"{name} {installed} (pinned {version.strip()})"
        for name, version in pinned.items()
        if (installed := _version(name)) is not None and installed.partition("+")[0] != version.strip()
    ]
    if other:
        remedy = "pip install --constraint constraints.txt --editable ."
        yield _yellow("versions", f"not those of constraints.txt: {', '.join(other)}", remedy)
    else:
        yield _green("versions", "as in constraints.txt")


def _processor() -> Iterator[Line]:
    facts = environment()
    cores = facts["threads"]
    usable = facts["affinity"]
    detail = f"{facts['cpu']}, {cores} threads, {usable} usable by this process"
    if usable < cores:
        yield _yellow("cores", detail, "widen the affinity (taskset, the container's cpuset) to use all of them")
    else:
        yield _green("cores", detail)

    yield _quota(facts["cpu_quota"])
    load = os.getloadavg()[0]
    if load > 0.3 * usable:
        yield _yellow("load", f"{load:.1f} runnable on average", "stop other work: it is part of every time measured")
    else:
        yield _green("load", f"{load:.1f} runnable on average")

    name = governor()
    rising = turbo()
    if name not in (None, "performance"):
        yield _yellow("governor", str(name), "sudo cpupower frequency-set --governor performance")
    else:
        yield _green("governor", name or "not shown by this machine")
    if rising:
        yield _yellow("turbo", "on: times vary with temperature", "switch it off for published times, or say it is on")
    else:
        yield _green("turbo", "off" if rising is False else "not shown by this machine")


def _quota(quota: float | None) -> Line:
    """A quota of a cgroup, which stops all threads alike once its share of a period is used up."""
    if quota is None:
        return _green("CPU quota", "none")
    detail = f"{quota:g} CPUs by a cgroup: threads default to {usable_threads()}, runs that it stops are marked"
    return _yellow("CPU quota", detail, "raise it for measurements: cpu.max, systemd's CPUQuota or docker's --cpus")


def _memory() -> Iterator[Line]:
    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    yield _green("memory", f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB available")
    if swap.used:
        used = f"{swap.used / 2**20:.0f} MiB in use"
        yield _yellow("swap", used, "free memory, then sudo swapoff -a: a run that swaps measures the disk")
    else:
        yield _green("swap", "none in use" if swap.total else "none")


def _gpu() -> Iterator[Line]:
    """GPU and driver as nvidia-smi shows them, CUDA as PyTorch was built for."""
    facts = environment()
    name = facts["gpu"]
    if name is None:
        yield _yellow("GPU", "none found by nvidia-smi", "the solvers that need CUDA are left out; the others run")
    else:
        yield _green("GPU", f"{name}, {facts['gpu_memory']}, driver {facts['gpu_driver']}")
    if _version("torch") is None:
        return
    import torch

    built_for = torch.version.cuda
    if name is not None and not torch.cuda.is_available():
        why = f"PyTorch {torch.__version__} does not see the GPU (built for CUDA {built_for})"
        yield Line(
            topic="CUDA", state=State.RED, detail=why, remedy="install the CUDA build of the same PyTorch version"
        )
    else:
        build = f"CUDA {built_for}" if built_for else "CPUs only"
        yield _green("CUDA", f"PyTorch {torch.__version__}, built for {build}")


def _collectives() -> Iterator[Line]:
    """The backends of torch.distributed: Gloo for several CPUs, NCCL for several GPUs."""
    if _version("torch") is None:
        return
    from torch import distributed

    has_distributed = distributed.is_available()
    if has_distributed and distributed.is_gloo_available():
        yield _green("Gloo", "available")
    else:
        remedy = "install a PyTorch with torch.distributed, for runs on several processes"
        yield _yellow("Gloo", "not in this PyTorch", remedy)
    if has_distributed and distributed.is_nccl_available():
        yield _green("NCCL", "available")
    else:
        yield _yellow("NCCL", "not in this PyTorch", "install its CUDA build, for runs on several GPUs")


def _limits() -> Iterator[Line]:
    """Whether a process may take all the memory; the limits of a case are set per process and watched."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    shown = ["unlimited" if value == resource.RLIM_INFINITY else f"{value / 2**30:.1f} GiB" for value in (soft, hard)]
    if soft != resource.RLIM_INFINITY:
        yield _yellow("rlimits", f"address space {shown[0]} (hard limit {shown[1]})", "ulimit -v unlimited")
    else:
        yield _green("rlimits", "address space unlimited")


def _processes() -> Iterator[Line]:
    """Whether cases can have processes of their own here, and where compiled loops are kept."""
    try:
        try_servers()
        yield _green("cases", "processes of their own start")
    except (ServerError, OSError) as error:
        remedy = "make $TMPDIR writable, and repair what the line names"
        yield Line(topic="cases", state=State.RED, detail=str(error), remedy=remedy)
    folder = cache_folder()
    if folder.name == "__pycache__":
        yield _green("compile cache", str(folder))
    else:
        yield _yellow("compile cache", f"{folder}: the package cannot be written", "compile once more for each user")


def _solvers() -> Iterator[Line]:
    known = listing()
    for card in known.cards.values():
        able = card.availability
        if able.ok:
            yield _green(card.id, able.version)
        else:
            yield _yellow(card.id, able.reason, able.remedy)
    for line in known.broken:
        yield _yellow("adapters", line, "repair or uninstall it")


def _distribution(requirement: str) -> str:
    return re.split(r"[\s;\[<>=!~(]", requirement, maxsplit=1)[0]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
