"""What a solver hands back, checked before anything is made of it: the types of the contract, an untouched instance."""

from __future__ import annotations

import dataclasses
import numbers
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.mapped import let_go
from solvers import Answer, Availability, Solver, Status
from solvers.base import TracePoint
from solvers.card import plain_availability

#: What a solver may say of itself; the other statuses are words of the harness.
CLAIMS = frozenset(Status) - {Status.INACCURATE, Status.CRASHED, Status.SKIPPED}
_WORDS = 200  # characters of a solver's own status that are kept
_ROW = 1024  # words of 8 bytes
_PIECE = 1 << 23  # bytes


class AnswerError(TypeError):
    """The adapter returned something else than the contract says; the text names what."""


def checked(answer: Any) -> Answer:
    """`answer` in the types of the contract: a wrong one is the adapter's fault, and costs this case alone."""
    if not isinstance(answer, Answer):
        raise AnswerError(f"run returned {type(answer).__name__}, expected an Answer")
    if answer.status not in CLAIMS:
        raise AnswerError(f"status {answer.status!r}, expected one of {', '.join(sorted(CLAIMS))}")
    iterations: Any = answer.iterations
    if not (iterations is None or isinstance(iterations, numbers.Integral)):
        raise AnswerError(f"iterations {iterations!r}, expected a whole number or None")
    for point in answer.trace:
        if not isinstance(point, TracePoint) or not all(map(_is_number, (point.seconds, point.iteration, point.gap))):
            raise AnswerError(f"trace has {point!r}, expected TracePoints of numbers")
    return dataclasses.replace(
        answer,
        x=_array("x", answer.x),
        dual=_array("dual", answer.dual),
        status=Status(answer.status),
        raw_status=" ".join(str(answer.raw_status).split())[:_WORDS],
        iterations=None if iterations is None else int(iterations),
    )


def availability(solver: Solver) -> Availability:
    """solver.available(), which must not raise; where it does all the same, that is why it cannot run."""
    try:
        found: Any = solver.available()
        if isinstance(found, Availability):
            return plain_availability(found)
        text = f"{found!s:.200}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an adapter from anywhere
        text = f"raised {type(error).__name__}: {' '.join(str(error).split())}"
    return Availability(ok=False, reason=f"available() {text}", remedy="repair the adapter: dualbench check")


def fingerprint(lp: MatchingLP) -> dict[str, int]:
    """A number for each array of `lp` that changes with it: at the speed of memory, not against a forger."""
    arrays = {name: getattr(lp, name) for name in ("offsets", "destination", "a", "c", "b")}
    arrays |= {"kind": lp.per_source.kind, "radius": lp.per_source.radius}
    return {name: _checksum(array) for name, array in arrays.items()}


def _checksum(array: npt.NDArray[Any]) -> int:
    """CRC-32 of the exclusive or of rows of words, piece by piece, so that a mapped array is never held whole."""
    if not array.flags.c_contiguous:  # one value for all sources
        return zlib.crc32(array[:1].tobytes())
    total, step = 0, max(1, _PIECE // array.itemsize)
    for first in range(0, array.size, step):
        content = array[first : first + step].view(np.uint8).reshape(-1)
        rows = content.size // (8 * _ROW)
        head, tail = content[: 8 * _ROW * rows], content[8 * _ROW * rows :]
        folded = np.bitwise_xor.reduce(head.view(np.uint64).reshape(rows, _ROW), axis=0)
        total = zlib.crc32(tail.tobytes(), zlib.crc32(folded.tobytes(), total))
        let_go(array, first, min(first + step, array.size))
    return total


def _array(name: str, value: Any) -> Any:
    try:
        return None if value is None else np.asarray(value)
    except Exception as error:
        raise AnswerError(f"{name} is no array: {type(error).__name__}: {error}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, np.number))
