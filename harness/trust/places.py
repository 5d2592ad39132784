"""Whether two sets of records were measured on machines whose times can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from instances import InputError

#: Facts that must be the same; None and an absent one are alike.
_SAME = ("cpu", "cores", "affinity", "cpu_quota", "gpu")
#: Memory may differ by this share: a kernel keeps a little more or less of it for itself.
_MEMORY = 0.05
#: Facts that are only told where they differ.
_TOLD = ("memory_bytes", "platform", "python", "governor", "turbo", "gpu_driver")
_PACKAGES = ("numpy", "numba", "torch", "scipy", "ortools", "highspy")

Rows = Sequence[Mapping[str, Any]]


def check_places(before: Rows, after: Rows) -> list[str]:
    """Lines about differences that matter little; InputError where the machines are not alike.

    Alike: CPU model, cores, affinity, CPU quota and GPU the same, memory within 5 %, the same operating system and
    machine type with the same major version, the same Python but for its patch level.
    """
    different = [f"{name} {_shown(before, name)} against {_shown(after, name)}" for name in _SAME
                 if _values(before, name) != _values(after, name)]  # fmt: skip
    if not _alike_in_memory(before, after):
        different.append(f"memory_bytes {_shown(before, 'memory_bytes')} against {_shown(after, 'memory_bytes')}")
    for name, essence in (("platform", _system), ("python", _minor)):
        one, other = ({essence(value) for value in _values(rows, name)} for rows in (before, after))
        if one != other:
            different.append(f"{name} {_shown(before, name)} against {_shown(after, name)}")
    if different:
        raise InputError(
            f"measured in different environments ({'; '.join(different)}): repeat one of them, or say --any-environment"
        )
    return [f"{name} differs: {_shown(before, name)} against {_shown(after, name)}" for name in _TOLD
            if _values(before, name) != _values(after, name)] + _packages(before, after)  # fmt: skip


def _packages(before: Rows, after: Rows) -> list[str]:
    lines = []
    for package in _PACKAGES:
        one = _versions(before, package)
        other = _versions(after, package)
        if one != other:
            lines.append(f"{package} differs: {' / '.join(one)} against {' / '.join(other)}")
    return lines


def _versions(rows: Rows, package: str) -> list[str]:
    known = [row["packages"] for row in rows if isinstance(row.get("packages"), dict)]
    return sorted({str(packages.get(package)) for packages in known})


def _values(rows: Rows, name: str) -> list[str]:
    return sorted({str(row.get(name)) for row in rows})


def _shown(rows: Rows, name: str) -> str:
    return " / ".join(_values(rows, name)) or "unknown"


def _alike_in_memory(before: Rows, after: Rows) -> bool:
    one, other = ([row.get("memory_bytes") for row in rows] for rows in (before, after))
    return all(any(_close(a, b) for b in other) for a in one) and all(any(_close(a, b) for a in one) for b in other)


def _close(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(abs(one - other) <= _MEMORY * max(one, other))


def _system(platform: str) -> str:
    """Of "Linux-6.18.44-name-x86_64-with-glibc2.36": "Linux 6 x86_64"."""
    version = re.match(r"([A-Za-z]+)-(\d+)", platform)
    machine = re.search(r"x86_64|amd64|AMD64|aarch64|arm64|ppc64le|riscv64", platform)
    if version is None:
        return platform
    return f"{version[1]} {version[2]} {machine[0] if machine else ''}"


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])
