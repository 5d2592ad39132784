"""Values of callers in the words of a refusal, refusals of what is no text, and constants that explain themselves."""

from __future__ import annotations

import enum
import os
from typing import Any, Self

from instances.errors import SpecError

_LONGEST = 60  # characters of a value that are shown


class Explained(enum.StrEnum):
    """Constants written NAME = "value", "sentence": `sentence` says what the value means, wherever that is shown."""

    sentence: str

    def __new__(cls, value: str, sentence: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member


def require_text(value: Any, call: str) -> None:
    """SpecError where `value`, the first argument of `call`, is no text."""
    if isinstance(value, str):
        return
    if isinstance(value, os.PathLike):
        remedy = f'a stored instance is written "parquet:path={os.fspath(value)}"'
    elif hasattr(value, "expected_edges"):  # a spec
        remedy = "it is a spec already, use it as it is"
    else:
        remedy = 'write it as a text, such as "dualip:sources=1000,destinations=50,degree=10,seed=1"'
    raise SpecError(f"{call}: the first argument is {named(value)}, expected a text: {remedy}")


def named(value: Any) -> str:
    """A value in the words of a refusal."""
    if value is None:
        return "None"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, os.PathLike):
        return f"the path {os.fspath(value)}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__module__}.{type(value).__name__}"


def shown(text: str | bytes) -> str:
    """A text in quotes, cut where it is long."""
    quoted = repr(text)
    return quoted if len(quoted) <= _LONGEST else f"{quoted[: _LONGEST - 1]}…"
