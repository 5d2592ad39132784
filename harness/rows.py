"""What a line of a records file must be to count as a row: checked where records are read, and before they are written.

Keys that stand in no table here are left alone, so that a later version may add some without a new schema.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from harness.integral.row import WholeRecord
from harness.record import CaseRecord
from harness.recurring.row import RecurringRecord
from harness.reference import ReferenceRecord
from harness.scaling.row import ScalingRecord
from harness.serving.row import ServingRecord
from harness.shapes import ONE_OF_BYTES, TEXT, Shape, finite, shapes_of

#: The most bytes of one row; a longer line is passed over without being read.
LONGEST_ROW = 64 << 20
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
    return next((_words(*wrong) for wrong in _faults(row)), "")


def mended(row: dict[str, Any]) -> dict[str, Any]:
    """`row`, or where it could not be read back, the row of an error that names each field and value that is wrong.

    Those values are null then. Raises ValueError for a fault in what names the case, which no solver decides.
    """
    faults = list(_faults(row))
    if not faults:
        return row

    row = {name: dict(value) if isinstance(value, dict) else value for name, value in row.items()}
    for path, value, shape in faults:
        place = row
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = shape.without_faults(value)

    if "status" in row:
        row["status"] = "error"
        row["reason"] = "not a result: " + "; ".join(_words(*each) for each in faults)
    if fault(row):
        raise ValueError(f"a row of kind {row.get('kind')!r} cannot be recorded: {_words(*faults[0])}")
    return row


def _faults(row: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, Shape]]:
    """Path, value and expected shape of every field that is wrong."""
    kind = row.get("kind")
    for path, shape in _TABLES.get(kind, ()) if isinstance(kind, str) else _KIND:
        value: Any = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if not shape.fits(value):
            yield path, value, shape


def _words(path: tuple[str, ...], value: Any, shape: Shape) -> str:
    """Of an object the entry that is wrong, of a list in it the number, else the value itself."""
    words = shape.words
    if shape.each and isinstance(value, dict):
        name, value = next((name, entry) for name, entry in value.items() if not shape.fits({name: entry}))
        path = (*path, name)
        words = shape.each
        if isinstance(value, list):
            value = next((entry for entry in value if not shape.fits({name: [entry]})), value)
    return f"{'.'.join(path)} is {_shown(value)}, expected {words}"


def _shown(value: Any) -> str:
    try:
        return json.dumps(value)[:_SHOWN]
    except ValueError:  # more digits than Python converts
        return "a number of thousands of digits"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
#: Shape of each key of a row, by kind; a dot leads into an object.
_SHAPES = {
    "run": {
        "suite": TEXT,
        "price_per_hour": ONE_OF_BYTES.or_null,
        **dict.fromkeys(("command", "description", "time", "environment", "method"), TEXT.or_null),
    },
    "environment": {
        "id": TEXT,
        **dict.fromkeys(("memory_bytes", "swap_bytes", "cores"), ONE_OF_BYTES.or_null),
    },
    "case": shapes_of(CaseRecord),
    "reference": shapes_of(ReferenceRecord),
    "scaling": shapes_of(ScalingRecord),
    "recurring": shapes_of(RecurringRecord),
    "whole": shapes_of(WholeRecord),
    "serving": shapes_of(ServingRecord),
}
_KIND = ((("kind",), TEXT),)
_TABLES = {
    kind: tuple((tuple(name.split(".")), shape) for name, shape in shapes.items()) for kind, shapes in _SHAPES.items()
}
