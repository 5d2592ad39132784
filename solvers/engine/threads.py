"""How many threads Numba and PyTorch take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from solvers.engine.forked import require_threads


@contextmanager
def cpu_threads(threads: int, *, tensors: bool = True) -> Iterator[None]:
    """Numba on `threads` threads, PyTorch too or on one; as before on leaving.

    With tensors=False PyTorch only handles vectors of J numbers, where extra threads cost more than they save. Raises
    ForkedError in a process that has lost its threads.
    """
    require_threads()
    import numba
    import torch

    before = numba.get_num_threads(), torch.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    torch.set_num_threads(threads if tensors else 1)
    try:
        yield
    finally:
        numba.set_num_threads(before[0])
        torch.set_num_threads(before[1])
