"""Checks of what a solver returns: the types of the contract, and an instance that it has not changed."""

from __future__ import annotations

import math
import numbers
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.content import edge_arrays_of, limits_of, polytope_arrays
from instances.mapped import release_pages
from solvers import Answer, Availability, Solver, Status
from solvers.base import TracePoint
from solvers.card import plain_availability

#: What a solver may say of itself; the other statuses are words of the harness.
CLAIMS = frozenset(Status) - {Status.INACCURATE, Status.CRASHED, Status.SKIPPED}
#: The largest count, and the most seconds, that an answer may state; a gap beyond it says nothing.
MOST = 1e15
_BACK = 1e-3  # seconds that a trace may go back, because threads read clocks of their own
_WORDS = 200  # characters of a solver's own status that are kept
_ROW = 1024  # words of 8 bytes
_PIECE = 1 << 23  # bytes


class AnswerError(TypeError):
    """The adapter returned a value that the contract does not allow; the message names it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plain:
    """An answer in plain types."""

    answer: Answer
    """x, dual and ray are contiguous float32 or float64 of the length that the instance asks for, or None; the trace
    holds floats and whole numbers."""

    complaint: str = ""
    """What was wrong with an array that was replaced by None; "" where nothing was."""


def plain(answer: Any, lp: MatchingLP) -> Plain:
    """`answer` in the types of the contract. Raises AnswerError for any other type, which costs this case alone.

    Code of the adapter may hide in its objects (__array__, __iter__, __str__). All of it has run when this returns, so
    this call belongs inside the clock.
    """
    if not isinstance(answer, Answer):
        raise AnswerError(f"run returned {type(answer).__name__}, expected an Answer")
    if answer.status not in CLAIMS:
        raise AnswerError(f"status {answer.status!r}, expected one of {', '.join(sorted(CLAIMS))}")
    sizes = {"x": lp.edges, "dual": lp.row_count, "ray": lp.row_count}
    arrays = {name: _array(name, getattr(answer, name), size) for name, size in sizes.items()}

    checked = Answer(
        **{name: array for name, (array, _) in arrays.items()},
        status=Status(str(answer.status)),
        raw_status=" ".join(str(answer.raw_status).split())[:_WORDS],
        iterations=_iterations(answer.iterations),
        trace=_trace(answer.trace),
    )
    return Plain(answer=checked, complaint="; ".join(complaint for _, complaint in arrays.values() if complaint))


def availability(solver: Solver) -> Availability:
    """solver.available(), which must not raise; if it does, that is the reason why the solver cannot run."""
    try:
        answer: Any = solver.available()
        if isinstance(answer, Availability):
            return plain_availability(answer)
        text = f"{answer!s:.200}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an adapter from anywhere
        text = f"raised {type(error).__name__}: {' '.join(str(error).split())}"
    return Availability(ok=False, reason=f"available() {text}", remedy="repair the adapter: dualbench check")


def fingerprint(lp: MatchingLP) -> dict[str, int]:
    """A checksum for each array of `lp`: fast and not cryptographic, it detects accidental writes."""
    arrays = {"offsets": lp.offsets, **edge_arrays_of(lp), **limits_of(lp), **polytope_arrays(lp.per_source)}
    return {name: _checksum(array) for name, array in arrays.items()}


def _checksum(array: npt.NDArray[Any]) -> int:
    """CRC-32 of the XOR of rows of 8-byte words, in pieces, so that a mapped array is never whole in memory."""
    if not array.flags.c_contiguous:  # one value for all sources
        return zlib.crc32(array[:1].tobytes())
    total = 0
    step = max(1, _PIECE // array.itemsize)
    for first in range(0, array.size, step):
        content = array[first : first + step].view(np.uint8).reshape(-1)
        rows = content.size // (8 * _ROW)
        head = content[: 8 * _ROW * rows]
        tail = content[8 * _ROW * rows :]
        folded = np.bitwise_xor.reduce(head.view(np.uint64).reshape(rows, _ROW), axis=0)
        total = zlib.crc32(tail.tobytes(), zlib.crc32(folded.tobytes(), total))
        release_pages(array, first, min(first + step, array.size))
    return total


def _array(name: str, value: Any, size: int) -> tuple[Any, str]:
    """The array, or None and what is wrong with it."""
    if value is None:
        return None, ""
    try:
        array = np.asarray(value)
    except Exception as error:
        raise AnswerError(f"{name} is no array: {type(error).__name__}: {error}") from error
    if array.shape != (size,) or array.dtype.kind not in "fiu":
        return None, f"{name} is {array.dtype}{list(array.shape)}: expected {size} numbers"
    dtype = array.dtype.newbyteorder("=") if array.dtype.itemsize in (4, 8) and array.dtype.kind == "f" else np.float64
    return np.ascontiguousarray(array, dtype=dtype), ""


def _iterations(value: Any) -> int | None:
    """None for a negative number, because libraries say -1 where they count nothing."""
    if value is None:
        return None
    if not isinstance(value, numbers.Integral) or int(value) > MOST:
        raise AnswerError(f"iterations {value!r:.40}, expected a whole number up to {MOST:g} or None")
    return None if value < 0 else int(value)


def _trace(points: Any) -> tuple[TracePoint, ...]:
    """The points in plain numbers. A gap that is not finite, or beyond any use, is no number yet."""
    plain_points: list[TracePoint] = []
    for point in points:
        if not isinstance(point, TracePoint) or not all(map(_is_number, (point.seconds, point.iteration, point.gap))):
            raise AnswerError(f"trace has {point!r:.80}, expected TracePoints of numbers")
        seconds = _float(point.seconds)
        iteration = _float(point.iteration)
        gap = _float(point.gap)
        before = plain_points[-1].seconds if plain_points else 0.0
        if not (before - _BACK <= seconds <= MOST and 0 <= iteration <= MOST):
            raise AnswerError(
                f"trace has {seconds:g} s at iteration {iteration:g} after {before:g} s, expected seconds that do not "
                f"fall and numbers from 0 to {MOST:g}"
            )
        gap = gap if abs(gap) <= MOST else math.nan
        plain_points.append(TracePoint(seconds=seconds, iteration=int(iteration), gap=gap))
    return tuple(plain_points)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, np.number)) and not isinstance(value, bool)
