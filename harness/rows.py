"""What a line of a records file must be to count as a row: checked where records are read, and before they are written.

Keys that stand in no table here are left alone, so that a later version may add some without a new schema.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

#: The most bytes of one row; a longer line is passed over without being read.
LONGEST_ROW = 64 << 20
MOST_SECONDS = 1e10
MOST_BYTES = 1e18
#: Beyond it a number of a trace says no more than "infinite", and no axis can show it.
MOST_IN_A_TRACE = 1e100
_LARGE = re.compile(rb"[eE]\+?\d{3}|\d{309}")
_SHOWN = 40  # characters of a value that stand in a complaint


def parse(line: bytes) -> dict[str, Any] | None:
    """The object that `line` holds; None where it is cut off, or not one JSON object of plain values."""
    try:
        row = _DECODER.decode(line.decode())
        if b"\\ud" in line or b"\\uD" in line:
            json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def too_large(line: bytes, row: Mapping[str, Any]) -> str:
    """What to say of a number in `row`, under whatever key, that no float can hold; "" where there is none."""
    if _LARGE.search(line) and not finite(row):
        return f"it holds a number beyond {sys.float_info.max:.1e}"
    return ""


def fault(row: Mapping[str, Any]) -> str:
    """What keeps `row` from being a row of its kind, "" where nothing does: the field, its value, what is expected."""
    return next((_words(*found) for found in _faults(row)), "")


def mended(row: dict[str, Any]) -> dict[str, Any]:
    """`row`, or where it could not be read back, the row of an error that names each field and value that is wrong.

    Those values are null then. Raises ValueError for a fault in what names the case, which no solver decides.
    """
    found = list(_faults(row))
    if not found:
        return row
    row = {name: dict(value) if isinstance(value, dict) else value for name, value in row.items()}
    for path, value, shape in found:
        place = row
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = shape.without_faults(value)
    if "status" in row:
        row["status"] = "error"
        row["reason"] = "not a result: " + "; ".join(_words(*each) for each in found)
    if fault(row):
        raise ValueError(f"a row of kind {row.get('kind')!r} cannot be recorded: {_words(*found[0])}")
    return row


def _faults(row: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, _Shape]]:
    """Path, value and expected shape of every field that is wrong."""
    kind = row.get("kind")
    for path, shape in _TABLES.get(kind, ()) if isinstance(kind, str) else _KIND:
        value: Any = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if not shape.fits(value):
            yield path, value, shape


def _words(path: tuple[str, ...], value: Any, shape: _Shape) -> str:
    """Of an object the entry that is wrong, of a list in it the number, else the value itself."""
    words = shape.words
    if shape.each and isinstance(value, dict):
        name, value = next((name, entry) for name, entry in value.items() if not shape.fits({name: entry}))
        path, words = (*path, name), shape.each
        if isinstance(value, list):
            value = next((entry for entry in value if not shape.fits({name: [entry]})), value)
    return f"{'.'.join(path)} is {_shown(value)}, expected {words}"


def _shown(value: Any) -> str:
    try:
        return json.dumps(value)[:_SHOWN]
    except ValueError:  # more digits than Python converts
        return "a number of thousands of digits"


class _Shape(NamedTuple):
    """What a value must be. empty: what stands there where a row of an error is recorded instead. each: what an entry
    of an object must be.
    """

    fits: Callable[[Any], bool]
    words: str
    empty: Any = None
    each: str = ""

    @property
    def or_null(self) -> _Shape:
        return _Shape(lambda value: value is None or self.fits(value), f"{self.words} or null", None, self.each)

    def without_faults(self, value: Any) -> Any:
        """An object with null for the entries that are wrong, or what stands for no value at all."""
        if self.each and isinstance(value, dict):
            kept = {name: entry if self.fits({name: entry}) else None for name, entry in value.items()}
            return kept if self.fits(kept) else self.empty
        return self.empty


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_NUMERIC = {int, float, type(None)}


def finite(value: Any) -> bool:
    """Whether every number in `value`, wherever it stands, is one that a float can hold."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True
    return _are_numbers((value,))


def _are_numbers(values: Iterable[Any]) -> bool:
    """Finite numbers that a float can hold, null among them; quick for the long lists of a trace."""
    values = list(values)
    try:
        return set(map(type, values)) <= _NUMERIC and all(map(math.isfinite, filter(None, values)))
    except OverflowError:
        return False


def _are_within(values: Iterable[Any], least: float, most: float) -> bool:
    values = list(values)
    return _are_numbers(values) and all(least <= value <= most for value in values if value is not None)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and _are_numbers((value,))


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and _are_numbers(value.values())


def _is_certificate(value: Any) -> bool:
    return isinstance(value, dict) and _is_numbers({k: v for k, v in value.items() if k != "reason"})


def _is_trace(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entries, list) and _are_within(entries, -MOST_IN_A_TRACE, MOST_IN_A_TRACE)
        for entries in value.values()
    )


def _is_ranks(value: Any) -> bool:
    times = ("compute", "communication", "waiting")
    return isinstance(value, list) and all(
        isinstance(rank, dict)
        and _BYTES.fits(rank.get("peak_memory"))
        and _SECONDS.fits({name: rank.get(name) for name in times})
        for rank in value
    )


