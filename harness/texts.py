"""Texts from elsewhere (names, reasons, words of a library) made fit for a terminal, a page, a figure or a CSV cell.

One function for each border, so that no text of a record moves a cursor, turns the direction of a line, breaks a table
or starts a formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
#: What a spreadsheet takes for the start of a formula.
_FORMULA = ("=", "+", "-", "@")


def plain_text(text: str) -> str:
    """One line of printable text: white space becomes one space, every other control or format character U+FFFD.

    Escape sequences, carriage returns, bidirectional controls such as U+202E and halves of surrogate pairs go.
    """
    if text.isprintable():
        return text.strip()
    return "".join(c if c.isprintable() else _UNPRINTABLE for c in " ".join(text.split()))


def plain_texts(value: Any) -> Any:
    """`value`, a row or a part of one, with every text and every name in it made plain."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Mapping):
        return {plain_text(str(name)): plain_texts(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_texts(entry) for entry in value] if _holds_texts(value) else list(value)
    return value


def csv_text(text: str) -> str:
    """A plain text as a cell of a CSV file: an apostrophe before what a spreadsheet would calculate."""
    plain = plain_text(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _holds_texts(values: Any) -> bool:
    """Whether a list holds anything but numbers; a trace is long."""
    return not set(map(type, values)) <= {int, float, bool, type(None)}
