"""What an instance is made from: a frozen specification with a text form and a stable content hash."""

from __future__ import annotations

import hashlib
import math
import numbers
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from instances.errors import SpecError
from instances.polytope import Box, Simplex
from instances.words import require_text

if TYPE_CHECKING:
    from instances.matching import MatchingLP

#: Raise when a generator's output changes for any spec: stored instances and hashes of older versions stop matching.
GENERATOR_VERSION = 1

MOST_SOURCES = 2**63 - 1  # offsets are int64
#: Polytope by its name in a text: what it allows.
_POLYTOPES = {
    "simplex": "the sum of a source at most radius, where one edge may take it all",
    "simplex-eq": "the sum of a source exactly radius",
    "box": "each edge at most radius",
}


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


def digest(spec: Spec) -> str:
    """16 hexadecimal digits that name the content of the instance."""
    return hashlib.sha256(spec.identity.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class MatchingSpec:
    """A synthetic matching LP.

    sources I, destinations J; `degree` is the nominal mean number of edges of a source (see the family for what
    makes the real mean smaller); `polytope` is the same for all sources.
    """

    family: str
    sources: int
    destinations: int
    degree: float = 10.0
    seed: int = 0
    polytope: Simplex | Box = field(default_factory=Simplex)

    def __post_init__(self) -> None:
        from instances.families import family

        family(self.family)
        require_whole("sources", self.sources, least=1, most=MOST_SOURCES)
        require_whole("destinations", self.destinations, least=1)
        require_whole("seed", self.seed, least=0)
        if self.destinations >= 2**31:
            raise SpecError(f"destinations={self.destinations}: at most 2^31 - 1 are supported")
        if not (math.isfinite(self.degree) and 0 < self.degree <= self.destinations):
            raise SpecError(
                f"degree={self.degree:g} with destinations={self.destinations}: it must be > 0 and at most destinations"
            )
        radius = self.polytope.radius
        if not isinstance(radius, (int, float)) or not (math.isfinite(radius) and radius > 0):
            raise SpecError(f"radius={radius}: a spec takes one finite radius > 0 for all sources")

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
        if self.polytope == Simplex():
            return text
        name = "box" if isinstance(self.polytope, Box) else "simplex-eq" if self.polytope.equality else "simplex"
        return f"{text},polytope={name},radius={_number(float(self.polytope.radius))}"

    @classmethod
    def parse(cls, text: str) -> MatchingSpec:
        """From text such as "dualip:sources=250000,destinations=100,degree=10,seed=42[,polytope=box,radius=1]"."""
        require_text(text, "MatchingSpec.parse")
        family, values = split_text(text, ("sources", "destinations", "degree", "seed", "polytope", "radius"))
        for key in ("sources", "destinations"):
            if key not in values:
                raise SpecError(f"spec {text!r} lacks {key}: write {family}:sources=I,destinations=J,degree=D,seed=S")
        name, radius = values.get("polytope", "simplex"), to_float("radius", values.get("radius", "1"))
        if name not in _POLYTOPES:
            known = "; ".join(f"{known} ({allows})" for known, allows in _POLYTOPES.items())
            raise SpecError(f"polytope={name!r} is unknown: use one of {known}")
        return cls(
            family=family,
            sources=to_int("sources", values["sources"]),
            destinations=to_int("destinations", values["destinations"]),
            degree=to_float("degree", values.get("degree", "10")),
            seed=to_int("seed", values.get("seed", "0")),
            polytope=Box(radius) if name == "box" else Simplex(z=radius, equality=name == "simplex-eq"),
        )


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