def _is_model(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_numbers({k: v for k, v in value.items() if k != "curve"}):
        return False
    curve = value.get("curve")
    return isinstance(curve, list) and all(
        isinstance(point, list)
        and len(point) == 2
        and all(_is_number(entry) and 0 < entry <= MOST_IN_A_TRACE for entry in point)
        for point in curve
    )


def _named(least: float, most: float) -> _Shape:
    return _Shape(
        lambda value: isinstance(value, dict) and _are_within(value.values(), least, most),
        f"names with numbers from {least:g} to {most:g}",
        {},
        f"a number from {least:g} to {most:g} or null",
    )


_TEXT = _Shape(lambda value: isinstance(value, str), "a text", "")
_NUMBER = _Shape(_is_number, "a number")
_TOLERANCE = _Shape(lambda value: _is_number(value) and 0 < value < 1, "a number between 0 and 1")
_WHOLE = _Shape(
    lambda value: isinstance(value, int) and _is_number(value) and 0 <= value <= MOST_IN_A_TRACE, "a whole number"
)
_COUNT = _Shape(lambda value: _WHOLE.fits(value) and value >= 1, "a whole number of at least 1")
_SECONDS = _named(0, MOST_SECONDS)
_BYTES = _named(0, MOST_BYTES)
_FACTS = _named(-MOST_BYTES, MOST_BYTES)
_ONE_OF_BYTES = _Shape(lambda value: _is_number(value) and 0 <= value <= MOST_BYTES, f"a number up to {MOST_BYTES:g}")
_RATIO = _Shape(lambda value: _is_number(value) and abs(value) <= MOST_IN_A_TRACE, "a number")
_OBJECT = _Shape(lambda value: isinstance(value, dict), "an object", {})
_FLAG = _Shape(lambda value: isinstance(value, bool), "true or false")

_CERTIFICATE = _Shape(_is_certificate, "names with numbers", None, "a number or null")
_TRACE = _Shape(_is_trace, "lists of numbers", None, f"numbers up to {MOST_IN_A_TRACE:g} or null")

#: Shape of each key of a row, by kind; a dot leads into an object.
_SETTINGS = {
    "settings.time_limit": _NUMBER.or_null,
    "settings.iteration_limit": _WHOLE.or_null,
    "settings.device": _TEXT.or_null,
    "settings.dtype": _TEXT.or_null,
    "settings.options": _OBJECT.or_null,
}
_SHAPES = {
    "run": {"suite": _TEXT, **dict.fromkeys(("command", "description", "time"), _TEXT.or_null)},
    "environment": {
        "id": _TEXT,
        **dict.fromkeys(("memory_bytes", "swap_bytes", "cores"), _ONE_OF_BYTES.or_null),
    },
    "case": {
        **dict.fromkeys(("case", "suite", "instance", "spec", "spec_hash", "family", "solver", "status"), _TEXT),
        **dict.fromkeys(("solver_version", "raw_status", "reason", "environment", "time"), _TEXT.or_null),
        **dict.fromkeys(("content_hash", "adapter_hash", "x_hash", "disturbed"), _TEXT.or_null),
        **dict.fromkeys(("sources", "destinations", "cells", "repeat"), _WHOLE),
        **dict.fromkeys(("edges", "iterations", "settings.threads"), _WHOLE.or_null),
        "settings": _OBJECT,
        "settings.tolerance": _TOLERANCE,
        **_SETTINGS,
        "seconds": _SECONDS,
        "cpu_seconds": _SECONDS.or_null,
        "isolated": _FLAG.or_null,
        "peak_memory": _BYTES,
        "disturbance": _FACTS.or_null,
        "certificate": _CERTIFICATE.or_null,
        "trace": _TRACE.or_null,
    },
    "scaling": {
        **dict.fromkeys(("mode", "spec", "family", "solver", "status"), _TEXT),
        **dict.fromkeys(("sources", "destinations"), _WHOLE),
        **dict.fromkeys(("ranks", "settings.threads"), _COUNT),
        "settings.device": _TEXT,
        **dict.fromkeys(("edges", "iterations", "restarts", "bytes_per_iteration"), _WHOLE.or_null),
        **dict.fromkeys(("reason", "environment", "time", "content_hash", "adapter_hash", "x_hash"), _TEXT.or_null),
        "shared": _FLAG.or_null,
        "seconds": _SECONDS.or_null,
        "certificate": _CERTIFICATE.or_null,
        "efficiency": _OBJECT.or_null,
        "efficiency.value": _RATIO.or_null,
        "per_rank": _Shape(_is_ranks, "a list of ranks").or_null,
        "model": _Shape(_is_model, "names with numbers, and a curve of points").or_null,
        "trace": _TRACE.or_null,
    },
}
_KIND = ((("kind",), _TEXT),)
_TABLES = {
    kind: tuple((tuple(name.split(".")), shape) for name, shape in shapes.items()) for kind, shapes in _SHAPES.items()
}
