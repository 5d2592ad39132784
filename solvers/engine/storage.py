"""Where the large arrays of a solve lie: in the memory of the process, or in files on the disk.

The option `memory` of a solver chooses: "ram" for the memory of the device, "host" for that of the host, from which a
CUDA device streams, "disk" for files, from which the CPU streams, "auto" for the first of them that is large enough.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import InputError
from instances.mapped import unnamed_file
from solvers.settings import OptionError

_CHOICES = ("auto", "ram", "host", "disk")
#: Cells that are copied to a device at once; two such blocks lie there.
BLOCK_CELLS = 1 << 26
Array = npt.NDArray[Any]


class Storage:
    """The memory of the process."""

    on_disk = False

    def empty(self, size: int, dtype: Any) -> Array:
        return np.empty(size, dtype)

    def zeros(self, size: int, dtype: Any) -> Array:
        return np.zeros(size, dtype)

    def original(self, array: Array) -> Array:
        """`array` as it was made here: PyTorch hands out views that do not know which file they lie in."""
        return array


class DiskStorage(Storage):
    """Files without a name in `folder`, mapped into memory and shared; each goes with its array.

    instances.mapped releases their pages; `read` and `write` copy a part without mapping any.
    """

    on_disk = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[int, tuple[weakref.ref[Array], int]] = {}

    def empty(self, size: int, dtype: Any) -> Array:
        return self.zeros(size, dtype)

    def zeros(self, size: int, dtype: Any) -> Array:
        """Raises InputError where the disk is full: all blocks are allocated at once."""
        nbytes = size * np.dtype(dtype).itemsize
        if nbytes == 0:
            return np.zeros(size, dtype)
        with unnamed_file(nbytes, self._folder, "work space") as file:
            array = np.memmap(file, dtype=dtype, mode="r+", shape=(size,)).view(np.ndarray)
            self._taken[_address(array)] = weakref.ref(array), os.dup(file.fileno())
        weakref.finalize(array, self._release, _address(array))
        return array

    def original(self, array: Array) -> Array:
        taken = self._taken.get(_address(array))
        made = None if taken is None else taken[0]()
        return array if made is None else made

    def read(self, array: Array, first: int, into: Array) -> None:
        """into[n] = array[first : first + n]."""
        data = into.data.cast("B")
        at = first * array.itemsize
        file = self._taken[_address(array)][1]
        while data:
            done = os.preadv(file, [data], at)
            if not done:
                raise OSError("work space on the disk ended early")
            data = data[done:]
            at += done

    def write(self, array: Array, first: int, values: Array) -> None:
        """array[first : first + n] = values[n]."""
        data = values.data.cast("B")
        at = first * array.itemsize
        file = self._taken[_address(array)][1]
        while data:
            done = os.pwritev(file, [data], at)
            data = data[done:]
            at += done

    def _release(self, address: int) -> None:
        os.close(self._taken.pop(address)[1])


class HostStorage(Storage):
    """Memory of the host that a device streams from, `cells` at a time; pinned, so that copies run beside passes."""

    def __init__(self, *, pinned: bool, cells: int = BLOCK_CELLS) -> None:
        self._pinned = pinned
        self.cells = cells

    def empty(self, size: int, dtype: Any) -> Array:
        return self.zeros(size, dtype)

    def zeros(self, size: int, dtype: Any) -> Array:
        """Raises InputError where so much memory cannot be pinned. PyTorch's own pinned memory comes in powers of 2."""
        array = np.zeros(size, dtype)
        if self._pinned and array.nbytes:
            import torch

            runtime: Any = torch.cuda.cudart()
            if int(runtime.cudaHostRegister(_address(array), array.nbytes, 0)):
                raise InputError(
                    f"{array.nbytes / 2**30:.3g} GiB of the host's memory cannot be pinned: use more ranks"
                )
            weakref.finalize(array, runtime.cudaHostUnregister, _address(array))
        return array


RAM = Storage()


def check_memory_option(memory: str) -> None:
    if memory not in _CHOICES:
        raise OptionError(f"memory={memory!r}: expected {', '.join(_CHOICES[:-1])} or {_CHOICES[-1]}")


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
