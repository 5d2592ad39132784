"""Specs of real and stored data: one file each, found by being there.

A file of this folder defines `READER`, a class with a `scheme` (the word before the colon of a spec's text) and
`parse(text)` that returns a ReadableSpec; files whose name starts with an underscore are no readers.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol

from instances.errors import SpecError
from instances.families import family_names
from instances.named import named_instances
from instances.spec import MatchingSpec, ReadableSpec, Spec
from instances.words import require_text


class Reader(Protocol):
    scheme: str

    def parse(self, text: str) -> ReadableSpec: ...


@cache
def readers() -> dict[str, Reader]:
    """Reader by scheme, in alphabetical order."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    loaded = [importlib.import_module(f"{__name__}.{name}").READER for name in names]
    return {reader.scheme: reader for reader in loaded}


def parse_spec(text: str) -> Spec:
    """Any spec from a name ("dualip-5k") or its text: "dualip:sources=...", "movielens:capacity=1", "parquet:path=DIR".

    Raises SpecError for what is neither.
    """
    require_text(text, "parse_spec")
    text = named_instances().get(text.strip(), text)
    scheme = text.strip().partition(":")[0]
    if scheme in readers():
        return readers()[scheme].parse(text)
    if scheme not in family_names():
        raise SpecError(
            f"unknown instance {text!r}: use a named instance, a family ({', '.join(family_names())}) "
            f"or data ({', '.join(readers())})"
        )
    return MatchingSpec.parse(text)
