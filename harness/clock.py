"""The one clock: monotonic wall time, with the device synchronised before every reading."""

from __future__ import annotations

import sys
import time


def now(device: str = "cpu") -> float:
    """Seconds on a monotonic clock, after all work queued on `device` has ended."""
    if device.startswith("cuda"):
        torch = sys.modules.get("torch")  # without torch nothing of ours has queued anything
        if torch is not None and torch.cuda.is_available():
            torch.cuda.synchronize()
    return time.perf_counter()


class Stopwatch:
    """Seconds since it was made or last read."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._start = now(device)

    def lap(self) -> float:
        end = now(self._device)
        seconds = end - self._start
        self._start = end
        return seconds
