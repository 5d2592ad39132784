"""Which kernel works on which device."""

from __future__ import annotations

from collections.abc import Callable

from solvers.engine.cpu import CpuKernel
from solvers.engine.kernel import Kernel
from solvers.engine.layout import Layout
from solvers.engine.memory import usable_device
from solvers.engine.storage import RAM
from solvers.settings import OptionError, Settings


def make_kernel(layout: Layout, settings: Settings, name: str = "auto") -> Kernel:
    """The kernel `name`, by default the one for the device of the settings."""
    device = usable_device(settings.device)
    chosen = device.partition(":")[0] if name == "auto" else name
    if chosen not in KERNELS:
        raise OptionError(f"kernel={name!r}: expected auto or one of {', '.join(KERNELS)}")
    return KERNELS[chosen](layout, device, settings.threads)


def _reference(layout: Layout, device: str, _threads: int) -> Kernel:
    from solvers.engine.reference import ReferenceKernel

    if layout.storage is not RAM:
        raise OptionError("kernel='reference' keeps its cells on the device: use memory='ram', or kernel='auto'")
    return ReferenceKernel(layout, device)


def _cpu(layout: Layout, device: str, threads: int) -> Kernel:
    if device != "cpu":
        raise OptionError(f"kernel='cpu' with device={device!r}: use device='cpu', or kernel='cuda' or 'reference'")
    return CpuKernel(layout, threads)


def _cuda(layout: Layout, device: str, _threads: int) -> Kernel:
    from solvers.engine.cuda import CudaKernel

    return CudaKernel(layout, device)


KERNELS: dict[str, Callable[[Layout, str, int], Kernel]] = {"reference": _reference, "cpu": _cpu, "cuda": _cuda}
