"""How the ranks of one solve communicate. Every call is collective: all ranks make it, in the same order.

The reductions of Gloo and NCCL give every rank the same bits; Gloo's ring adds in an order that the number of ranks
alone decides, so a result on CPU does not depend on timing. A collective that some rank never joins ends after the
timeout of the group with RankLostError.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from instances.errors import InputError

Tensor = Any
T = TypeVar("T", bound=np.generic)
_PLACE = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
#: Gloo starts one messaging thread, two for collectives, and one more on the rank that hosts the store.
_GROUP_THREADS = 4
#: Seconds that a rank with a core of its own spins before it blocks.
_SPIN = 5e-3


class RankLostError(RuntimeError):
    """A collective failed: some rank has ended or did not come in time."""


class Communicator(Protocol):
    """The ranks that solve together, as one of them sees them."""

    rank: int
    """Of this process, from 0."""
    size: int
    """How many ranks there are."""
    neighbours: int
    """Ranks on this machine, this one included."""
    seconds: float
    """What the collectives of this rank have taken so far, waiting for others included."""

    def reduce(self, values: Tensor) -> None:
        """values <- its sum over the ranks, on its device and in its type."""

    def sum(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """Sum over the ranks; float64 or int64 on the host."""

    def max(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        """Largest over the ranks, entry by entry."""

    def gather(self, value: Any) -> list[Any]:
        """The values of all ranks, by rank; each is what JSON can say, and travels as such (tuples become lists)."""


class LocalCommunicator:
    """A process that works alone."""

    rank = 0
    size = 1
    neighbours = 1
    seconds = 0.0

    def reduce(self, values: Tensor) -> None:
        """The sum over one rank is what is there."""

    def sum(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        return values

    def max(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        return values

    def gather(self, value: Any) -> list[Any]:
        return [value]


LOCAL = LocalCommunicator()


class TorchCommunicator:
    """The ranks of torch.distributed's default group: Gloo for what lies on the host, NCCL for CUDA."""

    def __init__(self) -> None:
        import torch.distributed as dist

        self._dist = dist
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self.neighbours = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        self.seconds = 0.0
        self._spin_seconds = _SPIN if self.neighbours <= (os.cpu_count() or 1) else 0.0

    def reduce(self, values: Tensor) -> None:
        self._timed(lambda: self._dist.all_reduce(values, async_op=True), _device(values))

    def sum(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        return self._on_host(values, self._dist.ReduceOp.SUM)

    def max(self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        return self._on_host(values, self._dist.ReduceOp.MAX)

    def gather(self, value: Any) -> list[Any]:
        import torch

        own = np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)
        lengths = np.zeros(self.size, dtype=np.int64)
        lengths[self.rank] = own.size
        lengths = self.sum(lengths)
        padded = torch.from_numpy(np.resize(own, int(lengths.max())))
        gathered = [torch.empty_like(padded) for _ in range(self.size)]
        self._timed(lambda: self._dist.all_gather(gathered, padded, async_op=True), "cpu")
        return [
            json.loads(text.numpy().tobytes()[:length]) for text, length in zip(gathered, lengths.tolist(), strict=True)
        ]

    def _on_host(self, values: npt.NDArray[T], operation: Any) -> npt.NDArray[T]:
        import torch

        summed = torch.from_numpy(np.array(values))
        self._timed(lambda: self._dist.all_reduce(summed, op=operation, async_op=True), "cpu")
        return np.asarray(summed.numpy())

    def _timed(self, call: Callable[[], Any], device: str) -> None:
        """On CUDA the device is synchronised on both sides, so that queued work does not count as communication."""
        import torch

        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        try:
            work = call()
            if device == "cpu":
                _spin(work, self._spin_seconds)
            work.wait()
            if device == "cuda":
                torch.cuda.synchronize()
        except RuntimeError as error:
            words = " ".join(str(error).split())[:200]
            raise RankLostError(
                f"rank {self.rank}: another rank has ended or did not come in time ({words})"
            ) from error
        self.seconds += time.perf_counter() - start


def _spin(work: Any, seconds: float) -> None:
    """Spin briefly before blocking: a wake-up can take longer than the reduction."""
    end = time.perf_counter() + seconds
    while not work.is_completed() and time.perf_counter() < end:
        os.sched_yield()


def agree(group: Communicator, what: str, value: Any) -> None:
    """InputError where the ranks do not all have the same `value`."""
    values = group.gather(value)
    for rank, other in enumerate(values):
        if other != values[0]:
            raise InputError(f"{what} differs: rank 0 has {values[0]!r}, rank {rank} has {other!r}; start all alike")


def concatenated(group: Communicator, values: npt.NDArray[T]) -> npt.NDArray[T]:
    """values[n] of all ranks, rank after rank; float64 or int64 on the host, n may differ."""
    sizes = np.zeros(group.size, dtype=np.int64)
    sizes[group.rank] = values.size
    sizes = group.sum(sizes)
    first = int(sizes[: group.rank].sum())
    joint = np.zeros(int(sizes.sum()), dtype=values.dtype)
    joint[first : first + values.size] = values
    return group.sum(joint)


def launched() -> bool:
    """Whether torchrun (or another launcher that sets its variables) started this process."""
    return all(name in os.environ for name in _PLACE)


@contextmanager
def joined(device: str, timeout: float) -> Iterator[Communicator]:
    """The group that the launcher made, for as long as the block lasts; LOCAL where there was no launcher.

    Raises RankLostError where the others cannot be reached, MemoryError where the group's threads cannot be started.
    """
    if not launched():
        yield LOCAL
        return
    import torch
    import torch.distributed as dist

    _require_threads()
    backend = "gloo"
    if device == "cuda":
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % max(1, torch.cuda.device_count()))
    try:
        limit = timedelta(seconds=timeout)
        store, rank, size = next(dist.rendezvous("env://", timeout=limit))
        # torchrun keeps one store over its restarts: without a name of its own a rank would find the dead ones there
        attempt = dist.PrefixStore(f"attempt-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
        dist.init_process_group(backend, store=attempt, rank=rank, world_size=size, timeout=limit)
    except (RuntimeError, ValueError) as error:  # torch gives either, by what is wrong with the address
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        words = " ".join(str(error).split())[:200]
        raise RankLostError(f"rank {os.environ['RANK']} cannot join the others at {place}: {words}") from error
    try:
        yield TorchCommunicator()
    finally:
        dist.destroy_process_group()


def _require_threads() -> None:
    """Start as many threads as Gloo will, and end them.

    Where Gloo cannot start one of its own it aborts, or waits for ever for those that did start, as do the other ranks.
    """
    end = threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(_GROUP_THREADS)]
    try:
        for thread in threads:
            thread.start()
    except RuntimeError as error:
        reason = f"{error}: raise the limit of its memory (or of processes)"
        raise MemoryError(f"rank {os.environ['RANK']} cannot join the others: {reason}") from error
    finally:
        end.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def _device(tensor: Tensor) -> str:
    return str(tensor.device.type)
