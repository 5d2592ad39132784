"""Arrays of a caller, checked once at the border: each refusal names the entry, its value and what is expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError
from instances.mapped import release_pages

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
#: Entries that are checked at once, so that no temporary is as long as the array.
_CHUNK = 1 << 20


def checked_starts(name: str, value: Any, owner: str) -> npt.NDArray[np.int64]:
    """int64[n + 1] that starts with 0 and never falls: where the part of each `owner` starts, and the end."""
    starts = checked_integers(name, value, np.int64)
    if starts.size < 1 or starts[0] != 0:
        raise InstanceError(f"{name} must start with 0 and have one entry more than there are {owner}s")
    for first in range(0, starts.size - 1, _CHUNK):
        falls = np.flatnonzero(np.diff(starts[first : first + _CHUNK + 1]) < 0)
        if falls.size:
            at = first + int(falls[0])
            raise InstanceError(
                f"{name} fall from {starts[at]} to {starts[at + 1]} at {owner} {at}: they must never decrease"
            )
        release_pages(starts, first, min(first + _CHUNK, starts.size))
    return starts


def checked_integers(name: str, value: Any, dtype: type[np.signedinteger[Any]]) -> npt.NDArray[Any]:
    """One-dimensional integers as `dtype`, without a copy where they are that already."""
    array = _array(name, value)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InstanceError(f"{name} is {array.dtype}{list(array.shape)}: expected a one-dimensional integer array")
    if array.size and array.dtype != dtype:
        limit = np.iinfo(dtype)
        check_range(name, array, limit.min, limit.max, f"it is stored as {limit.dtype}")
    return np.ascontiguousarray(array, dtype=dtype)


def checked_floats(name: str, value: Any, keep: tuple[Any, ...]) -> npt.NDArray[Any]:
    """One-dimensional numbers of a type in `keep`, without a copy, or else as float64."""
    array = _array(name, value)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise InstanceError(f"{name} is {array.dtype}{list(array.shape)}: expected a one-dimensional array of numbers")
    return np.ascontiguousarray(array, dtype=array.dtype if array.dtype in keep else np.float64)


def check_length(name: str, array: npt.NDArray[Any], edges: int) -> None:
    """One entry for each edge."""
    if array.size != edges:
        raise InstanceError(f"{name} has {array.size} entries: offsets end at {edges} edges")


def check_range(
    name: str, array: npt.NDArray[Any], low: float, high: float, reason: str, *, finite: bool = True
) -> None:
    """Every entry a number in low..high, and finite or not."""
    for start in range(0, array.size, _CHUNK):
        chunk = array[start : start + _CHUNK]
        smallest, largest = chunk.min(), chunk.max()  # NaN if there is one
        if smallest >= low and largest <= high and not (finite and np.isinf((smallest, largest)).any()):
            release_pages(array, start, start + chunk.size)
            continue
        allowed = (chunk >= low) & (chunk <= high) & (np.isfinite(chunk) | (not finite))
        at = start + int(np.argmin(allowed))
        if np.isnan(array[at]) or (finite and np.isinf(array[at])):
            raise InstanceError(
                f"{name}[{at}] is {array[at]}: every entry must be {'finite' if finite else 'a number'}"
            )
        expected = f"at least {low}" if high == np.inf else f"in {low}..{high}"
        raise InstanceError(f"{name}[{at}] is {array[at]}: it must be {expected} ({reason})")


def least_entry(array: npt.NDArray[Any]) -> float:
    """The smallest entry, inf where there is none."""
    least = np.inf
    for start in range(0, array.size, _CHUNK):
        chunk = array[start : start + _CHUNK]
        least = min(least, float(chunk.min()))
        release_pages(array, start, start + chunk.size)
    return least


def _array(name: str, value: Any) -> npt.NDArray[Any]:
    if np.ma.is_masked(value):
        raise InstanceError(f"{name} is a masked array, an edge cannot be left out by a mask: leave out what it hides")
    return np.asarray(value)
