"""The contract of the kernels, and their selection. A kernel knows cells and projections, no algorithm.

I sources, J destinations; cells as in layout.py. One pass over all cells evaluates, for given prices,

    q_e = c_e + a_e price_j,    p_i = Proj_{C_i}(centre_i - step q_i)

and accumulates in float64 what every algorithm on top needs. A solver that scales rows scales its prices: the
instance's own a is what a kernel sees. With centre 0 and step 1/gamma this is the ridge oracle of DuaLip (x(lambda)
of "DuaLip: a scalable dual decomposition solver", Basu et al. 2020); with the previous x as centre it is the primal
half of PDHG, and the combination below it the reflected Halpern step of Lu and Yang 2024 (r2HPDHG).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from instances import InputError, available_memory
from solvers.base import OptionError, Settings, Vector
from solvers.engine.layout import Layout
from solvers.engine.storage import RAM

Tensor = Any


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one pass accumulated, float64 tensors on the kernel's device.

    loads[J] = sum of a_e p_e by destination; values[J] = sum of c_e p_e by destination, None unless asked for.
    sums[4] = (sum_i min over C_i of q_i'x, ||p - centre||^2, ||p - anchor||^2, c'p), one tensor so that a host reads
    it with one synchronisation; without a centre the second is ||p||^2, without an anchor the third is 0.
    """

    loads: Tensor
    values: Tensor | None
    sums: Tensor


@dataclass(frozen=True, kw_only=True)
class Mix:
    """x <- projected * p + centre * x + anchor * anchor; with `settle` also anchor <- p (and x <- p by the weights)."""

    projected: float
    centre: float
    anchor: float
    settle: bool = False

    @property
    def keeps(self) -> bool:
        """Whether x becomes p."""
        return self.centre == self.anchor == 0


SETTLE = Mix(projected=1.0, centre=0.0, anchor=0.0, settle=True)


class Kernel(Protocol):
    """One implementation on one device; made for one layout. terms: no sum of a pass adds more numbers one after
    another.
    """

    name: str
    device: str
    destinations: int
    terms: int

    def zeros(self) -> Tensor:
        """A primal vector of zeros: values[cells]."""

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        """A primal vector from host numbers in cell order."""

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        """The host numbers of a primal vector, in cell order; a view where the device is the host."""

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        """p = Proj(-step q); nothing is stored. price float64[J] on the device, step > 0."""

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        """p = Proj(x - step q), then x and anchor are overwritten as `mix` says."""

    def judge(self, price: Tensor, x: Tensor) -> Pass:
        """The pass, with values, for p = x brought into C: clipped to >= 0, boxes clipped and simplices scaled.

        In float64 on the cells' own numbers, every q_e rounded down (reduced_below of polytopes/edges_jit.py).
        x stays as it is. values: without the edges that have a = 0. The second of the sums is sum |c_e p_e|, the third
        that of the edges with a = 0.
        """

    def answer(self, x: Tensor, factor: Tensor, dtype: str, room: Tensor) -> Vector:
        """x[E] on the host in the order of the instance: x brought into C, times factor float64[J] of its destination.

        room: a primal vector that the caller gives up, whose memory the answer may take; it is empty afterwards.
        """


def upload(array: npt.NDArray[np.float64], device: str) -> Tensor:
    """A float64 tensor on the device, its own memory."""
    import torch

    return torch.from_numpy(np.array(array, dtype=np.float64)).to(device)


def dot(one: Tensor, other: Tensor) -> Tensor:
    """one'other of two vectors[J]; torch's own would call BLAS, which wakes its threads and waits for them."""
    return (one * other).sum()


def share_within(b: Tensor, loads: Tensor) -> Tensor:
    """min(1, b_j / load_j) for each budget row; see certificate.factor_within."""
    return (b / loads).where(loads > b, 1.0)


def edge_room(room: Tensor, edges: int, dtype: str) -> Tensor:
    """A vector of `edges` numbers on the device of `room`, in its memory where they fit; `room` is empty afterwards."""
    import torch

    wanted = getattr(torch, dtype)
    if room.dtype == wanted and room.numel() >= edges:
        taken = room.detach()[:edges]
    else:
        taken = torch.empty(edges, dtype=wanted, device=room.device)
    room.set_()
    return taken


def _reference(layout: Layout, device: str, _threads: int) -> Kernel:
    from solvers.engine.reference import ReferenceKernel

    if layout.storage is not RAM:
        raise OptionError("kernel='reference' keeps its cells on the device: use memory='ram', or kernel='auto'")
    return ReferenceKernel(layout, device)


def _cpu(layout: Layout, device: str, threads: int) -> Kernel:
    from solvers.engine.cpu import CpuKernel

    if device != "cpu":
        raise OptionError(f"kernel='cpu' with device={device!r}: use device='cpu', or kernel='cuda' or 'reference'")
    return CpuKernel(layout, threads)


def _cuda(layout: Layout, device: str, _threads: int) -> Kernel:
    from solvers.engine.cuda import CudaKernel

    return CudaKernel(layout, device)


KERNELS: dict[str, Callable[[Layout, str, int], Kernel]] = {"reference": _reference, "cpu": _cpu, "cuda": _cuda}


def make_kernel(layout: Layout, settings: Settings, name: str = "auto") -> Kernel:
    """The kernel `name`, by default the one for the device of the settings."""
    device = usable_device(settings.device)
    chosen = device.partition(":")[0] if name == "auto" else name
    if chosen not in KERNELS:
        raise OptionError(f"kernel={name!r}: expected auto or one of {', '.join(KERNELS)}")
    return KERNELS[chosen](layout, device, settings.threads)


def usable_device(device: str) -> str:
    """`device`, when it is there."""
    if device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise OptionError(f"device={device!r}: PyTorch {torch.__version__} finds no CUDA device here, use 'cpu'")
        count = torch.cuda.device_count()
        if int(device.partition(":")[2] or 0) >= count:
            raise OptionError(f"device={device!r}: there are {count} CUDA devices, numbered from 0")
    return device


def check_memory(need: float, device: str, what: str, *, sharing: int = 1) -> None:
    """InputError when `need` bytes are not free on the device; asked before anything is allocated.

    sharing: ranks of this machine that divide the memory of the host.
    """
    free = free_bytes(device, sharing=sharing)
    if need > free:
        each = f" to each of {sharing} ranks" if sharing > 1 else ""
        raise InputError(
            f"{what} needs {need / 2**30:.2f} GiB on {device}, {free / 2**30:.2f} GiB are free{each}: "
            f"use a smaller instance, dtype float32 or another device"
        )


def free_bytes(device: str, *, sharing: int = 1) -> int:
    if usable_device(device).startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory(sharing)


def as_numpy(tensor: Tensor) -> npt.NDArray[np.float64]:
    """float64 on the host."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)
