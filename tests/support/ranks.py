"""Ranks as threads of this process: what each sees of the others, without processes that import for seconds."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from solvers.engine.collectives import LocalCommunicator

T = TypeVar("T")
#: Seconds that a rank waits for the others, which may compile: one that has failed ends the wait itself.
_PATIENCE = 600.0


class ThreadCommunicator(LocalCommunicator):
    """One rank. The ranks compute in turn: the state of a process, such as its threads, is that of one at a time."""

    def __init__(self, rank: int, barrier: threading.Barrier, turn: threading.Lock, board: list[Any]) -> None:
        self.rank = rank
        self.size = barrier.parties
        self._barrier = barrier
        self._turn = turn
        self._board = board

    def gather(self, value: Any) -> list[Any]:
        self._board[self.rank] = copy.deepcopy(value)
        self._turn.release()
        try:
            self._barrier.wait(_PATIENCE)
            found = list(self._board)
            self._barrier.wait(_PATIENCE)
        finally:
            self._turn.acquire()
        return found

    def sum(self, values: Any) -> Any:
        return sum(self.gather(values))

    def max(self, values: Any) -> Any:
        return np.maximum.reduce(self.gather(values))

    def reduce(self, values: Any) -> None:
        values.copy_(sum(self.gather(values)))


def on_ranks(size: int, work: Callable[[ThreadCommunicator], T]) -> list[T]:
    """What `work` returns on each rank; an error of one ends all."""
    barrier, turn, board = threading.Barrier(size), threading.Lock(), [None] * size

    def worked(rank: int) -> T:
        with turn:
            try:
                return work(ThreadCommunicator(rank, barrier, turn, board))
            except Exception:
                barrier.abort()
                raise

    with ThreadPoolExecutor(size) as pool:
        ranks = [pool.submit(worked, rank) for rank in range(size)]
    errors = [error for rank in ranks if (error := rank.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
        raise error  # the first that is no consequence of another
    return [rank.result() for rank in ranks]
