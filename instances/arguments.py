"""First arguments of the public functions: what is no LP or no spec is refused with what to write instead."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from instances.errors import InputError, SpecError
from instances.matching import MatchingLP
from instances.spec import MatchingSpec, ReadableSpec
from instances.words import named, shown


def require_lp(value: Any, call: str) -> None:
    """InputError where `value`, the first argument of `call`, is no MatchingLP."""
    if isinstance(value, MatchingLP):
        return
    raise InputError(f"{call}: the first argument is {named(value)}, expected a MatchingLP: {_way_to_an_lp(value)}")


def require_spec(value: Any, call: str) -> MatchingSpec | ReadableSpec:
    """`value`, the first argument of `call`; SpecError where it is no spec of an instance."""
    if isinstance(value, (MatchingSpec, ReadableSpec)):
        return value
    if isinstance(value, MatchingLP):
        remedy = "it is an instance already, use it as it is"
    elif isinstance(value, str):
        remedy = f"write {call}(parse_spec({shown(value)}))"
    else:
        remedy = f'write {call}(parse_spec("dualip:sources=1000,destinations=50,degree=10,seed=1"))'
    raise SpecError(f"{call}: the first argument is {named(value)}, expected a spec: {remedy}")


def _way_to_an_lp(value: Any) -> str:
    if isinstance(value, os.PathLike) or (isinstance(value, str) and Path(value).is_dir()):
        return f"read_parquet(Path({shown(os.fspath(value))})) reads one that `dualbench generate` wrote"
    if isinstance(value, str):
        return f"write generate(parse_spec({shown(value)}))"
    if isinstance(value, (MatchingSpec, ReadableSpec)):
        return "write generate(spec)"
    if type(value).__name__ == "ExplicitLP":
        return "it is the explicit form of one, give the one that it was made from"
    return "make one of arrays with MatchingLP(offsets=, destination=, a=, c=, b=, polytope=), see README"
