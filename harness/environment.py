"""Where the numbers were measured: the facts that a reader needs to repeat them, collected once a run."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from harness.records import SCHEMA
from instances.cpus import affinity, cpu_quota

_PACKAGES = (
    "clarabel",
    "cuopt-cu12",
    "cupdlpx",
    "dualbench",
    "dualip",
    "duckdb",
    "highspy",
    "highspy-extras",
    "numba",
    "numpy",
    "ortools",
    "pandas",
    "pyarrow",
    "scipy",
    "scs",
    "torch",
    "triton",
)
_CPU = Path("/sys/devices/system/cpu")


def environment() -> dict[str, Any]:
    """A row of kind "environment"; `id` names its content."""
    facts = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": os.cpu_count(),
        "affinity": affinity(),
        "cpu_quota": cpu_quota(),
        "governor": governor(),
        "turbo": turbo(),
        "memory_bytes": psutil.virtual_memory().total,
        "swap_bytes": psutil.swap_memory().total,
        **_gpu(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        **_commit(),
    }
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    return {"schema": SCHEMA, "kind": "environment", "id": name, **facts}


def governor() -> str | None:
    """The frequency governor of the first CPU, None where the machine does not show one (virtual machines)."""
    return _text(_CPU / "cpu0/cpufreq/scaling_governor") or None


def turbo() -> bool | None:
    """Whether the clock may rise above its base frequency, None where the machine does not say."""
    for file, on in ((_CPU / "intel_pstate/no_turbo", "0"), (_CPU / "cpufreq/boost", "1")):
        if setting := _text(file):
            return setting == on
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpu() -> dict[str, Any]:
    """Name, memory and driver of the first GPU as nvidia-smi gives them; torch is not imported for it."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    line = _output(query).partition("\n")[0]
    if not line:
        return {"gpu": None}
    name, memory, driver = (part.strip() for part in line.split(","))
    return {"gpu": name, "gpu_memory": memory, "gpu_driver": driver}


def _commit() -> dict[str, Any]:
    """Commit of the source tree this package runs from; None where it is not a git checkout."""
    root = str(Path(__file__).resolve().parent.parent)
    commit = _output(["git", "-C", root, "rev-parse", "HEAD"])
    changed = _output(["git", "-C", root, "status", "--porcelain", "--untracked-files=no"])
    return {"commit": commit or None, "dirty": bool(changed) if commit else None}


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
