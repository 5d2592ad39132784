"""Arrays in memory-mapped files: where the files go, reading ahead, and releasing pages.

Pages of a shared mapping can be released at any time: dirty ones are written back, and the next access faults them in
again. These calls change resident memory, never values. Arrays that are no shared mapping are left as they are.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InputError

Array = npt.NDArray[Any]
#: Linux reads at most about this much ahead per call of madvise.
_AHEAD_BYTES = 1 << 20
#: A fault maps the neighbouring pages too, up to a huge page, even those that another thread has just released: a
#: release covers whole huge pages.
_HUGE_PAGE = 1 << 21


def default_cache() -> Path:
    """$DUALBENCH_CACHE, or ~/.cache/dualbench: the folder of stored instances and of work space on disk.

    A user without a home gets a folder in the system's temporary one.
    """
    chosen = os.environ.get("DUALBENCH_CACHE")
    if chosen:
        return Path(chosen)
    try:
        return Path.home() / ".cache" / "dualbench"
    except RuntimeError:  # neither HOME nor an entry in the list of users
        return Path(tempfile.gettempdir()) / f"dualbench-cache-{os.getuid()}"


def free_disk(folder: Path) -> int:
    """Bytes that this user can still write where `folder` is or would be made."""
    place = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    stat = os.statvfs(place)
    return stat.f_bavail * stat.f_frsize


def require_disk(need: float, folder: Path, what: str) -> None:
    """InputError where the disk of `folder` has no room for `need` bytes."""
    free = free_disk(folder)
    if need > free:
        raise InputError(
            f"{what} needs {need / 2**30:.3g} GiB of disk in {folder}, {free / 2**30:.3g} GiB are free: "
            f"set DUALBENCH_CACHE to a folder on a larger disk"
        )


@contextlib.contextmanager
def unnamed_file(nbytes: int, folder: Path, what: str) -> Iterator[Any]:
    """An open file of `nbytes` zeros in `folder`, allocated at once; without a name, it is removed after its last user.

    Raises InputError that names `what` where the disk is full.
    """
    require_disk(nbytes, folder, what)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            _allocate(file.fileno(), nbytes)
        except OSError as error:
            raise InputError(f"{what} of {nbytes / 2**30:.3g} GiB in {folder}: {error}") from error
        yield file


def unnamed_array(size: int, dtype: Any, folder: Path, what: str) -> Array:
    """zeros[size] in such a file, which is removed with the array."""
    nbytes = size * np.dtype(dtype).itemsize
    if nbytes == 0:
        return np.zeros(size, dtype)
    with unnamed_file(nbytes, folder, what) as file:
        return np.memmap(file, dtype=dtype, mode="r+", shape=(size,)).view(np.ndarray)


def _allocate(descriptor: int, nbytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, nbytes)
    else:
        os.truncate(descriptor, nbytes)


def release_pages(array: Array, first: int = 0, last: int | None = None) -> None:
    """Drop the resident pages of array[first:last]; the next access reads them from the file."""
    span = _span(array, first, last)
    if span is not None:
        mapping, start, end = span
        start, end = start - start % _HUGE_PAGE, min(end + -end % _HUGE_PAGE, len(mapping))
        _advise(mapping, mmap.MADV_DONTNEED, start, end - start)


def read_ahead(array: Array, first: int = 0, last: int | None = None) -> None:
    """Start reading array[first:last] into the page cache, without waiting; no memory of this process is used."""
    span = _span(array, first, last)
    if span is not None:
        mapping, start, end = span
        for at in range(start, end, _AHEAD_BYTES):
            _advise(mapping, mmap.MADV_WILLNEED, at, min(_AHEAD_BYTES, end - at))


def stream_chunks(pieces: int, width: int, streams: Sequence[tuple[Array, Array]]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) pieces of each step: all at once where every array is in memory, else `width` at a time.

    streams: pairs of an array and the entry at which each piece starts, with the end as last entry. While the caller
    works on a step, the next one is read ahead; when the caller asks for the next step, the pages of the one before
    are released.
    """
    on_disk = [(array, starts) for array, starts in streams if _mapping(array) is not None]
    steps = list(_steps(pieces, width)) if on_disk else [(0, pieces)]
    for (first, last), following in itertools.zip_longest(steps, steps[1:]):
        for array, starts in on_disk if following else ():
            read_ahead(array, int(starts[following[0]]), int(starts[following[1]]))
        yield first, last
        for array, starts in on_disk:
            release_pages(array, int(starts[first]), int(starts[last]))


def _steps(pieces: int, width: int) -> Iterator[tuple[int, int]]:
    for first in range(0, pieces, width):
        yield first, min(first + width, pieces)


def is_mapped(array: Array) -> bool:
    """Whether `array` lies in a file and shares its pages with it."""
    return _mapping(array) is not None


def _mapping(array: Array) -> Any:
    """The np.memmap that `array` is a view of; None for private memory and for copy-on-write mappings."""
    owner: Any = array
    while owner is not None:
        base: Any = getattr(owner, "base", None)
        if isinstance(owner, np.memmap) and isinstance(base, mmap.mmap):
            return None if owner.mode == "c" else owner
        owner = base
    return None


def _span(array: Array, first: int, last: int | None) -> tuple[mmap.mmap, int, int] | None:
    """The mapping and the bytes of array[first:last] in it; None without a shared mapping."""
    owner = _mapping(array)
    if owner is None:
        return None
    offset = _address(array) - _address(owner) + owner.offset % mmap.ALLOCATIONGRANULARITY
    start, end = (offset + at * array.itemsize for at in (first, array.size if last is None else last))
    return owner.base, start, end


def _advise(mapping: mmap.mmap, advice: int, start: int, length: int) -> None:
    with contextlib.suppress(OSError):  # advice only
        mapping.madvise(advice, start - start % mmap.PAGESIZE, length)


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
