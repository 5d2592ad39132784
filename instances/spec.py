"""What an instance is made from: a frozen specification with a text form and a stable content hash."""

from __future__ import annotations

import hashlib
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, TypeGuard, runtime_checkable

from instances.errors import SpecError
from instances.families import family
from instances.families.base import BlockFamily
from instances.matching import MatchingLP
from instances.polytopes import PARAMETER_NAMES, Kind, Polytope, PolytopeKind, kind_named, polytope_kinds
from instances.polytopes.simplex import Simplex
from instances.words import require_text

#: Raise when a generator's output changes for any spec: stored instances and hashes of older versions stop matching.
GENERATOR_VERSION = 1

MOST_SOURCES = 2**63 - 1  # offsets are int64
#: How much values and limits change a day where a spec does not say.
USUAL_DRIFT = 0.05


class Spec(Protocol):
    """What generate() takes. `sources`, `destinations` and `expected_edges` are known before any array exists."""

    @property
    def text(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def sources(self) -> int: ...
    @property
    def destinations(self) -> int: ...
    @property
    def expected_edges(self) -> int: ...
    @property
    def identity(self) -> str:
        """Names the content of the instance: its text, with a version or a hash where the text is not enough."""
        ...


@runtime_checkable
class ReadableSpec(Spec, Protocol):
    """A spec of stored or real data, read instead of generated; `nbytes` of the finished arrays."""

    @property
    def nbytes(self) -> int: ...
    def read(self) -> MatchingLP: ...


def in_blocks(spec: Spec) -> TypeGuard[MatchingSpec]:
    """Whether the instance is made block by block: never whole in memory, and each rank its own part alone."""
    return isinstance(spec, MatchingSpec) and isinstance(family(spec.family), BlockFamily)


def digest(spec: Spec) -> str:
    """16 hexadecimal digits that name the content of the instance."""
    return hashlib.sha256(spec.identity.encode()).hexdigest()[:16]


#: Stands for the polytope of the family, by being this object and no other.
_OF_FAMILY = Simplex()


@dataclass(frozen=True, kw_only=True)
class MatchingSpec:
    """A synthetic matching LP.

    sources I, destinations J; `degree` is the nominal mean number of edges of a source (see the family for what
    makes the real mean smaller); `polytope` is the same for all sources, that of the family where none is given.
    `day` and `drift` change the instance as instances/drift.py says; of day 0 the drift says nothing and is the usual.
    """

    family: str
    sources: int
    destinations: int
    degree: float = 10.0
    seed: int = 0
    day: int = 0
    drift: float = USUAL_DRIFT
    polytope: Polytope = field(default=_OF_FAMILY)

    def __post_init__(self) -> None:
        of_family = family(self.family).polytope
        if self.polytope is _OF_FAMILY:
            object.__setattr__(self, "polytope", of_family)
        require_whole("sources", self.sources, least=1, most=MOST_SOURCES)
        require_whole("destinations", self.destinations, least=1)
        require_whole("seed", self.seed, least=0)
        self._check_day()
        if self.destinations >= 2**31:
            raise SpecError(f"destinations={self.destinations}: at most 2^31 - 1 are supported")
        if not (math.isfinite(self.degree) and 0 < self.degree <= self.destinations):
            raise SpecError(
                f"degree={self.degree:g} with destinations={self.destinations}: it must be > 0 and at most destinations"
            )
        for name, value in zip(PARAMETER_NAMES, self.polytope.params, strict=False):
            if not isinstance(value, (int, float)) or not (math.isfinite(value) and value > 0):
                raise SpecError(f"{name}={value}: a spec takes one finite {name} > 0 for all sources")
        if self.least_edges > self.destinations:
            raise SpecError(
                f"{self._polytope_text} needs {self.least_edges} edges a source, destinations={self.destinations}: "
                "use more destinations or a smaller radius"
            )

    def _check_day(self) -> None:
        require_whole("day", self.day, least=0)
        if not 0 <= self.drift <= 1:
            raise SpecError(f"drift={self.drift:g}: expected 0 to 1, the relative change of a day")
        if self.day and not isinstance(family(self.family), BlockFamily):
            raise SpecError(f"day={self.day}: {self.family} is made as a whole and does not drift, use another family")
        object.__setattr__(self, "drift", float(self.drift) if self.day else USUAL_DRIFT)

    @property
    def polytope_kind(self) -> PolytopeKind:
        """What the one kind of all sources means."""
        return polytope_kinds()[Kind(int(self.polytope.kind))]

    @property
    def least_edges(self) -> int:
        """Edges that a source needs to be feasible by itself: those whose limits hold z, where 1'x = z."""
        one = self.polytope_kind
        if not one.equality or one.sum_row is None:
            return 0
        if one.edge_row is None:
            return 1
        at_most, upper = (Fraction(float(self.polytope.params[row])) for row in (one.sum_row, one.edge_row))
        return math.ceil(at_most / upper)  # exact: a rounded quotient may hide the last edge

    @property
    def expected_edges(self) -> int:
        return math.ceil(self.sources * self.degree)

    @property
    def identity(self) -> str:
        return f"{self.text};v{GENERATOR_VERSION}"

    @property
    def text(self) -> str:
        """Canonical text; `parse(spec.text) == spec`, and defaults of the polytope are left out."""
        text = (
            f"{self.family}:sources={self.sources},destinations={self.destinations},"
            f"degree={_number(self.degree)},seed={self.seed}"
        )
        if self.day:
            text += f",day={self.day},drift={_number(self.drift)}"
        return text if self.polytope == family(self.family).polytope else f"{text},{self._polytope_text}"

    @property
    def _polytope_text(self) -> str:
        params = zip(PARAMETER_NAMES, self.polytope.params, strict=False)
        items = (f"{name}={_number(float(value))}" for name, value in params)
        return ",".join((f"polytope={self.polytope_kind.spec_name}", *items))

    @classmethod
    def parse(cls, text: str) -> MatchingSpec:
        """From text such as "dualip:sources=250000,destinations=100,degree=10,seed=42[,polytope=box,radius=1]"; and
        "[,day=3,drift=0.05]" for the same instance on a later day.
        """
        require_text(text, "MatchingSpec.parse")
        allowed = ("sources", "destinations", "degree", "seed", "day", "drift", "polytope", *PARAMETER_NAMES)
        name, values = split_text(text, allowed)
        for key in ("sources", "destinations"):
            if key not in values:
                raise SpecError(f"spec {text!r} lacks {key}: write {name}:sources=I,destinations=J,degree=D,seed=S")
        return cls(
            family=name,
            sources=to_int("sources", values["sources"]),
            destinations=to_int("destinations", values["destinations"]),
            degree=to_float("degree", values.get("degree", "10")),
            seed=to_int("seed", values.get("seed", "0")),
            day=to_int("day", values.get("day", "0")),
            drift=to_float("drift", values.get("drift", repr(USUAL_DRIFT))),
            polytope=_polytope_of(text, values, family(name).polytope),
        )


def _polytope_of(text: str, values: Mapping[str, str], usual: Polytope) -> Polytope:
    """The polytope that a spec's text names, its parameters 1 where it does not give them; `usual` with the parameters
    that it gives where it names none.
    """
    if "polytope" in values:
        one, params = kind_named(values["polytope"]), (1.0,) * len(PARAMETER_NAMES)
    else:
        one, params = polytope_kinds()[Kind(int(usual.kind))], tuple(float(value) for value in usual.params)
    names = PARAMETER_NAMES[: one.parameters]
    for name in PARAMETER_NAMES[one.parameters :]:
        if name in values:
            raise SpecError(f"{name} in spec {text!r}: polytope={one.spec_name} takes {', '.join(names)} only")
    given = {name: to_float(name, values[name]) for name in names if name in values}
    return one.make(*(given.get(name, value) for name, value in zip(names, params, strict=False)))


def split_text(text: str, allowed: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """("family", {key: value}) of a spec's text; refuses a key that is not allowed or comes twice."""
    family, _, rest = text.strip().partition(":")
    values: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals or key not in allowed:
            raise SpecError(f"{item!r} in spec {text!r}: expected key=value with a key of {', '.join(allowed)}")
        if key in values:
            raise SpecError(f"{key} stands twice in spec {text!r}: give it once")
        values[key] = value
    return family, values


def require_whole(key: str, value: object, *, least: int, most: int | None = None) -> None:
    if not isinstance(value, numbers.Integral) or value < least:
        raise SpecError(f"{key}={value!r}: expected a whole number of at least {least}")
    if most is not None and int(value) > most:
        raise SpecError(f"{key} is too large: at most {most:,} are supported")


def to_int(key: str, text: str) -> int:
    """A whole number, also as 250_000 or 1e6."""
    try:
        return int(text)
    except ValueError:
        number = to_float(key, text)
        if number != math.floor(number) or not abs(number) < 2**53:
            raise SpecError(f"{key}={text!r}: expected a whole number") from None
        return int(number)


def to_float(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise SpecError(f"{key}={text!r}: expected a number") from None
    if not math.isfinite(number):
        raise SpecError(f"{key}={text!r}: expected a finite number")
    return number


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
