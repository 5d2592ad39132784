"""Families of synthetic instances: one file each, found by being there.

A file of this folder defines `FAMILY`, a BlockFamily (made block by block, in any order and process) or a WholeFamily
(sequential by nature).
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from instances.errors import SpecError
from instances.families.base import Family

#: Files of this folder that are no families.
_OTHERS = {"base", "budget", "network"}


@cache
def families() -> dict[str, Family]:
    """Family by name, in alphabetical order."""
    modules = (info.name for info in pkgutil.iter_modules(__path__) if info.name not in _OTHERS)
    all_of_them: list[Family] = [importlib.import_module(f"{__name__}.{module}").FAMILY for module in modules]
    return {f.name: f for f in sorted(all_of_them, key=lambda f: f.name)}


def family_names() -> tuple[str, ...]:
    return tuple(families())


def family(name: str) -> Family:
    try:
        return families()[name]
    except KeyError:
        raise SpecError(f"unknown family {name!r}: use one of {', '.join(family_names())}") from None
