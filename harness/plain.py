"""Values of any kind as what JSON can hold, without loss where there is none to be had."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

_DEPTH = 32  # levels of a row
_LONGEST_TEXT = 1 << 20  # characters
_WORDS = 200  # characters of what is no plain value


def as_plain(value: Any, depth: int = 0) -> Any:
    """None, true or false, numbers, texts, lists and objects with texts for names.

    A number that is not finite or that no float can hold is null where it is a float; whole numbers stay as they are.
    A fraction becomes the nearest float. Half of a surrogate pair, which no file can hold, is written as its escape.
    Anything else is what its repr says.
    """
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _text(str(value))

    if depth > _DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {_text(str(name)): as_plain(entry, depth + 1) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(entry, depth + 1) for entry in value]

    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return _float(value)
    if hasattr(value, "tolist"):  # an array, or a scalar of NumPy that is no number
        return as_plain(value.tolist(), depth + 1)
    return _words(value)


def without_huge(value: Any) -> Any:
    """`value` in plain types with a text for each whole number that no float can hold."""
    if isinstance(value, dict):
        return {name: without_huge(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [without_huge(entry) for entry in value]
    if type(value) is int and _float(value) is None:
        return f"a whole number of {value.bit_length()} bits"
    return value


def _text(text: str) -> str:
    text = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."
    return text.encode("utf-8", "backslashreplace").decode()


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (OverflowError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def _words(value: Any) -> str:
    try:
        return _text(repr(value))[:_WORDS]
    except Exception:  # noqa: BLE001 - a repr of anyone's making
        return type(value).__name__
