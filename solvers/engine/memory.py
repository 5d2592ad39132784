"""Whether a device is there, and whether its memory is free."""

from __future__ import annotations

from instances import InputError, available_memory
from solvers.settings import OptionError


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
        per_rank = f" to each of {sharing} ranks" if sharing > 1 else ""
        raise InputError(
            f"{what} needs {need / 2**30:.2f} GiB on {device}, {free / 2**30:.2f} GiB are free{per_rank}: "
            f"use a smaller instance, dtype float32 or another device"
        )


def free_bytes(device: str, *, sharing: int = 1) -> int:
    if usable_device(device).startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory(sharing)
