"""Ends the ranks when all of them are stopped by signals, so that none notices that the others do not answer."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_INTERVAL = 0.5  # seconds between two checks


class Standstill:
    """reason: one line, where the ranks were ended for it; "" otherwise."""

    def __init__(self) -> None:
        self.reason = ""


@contextmanager
def ended_at_standstill(seconds: float) -> Iterator[Standstill]:
    """Inside the block, kill the ranks below this process once all have been stopped by a signal for `seconds`."""
    standstill = Standstill()
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(standstill, seconds, over), daemon=True)
    watcher.start()
    try:
        yield standstill
    finally:
        over.set()
        watcher.join()


def _watch(standstill: Standstill, seconds: float, over: threading.Event) -> None:
    stopped_since: float | None = None
    while not over.wait(_INTERVAL):
        ranks = _ranks()
        if not ranks or not all(map(_is_stopped, ranks)):
            stopped_since = None
            continue
        stopped_since = stopped_since or time.monotonic()
        if time.monotonic() - stopped_since >= seconds:
            standstill.reason = f"all {len(ranks)} ranks were stopped by a signal for {seconds:g} s, and were ended"
            for rank in ranks:
                with contextlib.suppress(psutil.Error):
                    rank.kill()


def _ranks() -> list[psutil.Process]:
    """The ranks that live; torchrun starts them as children of this process."""
    ranks = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "harness.scaling.member" in child.cmdline():
                ranks.append(child)
    return ranks


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
