"""The box: each edge of a source is limited, their sum is not, {0 <= x <= u}."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from instances.polytopes import Kind, Parameter, PolytopeKind


@dataclass(frozen=True)
class Box:
    """{0 <= x <= upper} on each edge of the source, whose sum has no limit.

    upper is one number, float64[I] or float64[E]; where I == E, an array is one number a source, and
    PerSource(edge_upper=) says one an edge.
    """

    upper: Parameter = 1.0

    fields: ClassVar[Sequence[str]] = ("upper",)

    @property
    def kind(self) -> Kind:
        return Kind.BOX

    @property
    def params(self) -> Sequence[Parameter]:
        return (self.upper,)

    @property
    def radius(self) -> Parameter:
        return self.upper


KINDS = (
    PolytopeKind(
        kind=Kind.BOX,
        spec_name="box",
        allows="each edge at most radius",
        parameters=1,
        sum_row=None,
        edge_row=0,
        equality=False,
        make=Box,
    ),
)
