"""What a solver is asked for: settings, the same words for all, and the solver's own options."""

from __future__ import annotations

import dataclasses
import math
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from instances.errors import InputError

OptionsT = TypeVar("OptionsT")
#: Types of options that a suite file can hold.
_PLAIN = {int, float, str, bool, type(None)}


class OptionError(InputError):
    """A setting or an option that the solver does not know or cannot use."""


def check_fields(record: object, checks: Sequence[tuple[str, bool, str]]) -> None:
    """OptionError for the first field that is not as expected; checks: (field, whether it is, what is expected)."""
    for name, ok, expected in checks:
        if not ok:
            raise OptionError(f"{name}={getattr(record, name)!r}: expected {expected}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every solver is asked for in the same words.

    tolerance: the certified gap wanted; each adapter's docstring says what it hands to its solver for it.
    time_limit: seconds of `run`, None without limit. threads: CPU threads, the same for all solvers of a suite.
    device: "cpu" or "cuda". dtype: "float32" or "float64", for the solvers that can choose.
    stay: RHO; above 0 the problem is to minimise c'x + (RHO / 2) ||x - x_start||^2, to the tolerance.
    options: the solver's own options by name, checked by `Solver.options`.
    """

    tolerance: float = 1e-4
    time_limit: float | None = None
    iteration_limit: int | None = None
    threads: int = 1
    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
    stay: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seconds, iterations = self.time_limit, self.iteration_limit
        checks = (
            ("tolerance", _is_number(self.tolerance) and 0 < self.tolerance < 1, "a number between 0 and 1"),
            ("time_limit", seconds is None or (_is_number(seconds) and seconds > 0), "seconds > 0"),
            ("iteration_limit", iterations is None or (_is_whole(iterations) and iterations > 0), "a whole number > 0"),
            ("threads", _is_whole(self.threads) and self.threads >= 1, "a whole number >= 1"),
            ("device", str(self.device).partition(":")[0] in ("cpu", "cuda"), "cpu or cuda"),
            ("dtype", self.dtype in ("float32", "float64"), "float32 or float64"),
            ("seed", _is_whole(self.seed) and self.seed >= 0, "a whole number >= 0"),
            ("stay", _is_number(self.stay) and 0 <= self.stay < math.inf, "a finite number >= 0"),
            ("options", isinstance(self.options, Mapping), "a dict of the options by name"),
        )
        check_fields(self, checks)

    def limits(self, *, time: str, iterations: str) -> dict[str, float]:
        """The limits that are set, under a solver's own names for them: seconds, and a whole number."""
        given = {time: self.time_limit, iterations: self.iteration_limit}
        return {name: limit for name, limit in given.items() if limit is not None}


@dataclass(frozen=True)
class NoOptions:
    """A solver without options of its own."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option as plain data. types: names of the plain types it takes, none where it takes anything."""

    name: str
    types: tuple[str, ...] = ()
    default: Any = None


def declared_options(options: type[Any]) -> tuple[Option, ...]:
    """The fields of the dataclass `options`."""
    hints = get_type_hints(options)
    return tuple(
        Option(name=f.name, types=_plain_types(hints.get(f.name)), default=f.default)
        for f in dataclasses.fields(options)
    )


def check_options(known: Sequence[Option], values: Mapping[str, Any]) -> None:
    """OptionError for a name that is not `known` and for a value of another type."""
    by_name = {option.name: option for option in known}
    for name, value in values.items():
        if name not in by_name:
            listed = ", ".join(f"{option.name}={option.default!r}" for option in known) or "none"
            raise OptionError(f"unknown option {name!r}: known options and defaults are {listed}")
        types = by_name[name].types
        given = type(value).__name__
        whole_for_float = given == "int" and "float" in types and _is_number(value)
        if types and given not in types and not whole_for_float:
            raise OptionError(f"option {name}={value!r}: expected {' or '.join(types)}")


def parse_options(options: type[OptionsT], settings: Settings) -> OptionsT:
    """`settings.options` as the dataclass `options`; an unknown name or a wrong type is an OptionError."""
    check_options(declared_options(options), settings.options)
    return options(**settings.options)


def _plain_types(hint: Any) -> tuple[str, ...]:
    """Names of the plain types in a hint such as `int` or `str | None`; none where another type is among them."""
    members = get_args(hint) if isinstance(hint, types.UnionType) or get_origin(hint) is Union else (hint,)
    return tuple(member.__name__ for member in members) if set(members) <= _PLAIN else ()


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Whether it is a number that float64 can hold; infinities are, True is not."""
    if isinstance(value, int):
        return _is_whole(value) and abs(value) <= sys.float_info.max
    return isinstance(value, float | np.integer | np.floating)
