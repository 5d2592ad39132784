"""What a solver must leave as it found it: the state that is shared by everything in a process."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """`kept` can be put back, `counted` cannot: it is compared only."""

    kept: dict[str, Any]
    counted: dict[str, Any]

    @classmethod
    def now(cls) -> ProcessState:
        return cls(
            kept={name: read() for name, (read, _) in _kept().items()},
            counted={
                "Python threads": sorted(thread.name for thread in threading.enumerate()),
                "child processes": sorted(child.pid for child in psutil.Process().children(recursive=True)),
            },
        )

    def restore(self) -> None:
        writers = _kept()
        for name, value in self.kept.items():
            writers[name][1](value)

    def differences(self, other: ProcessState) -> list[str]:
        """One line for each thing in which `other` differs; torch may have been imported in between."""
        pairs = [(name, self.kept[name], other.kept[name]) for name in self.kept if name in other.kept]
        pairs += [(name, value, other.counted[name]) for name, value in self.counted.items()]
        return [_difference(name, before, after) for name, before, after in pairs if not _same(before, after)]


def native_footprint() -> tuple[int, int]:
    """Native threads and open files of this process; native pools live on after a first run, but must not grow."""
    process = psutil.Process()
    return process.num_threads(), process.num_fds() if hasattr(process, "num_fds") else 0


def _kept() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """How to read and to put back each piece; torch's only where it is loaded."""
    table: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
        "environment variables": (lambda: dict(os.environ), _write_environment),
        "working directory": (os.getcwd, os.chdir),
        "numpy.random": (lambda: np.random.get_state(legacy=True), np.random.set_state),  # noqa: NPY002 - the global one is meant
        "random": (random.getstate, random.setstate),
        "numpy error handling": (np.geterr, lambda value: np.seterr(**value)),
        "warnings filters": (lambda: list(warnings.filters), _write_filters),
        "signal handlers": (lambda: [signal.getsignal(number) for number in _SIGNALS], _write_signals),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        table |= {
            "torch default dtype": (torch.get_default_dtype, torch.set_default_dtype),
            "torch threads": (torch.get_num_threads, torch.set_num_threads),
            "torch gradient mode": (torch.is_grad_enabled, torch.set_grad_enabled),
            "torch.random": (torch.get_rng_state, torch.set_rng_state),
        }
    return table


def _write_environment(value: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(value)


def _write_filters(value: list[Any]) -> None:
    warnings.resetwarnings()
    warnings.filters[:] = value  # type: ignore[index]  # a list at run time


def _write_signals(value: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, value, strict=True):
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, handler)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if hasattr(one, "shape"):
        return bool((one == other).all())
    return bool(one == other)


def _difference(name: str, before: Any, after: Any) -> str:
    if isinstance(before, dict):
        changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
        return f"{name}: {', '.join(changed)}"
    short = f"{before!r} -> {after!r}"
    return f"{name}: {short}" if len(short) < 120 else f"{name} changed"
