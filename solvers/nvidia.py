"""Availability of the peers that run on NVIDIA GPUs only."""

from __future__ import annotations

import ctypes
from functools import cache

from solvers.base import Availability, installed


@cache
def cuda_devices() -> int:
    """CUDA devices that the driver of this machine shows; 0 without a driver. Neither torch nor CUDA is loaded."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def installed_with_cuda(package: str, *, remedy: str) -> Availability:
    """Available where the distribution is installed and there is a CUDA device."""
    if cuda_devices() == 0:
        return Availability(
            ok=False, reason="needs a CUDA device, there is none", remedy=f"on a machine with an NVIDIA GPU: {remedy}"
        )
    return installed(package, remedy=remedy)
