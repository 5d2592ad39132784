"""The box-cut: the edges of a source and their sum are limited, {0 <= x <= u, 1'x <= z} or {0 <= x <= u, 1'x = z}."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from instances.polytopes import Kind, Parameter, PolytopeKind, check_equality


@dataclass(frozen=True, kw_only=True)
class BoxCut:
    """{0 <= x <= upper, 1'x <= at_most}, or = at_most with `equality`; each is one number or float64[I].

    upper may also be float64[E], one number an edge, inf for an edge that may take all of at_most; where I == E, an
    array is one number a source, and PerSource(edge_upper=) says one an edge.

    "At most two items, each at most once" is BoxCut(upper=1.0, at_most=2.0). With `equality`, a source whose edges
    cannot take at_most together makes the instance infeasible.
    """

    upper: Parameter
    at_most: Parameter
    equality: bool = False

    fields: ClassVar[Sequence[str]] = ("at_most", "upper")

    def __post_init__(self) -> None:
        check_equality(self.equality)

    @property
    def kind(self) -> Kind:
        return Kind.BOX_CUT_EQUALITY if self.equality else Kind.BOX_CUT

    @property
    def params(self) -> Sequence[Parameter]:
        return (self.at_most, self.upper)

    @property
    def radius(self) -> Parameter:
        return self.at_most


def _make(radius: Parameter, upper: Parameter, *, equality: bool) -> BoxCut:
    return BoxCut(upper=upper, at_most=radius, equality=equality)


KINDS = (
    PolytopeKind(
        kind=Kind.BOX_CUT,
        spec_name="box-cut",
        allows="the sum of a source at most radius, each edge at most upper",
        parameters=2,
        sum_row=0,
        edge_row=1,
        equality=False,
        make=partial(_make, equality=False),
    ),
    PolytopeKind(
        kind=Kind.BOX_CUT_EQUALITY,
        spec_name="box-cut-eq",
        allows="the sum of a source exactly radius, each edge at most upper",
        parameters=2,
        sum_row=0,
        edge_row=1,
        equality=True,
        make=partial(_make, equality=True),
    ),
)
