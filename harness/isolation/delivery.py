"""How an answer leaves the process of its adapter: arrays as bytes in a file, the rest as one JSON message.

The harness makes the file (in memory, or on the disk where the instance lies there), the child of the case writes x,
dual and ray into it one after the other, and the judge reads them in another process. Nothing here trusts the child.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from harness.answers import CLAIMS, MOST, Plain
from harness.isolation.wire import ProtocolError
from harness.recording import thinned
from instances.mapped import release_pages
from solvers import Answer, Status, TracePoint

#: Name, dtype and size of an array.
Array = tuple[str, str, int]
_ARRAYS = ("x", "dual", "ray")
_DTYPES = ("<f4", "<f8")
_PIECE = 1 << 20  # entries written at once
_LONGEST_TEXT = 4096
#: Writing an answer may take so many seconds, and its size at so many bytes per second; the rest is part of run.
_CALL = 1e-3
_MEMORY_RATE = 2e8
_DISK_RATE = 2e7


def make_file(folder: Path | None) -> IO[bytes]:
    """A file without a name: in memory, or in `folder` where that is given."""
    if folder is None and hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("dualbench-answer"), "w+b", buffering=0)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder, buffering=0)


def write(answer: Answer, descriptor: int) -> list[Array]:
    """Write the arrays that there are; name, dtype and size of each."""
    written: list[Array] = []
    for name in _ARRAYS:
        array = getattr(answer, name)
        if array is None:
            continue
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        for first in range(0, array.size, _PIECE):
            _write(descriptor, memoryview(array[first : first + _PIECE]).cast("B"))
            release_pages(array, first, min(first + _PIECE, array.size))
        written.append((name, array.dtype.str, array.size))
    return written


def _write(descriptor: int, left: memoryview) -> None:
    while left:
        left = left[os.write(descriptor, left) :]


def claim(
    checked: Plain,
    arrays: list[Array],
    *,
    peak: Mapping[str, int | None],
    disturbance: Mapping[str, float | None],
) -> dict[str, Any]:
    """All of an answer but its arrays, and what only the process itself can measure."""
    answer = checked.answer
    points = thinned(answer.trace)
    return {
        "status": str(answer.status),
        "raw_status": answer.raw_status,
        "iterations": answer.iterations,
        "trace": [[point.seconds, point.iteration, point.gap] for point in points],
        "arrays": arrays,
        "complaint": checked.complaint[:_LONGEST_TEXT],
        "peak": dict(peak),
        "disturbance": dict(disturbance),
    }


@dataclass(frozen=True, kw_only=True)
class Part:
    """An array in the file: bytes [start, start + size of it)."""

    dtype: str
    size: int
    start: int


def parts(body: Mapping[str, Any]) -> dict[str, Part]:
    """Where the arrays of a claim lie."""
    places: dict[str, Part] = {}
    start = 0
    for name, dtype, size in body["arrays"]:
        places[name] = Part(dtype=dtype, size=size, start=start)
        start += size * np.dtype(dtype).itemsize
    return places


def require_claim(body: Mapping[str, Any], file: IO[bytes]) -> None:
    """ProtocolError where `body` is not what `claim` makes, or does not fit the file."""
    try:
        fits = (
            body["status"] in CLAIMS
            and all(isinstance(body[name], str) and len(body[name]) <= _LONGEST_TEXT for name in _TEXTS)
            and _is_whole(body["iterations"], or_none=True)
            and all(_is_point(*point) for point in body["trace"])
            and all(name in _ARRAYS and dtype in _DTYPES and _is_whole(size) for name, dtype, size in body["arrays"])
            and len({name for name, _, _ in body["arrays"]}) == len(body["arrays"])
            and all(_is_whole(size, or_none=True) for size in body["peak"].values())
            and all(_is_number(value, or_none=True) for value in body["disturbance"].values())
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise ProtocolError("an answer that does not have the form of one")
    announced = sum(part.size * np.dtype(part.dtype).itemsize for part in parts(body).values())
    there = os.fstat(file.fileno()).st_size
    if announced != there:
        raise ProtocolError(f"an answer of {announced:,} bytes, of which {there:,} were written")


_TEXTS = ("raw_status", "complaint")


def _is_number(value: Any, *, or_none: bool = False) -> bool:
    if value is None:
        return or_none
    return type(value) in (int, float) and abs(value) <= MOST


def _is_whole(value: Any, *, or_none: bool = False) -> bool:
    return _is_number(value, or_none=or_none) and (value is None or (type(value) is int and value >= 0))


def _is_point(seconds: Any, iteration: Any, gap: Any) -> bool:
    return _is_number(seconds) and seconds >= 0 and _is_whole(iteration) and _is_number(gap, or_none=True)


def read(body: Mapping[str, Any], descriptor: int) -> Plain:
    """The answer of a claim that was checked; its arrays are mapped from the file."""
    arrays = dict.fromkeys(_ARRAYS) | {name: _mapped(part, descriptor) for name, part in parts(body).items()}
    return Plain(answer=_answer(body, arrays), complaint=body["complaint"])


def _answer(body: Mapping[str, Any], arrays: Mapping[str, Any]) -> Answer:
    trace = [
        TracePoint(seconds=seconds, iteration=iteration, gap=math.nan if gap is None else gap)
        for seconds, iteration, gap in body["trace"]
    ]
    return Answer(
        **arrays,
        status=Status(body["status"]),
        raw_status=body["raw_status"],
        iterations=body["iterations"],
        trace=trace,
    )


def _mapped(part: Part, descriptor: int) -> npt.NDArray[Any]:
    if part.size == 0:
        return np.zeros(0, part.dtype)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return np.memmap(file, dtype=part.dtype, mode="r", offset=part.start, shape=(part.size,)).view(np.ndarray)


def without_x(body: Mapping[str, Any], file: IO[bytes]) -> Answer:
    """The answer of a claim that was checked, in a process that holds no instance: the dual in memory, and no x."""
    return _answer(body, {"x": None, "dual": _dual(body, file), "ray": None})


def _dual(body: Mapping[str, Any], file: IO[bytes]) -> npt.NDArray[np.float64] | None:
    part = parts(body).get("dual")
    if part is None:
        return None
    data = os.pread(file.fileno(), part.size * np.dtype(part.dtype).itemsize, part.start)
    return np.frombuffer(data, part.dtype).astype(np.float64)


def beyond_delivery(body: Mapping[str, Any], seconds: float, *, on_disk: bool) -> float:
    """Seconds of `seconds` that writing the arrays cannot explain."""
    size = sum(part.size * np.dtype(part.dtype).itemsize for part in parts(body).values())
    return max(0.0, seconds - _CALL - size / (_DISK_RATE if on_disk else _MEMORY_RATE))
