"""What a value of a row must be: the shapes from which reading and checking of records are made.

A field of a record carries its shape in its annotation, `Annotated[int, WHOLE]`, and a field that holds named entries
also says which they are (`Entries`). `shapes_of` reads both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

MOST_SECONDS = 1e10
MOST_BYTES = 1e18
#: Beyond it a number of a trace says no more than "infinite", and no axis can show it.
MOST_IN_A_TRACE = 1e100
_NUMERIC = {int, float, type(None)}


class Shape(NamedTuple):
    """What a value must be."""

    fits: Callable[[Any], bool]
    """Whether a value is of this shape."""

    words: str
    """What to expect, in a complaint."""

    empty: Any = None
    """What stands in place of a wrong value where the row of an error is recorded instead."""

    each: str = ""
    """What to expect of an entry, where the value is an object."""

    column: type[str] | type[float] | None = None
    """The type of a column of such values in a table; None where they are no texts and no numbers."""

    @property
    def or_null(self) -> Shape:
        return Shape(
            lambda value: value is None or self.fits(value), f"{self.words} or null", None, self.each, self.column
        )

    def without_faults(self, value: Any) -> Any:
        """An object with null for the entries that are wrong, or what stands for no value at all."""
        if self.each and isinstance(value, dict):
            kept = {name: entry if self.fits({name: entry}) else None for name, entry in value.items()}
            return kept if self.fits(kept) else self.empty
        return self.empty


class Entries(NamedTuple):
    """The names that an object of a record holds."""

    shapes: Mapping[str, Shape | None]
    """The shape of each entry by name; None where the object's own shape says enough."""

    column: str = "{}"
    """How the column of an entry is called in a table of cases."""

    texts: tuple[str, ...] = ()
    """The entries without a shape that are texts; the others are numbers."""

    def type_of(self, entry: str) -> type[str] | type[float] | None:
        """The type of the column of an entry."""
        shape = self.shapes[entry]
        if shape is None:
            return str if entry in self.texts else float
        return shape.column


def shapes_of(record: type[Any]) -> dict[str, Shape]:
    """The shape of each field of a dataclass, and of the entries within it; a dot leads into an object."""
    shapes: dict[str, Shape] = {}
    for name, hint in get_type_hints(record, include_extras=True).items():
        for mark in marks(hint):
            if isinstance(mark, Shape):
                shapes[name] = mark
            elif isinstance(mark, Entries):
                shapes |= {f"{name}.{entry}": shape for entry, shape in mark.shapes.items() if shape is not None}
    return shapes


def marks(hint: Any) -> tuple[Any, ...]:
    """What an annotation carries beside its type."""
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


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


def is_number(value: Any) -> bool:
    """Whether `value` is a finite number that a float can hold."""
    return type(value) in (int, float) and _are_numbers((value,))


def are_named_numbers(value: Any) -> bool:
    """Whether `value` is an object of finite numbers and nulls."""
    return isinstance(value, dict) and _are_numbers(value.values())


def _is_certificate(value: Any) -> bool:
    return isinstance(value, dict) and are_named_numbers({k: v for k, v in value.items() if k != "reason"})


def _is_trace(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entries, list) and _are_within(entries, -MOST_IN_A_TRACE, MOST_IN_A_TRACE)
        for entries in value.values()
    )


def _is_ranks(value: Any) -> bool:
    times = ("compute", "communication", "waiting")
    return isinstance(value, list) and all(
        isinstance(rank, dict)
        and BYTES.fits(rank.get("peak_memory"))
        and SECONDS.fits({name: rank.get(name) for name in times})
        for rank in value
    )


def _is_model(value: Any) -> bool:
    if not isinstance(value, dict) or not are_named_numbers({k: v for k, v in value.items() if k != "curve"}):
        return False
    curve = value.get("curve")
    return isinstance(curve, list) and all(
        isinstance(point, list)
        and len(point) == 2
        and all(is_number(entry) and 0 < entry <= MOST_IN_A_TRACE for entry in point)
        for point in curve
    )


def _named(least: float, most: float) -> Shape:
    return Shape(
        lambda value: isinstance(value, dict) and _are_within(value.values(), least, most),
        f"names with numbers from {least:g} to {most:g}",
        {},
        f"a number from {least:g} to {most:g} or null",
    )


TEXT = Shape(lambda value: isinstance(value, str), "a text", "", column=str)
NUMBER = Shape(is_number, "a number", column=float)
TOLERANCE = Shape(lambda value: is_number(value) and 0 < value < 1, "a number between 0 and 1", column=float)
WHOLE = Shape(
    lambda value: isinstance(value, int) and is_number(value) and 0 <= value <= MOST_IN_A_TRACE,
    "a whole number",
    column=float,
)
COUNT = Shape(lambda value: WHOLE.fits(value) and value >= 1, "a whole number of at least 1")
SECONDS = _named(0, MOST_SECONDS)
BYTES = _named(0, MOST_BYTES)
FACTS = _named(-MOST_BYTES, MOST_BYTES)
ONE_OF_BYTES = Shape(lambda value: is_number(value) and 0 <= value <= MOST_BYTES, f"a number up to {MOST_BYTES:g}")
RATIO = Shape(lambda value: is_number(value) and abs(value) <= MOST_IN_A_TRACE, "a number")
OBJECT = Shape(lambda value: isinstance(value, dict), "an object", {})
FLAG = Shape(lambda value: isinstance(value, bool), "true or false")
CERTIFICATE = Shape(_is_certificate, "names with numbers", None, "a number or null")
TRACE = Shape(_is_trace, "lists of numbers", None, f"numbers up to {MOST_IN_A_TRACE:g} or null")
RANKS = Shape(_is_ranks, "a list of ranks")
MODEL = Shape(_is_model, "names with numbers, and a curve of points")
