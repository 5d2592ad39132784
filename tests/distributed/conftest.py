"""Real ranks: started as torchrun starts them, on this machine, with Gloo."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psutil
import pytest

from harness.scaling.launch import Launched, launch
from tests.support.rank_cases import sharded_case

Start = Callable[..., Launched]
Killing = Callable[[int, Callable[[], bool]], AbstractContextManager[None]]


def _ranks() -> dict[int, psutil.Process]:
    """The ranks that run now, by number."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            if "harness.scaling.member" in process.cmdline():
                found[int(process.environ()["RANK"])] = process
        except (psutil.Error, KeyError):
            continue  # it is just starting or ending
    return found


@pytest.fixture
def start() -> Start:
    """Run a spec and a solver on so many ranks; other keywords are fields of the case or of its settings."""

    def start(spec: str, solver: str, ranks: int, *, max_restarts: int = 0, **chosen: Any) -> Launched:
        case = sharded_case(spec, solver, ranks, **chosen)
        return launch(case, max_restarts=max_restarts)

    return start


@contextmanager
def _killing(rank: int, when: Callable[[], bool]) -> Iterator[None]:
    """SIGKILL for `rank`, once, as soon as `when` says so."""
    over = threading.Event()

    def wait() -> None:
        while not over.is_set():
            ranks = _ranks()
            if rank in ranks and when():
                ranks[rank].kill()
                return
            time.sleep(0.02)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def killing() -> Killing:
    """A context in which a rank gets SIGKILL as soon as a condition holds."""
    return _killing


@pytest.fixture
def ranks_alive() -> Callable[[], dict[int, psutil.Process]]:
    return _ranks
