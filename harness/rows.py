"""What a line of a records file must be to count as a row, checked once, where records are read.

Keys that stand in no table here are left alone, so that a later version may add some without a new schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


def parse(line: bytes) -> dict[str, Any] | None:
    """The object that `line` holds; None where it is torn, or not one JSON object of plain values."""
    try:
        row = _DECODER.decode(line.decode())
        if b"\\ud" in line or b"\\uD" in line:
            json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def fault(row: Mapping[str, Any]) -> str:
    """What keeps `row` from being a row of its kind, "" where nothing does."""
    for path, shape in _TABLES.get(row["kind"], ()) if isinstance(row.get("kind"), str) else _KIND:
        value: Any = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if not shape.fits(value):
            return f"{'.'.join(path)} is {json.dumps(value)[:40]}, expected {shape.words}"
    return ""


class _Shape(NamedTuple):
    fits: Callable[[Any], bool]
    words: str

    @property
    def or_null(self) -> _Shape:
        return _Shape(lambda value: value is None or self.fits(value), f"{self.words} or null")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_NUMERIC = {int, float, type(None)}


def _are_numbers(values: Iterable[Any]) -> bool:
    """Finite numbers that a float can hold, null among them; quick for the long lists of a trace."""
    values = list(values)
    try:
        return set(map(type, values)) <= _NUMERIC and all(map(math.isfinite, filter(None, values)))
    except OverflowError:
        return False


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and _are_numbers((value,))


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and _are_numbers(value.values())


def _is_certificate(value: Any) -> bool:
    return isinstance(value, dict) and _is_numbers({k: v for k, v in value.items() if k != "reason"})


def _is_trace(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entries, list) and _are_numbers(entries) for entries in value.values()
    )


def _is_ranks(value: Any) -> bool:
    times = ("compute", "communication", "waiting")
    return isinstance(value, list) and all(
        isinstance(rank, dict)
        and _is_numbers(rank.get("peak_memory"))
        and _is_numbers({name: rank.get(name) for name in times})
        for rank in value
    )


def _is_model(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_numbers({k: v for k, v in value.items() if k != "curve"}):
        return False
    curve = value.get("curve")
    return isinstance(curve, list) and all(
        isinstance(point, list) and len(point) == 2 and all(_is_number(entry) and entry > 0 for entry in point)
        for point in curve
    )


_TEXT = _Shape(lambda value: isinstance(value, str), "a text")
_NUMBER = _Shape(_is_number, "a number")
_WHOLE = _Shape(lambda value: isinstance(value, int) and _is_number(value) and value >= 0, "a whole number")
_COUNT = _Shape(lambda value: _WHOLE.fits(value) and value >= 1, "a whole number of at least 1")
_NUMBERS = _Shape(_is_numbers, "names with numbers")
_OBJECT = _Shape(lambda value: isinstance(value, dict), "an object")
_FLAG = _Shape(lambda value: isinstance(value, bool), "true or false")

#: Shape of each key of a row, by kind; a dot leads into an object.
_SETTINGS = {
    "settings.time_limit": _NUMBER.or_null,
    "settings.iteration_limit": _WHOLE.or_null,
    "settings.device": _TEXT.or_null,
    "settings.dtype": _TEXT.or_null,
    "settings.options": _OBJECT.or_null,
}
_SHAPES = {
    "run": {"suite": _TEXT, "command": _TEXT.or_null},
    "environment": {"id": _TEXT, "memory_bytes": _NUMBER.or_null, "swap_bytes": _NUMBER.or_null},
    "case": {
        **dict.fromkeys(("case", "suite", "instance", "spec", "spec_hash", "family", "solver", "status"), _TEXT),
        **dict.fromkeys(("solver_version", "raw_status", "reason", "environment", "time"), _TEXT.or_null),
        **dict.fromkeys(("sources", "destinations", "cells", "repeat"), _WHOLE),
        **dict.fromkeys(("edges", "iterations", "settings.threads"), _WHOLE.or_null),
        "settings": _OBJECT,
        "settings.tolerance": _NUMBER,
        **_SETTINGS,
        **dict.fromkeys(("seconds", "peak_memory"), _NUMBERS),
        "certificate": _Shape(_is_certificate, "names with numbers").or_null,
        "trace": _Shape(_is_trace, "lists of numbers").or_null,
    },
    "scaling": {
        **dict.fromkeys(("mode", "spec", "family", "solver", "status"), _TEXT),
        **dict.fromkeys(("sources", "destinations"), _WHOLE),
        **dict.fromkeys(("ranks", "settings.threads"), _COUNT),
        "settings.device": _TEXT,
        **dict.fromkeys(("edges", "iterations", "restarts", "bytes_per_iteration"), _WHOLE.or_null),
        **dict.fromkeys(("reason", "environment", "time"), _TEXT.or_null),
        "shared": _FLAG.or_null,
        **dict.fromkeys(("seconds",), _NUMBERS.or_null),
        "certificate": _Shape(_is_certificate, "names with numbers").or_null,
        "efficiency": _OBJECT.or_null,
        "efficiency.value": _NUMBER.or_null,
        "per_rank": _Shape(_is_ranks, "a list of ranks").or_null,
        "model": _Shape(_is_model, "names with numbers, and a curve of points").or_null,
        "trace": _Shape(_is_trace, "lists of numbers").or_null,
    },
}
_KIND = ((("kind",), _TEXT),)
_TABLES = {
    kind: tuple((tuple(name.split(".")), shape) for name, shape in shapes.items()) for kind, shapes in _SHAPES.items()
}
