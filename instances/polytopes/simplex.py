"""The simplex: only the sum over the edges of a source is limited, {x >= 0, 1'x <= z} or {x >= 0, 1'x = z}."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from instances.polytopes import Kind, Parameter, PolytopeKind, check_equality


@dataclass(frozen=True, kw_only=True)
class Simplex:
    """{x >= 0, 1'x <= z}, or = z with `equality`; z is one number or float64[I].

    z limits the sum over the edges of a source, not a single edge: with z = 2, one edge may take 2.
    """

    z: Parameter = 1.0
    equality: bool = False

    fields: ClassVar[Sequence[str]] = ("z",)

    def __post_init__(self) -> None:
        check_equality(self.equality)

    @property
    def kind(self) -> Kind:
        return Kind.SIMPLEX_EQUALITY if self.equality else Kind.SIMPLEX

    @property
    def params(self) -> Sequence[Parameter]:
        return (self.z,)

    @property
    def radius(self) -> Parameter:
        return self.z


def _make(radius: Parameter, *, equality: bool) -> Simplex:
    return Simplex(z=radius, equality=equality)


KINDS = (
    PolytopeKind(
        kind=Kind.SIMPLEX,
        spec_name="simplex",
        allows="the sum of a source at most radius, where one edge may take it all",
        parameters=1,
        sum_row=0,
        edge_row=None,
        equality=False,
        make=partial(_make, equality=False),
    ),
    PolytopeKind(
        kind=Kind.SIMPLEX_EQUALITY,
        spec_name="simplex-eq",
        allows="the sum of a source exactly radius",
        parameters=1,
        sum_row=0,
        edge_row=None,
        equality=True,
        make=partial(_make, equality=True),
    ),
)
