"""Vectors on the device of a kernel: float64 tensors of PyTorch, which is imported late."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solvers.engine.kernel import Tensor


def upload(array: npt.NDArray[np.float64] | Tensor, device: str) -> Tensor:
    """A float64 tensor on the device, its own memory."""
    import torch

    return torch.asarray(array, dtype=torch.float64, device=device, copy=True)


def as_numpy(tensor: Tensor) -> npt.NDArray[np.float64]:
    """float64 on the host."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)


def dot(one: Tensor, other: Tensor) -> Tensor:
    """one'other of two vectors[J]; torch's own would call BLAS, which wakes its threads and waits for them."""
    return (one * other).sum()


def factor_within(b: Tensor, loads: Tensor) -> Tensor:
    """min(1, b_j / load_j) for each budget row."""
    return (b / loads).where(loads > b, 1.0)


def reuse_buffer(buffer: Tensor, size: int, dtype: str) -> Tensor:
    """A vector of `size` numbers on the device of `buffer`, in its memory where they fit; `buffer` is empty then."""
    import torch

    wanted = getattr(torch, dtype)
    if buffer.dtype == wanted and buffer.numel() >= size:
        taken = buffer.detach()[:size]
    else:
        taken = torch.empty(size, dtype=wanted, device=buffer.device)
    buffer.set_()
    return taken
