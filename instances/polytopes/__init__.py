"""The small polytope C_i of each source: one file a polytope, found by being there.

Every polytope here limits the sum over the edges of a source, each of these edges, or both:

    C_i = {0 <= x_e <= u_i, 1'x <= z_i},    or 1'x = z_i where the kind is an equality

u may differ from edge to edge: then u_i is the largest of a source, and `MatchingLP.edge_upper` has each.

A file of this folder defines the class that a user writes (a `Polytope`) and `KINDS`, one `PolytopeKind` for each kind
of source that the class makes. `Kind` gives the number; files whose name starts with an underscore are not polytopes.
"""

from __future__ import annotations

import enum
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError, SpecError

Float64 = npt.NDArray[np.float64]
#: One number for all sources, or float64[I]; of u also float64[E], one number an edge.
Parameter = float | Float64

#: What the rows of `params` are called where instances are stored and in the text of a spec. Row 0 is z of a polytope
#: that limits the sum, u of a box; row 1 is u of a polytope that limits both.
PARAMETER_NAMES = ("radius", "upper")


class Kind(enum.IntEnum):
    """The number of each kind of source, which stored instances hold: never change one."""

    SIMPLEX = 0
    SIMPLEX_EQUALITY = 1
    BOX = 2
    BOX_CUT = 3
    BOX_CUT_EQUALITY = 4


@runtime_checkable
class Polytope(Protocol):
    """What an instance takes: the same polytope for all sources, or one a source (`instances.PerSource`)."""

    @property
    def kind(self) -> Kind | npt.NDArray[np.uint8]:
        """One for all sources, or uint8[I]."""
        ...

    @property
    def params(self) -> Sequence[Parameter] | Float64:
        """A `Parameter` for each, in the order of PARAMETER_NAMES."""
        ...

    @property
    def fields(self) -> Sequence[str]:
        """The parameters in the words of whoever made this polytope, for refusals."""
        ...


@dataclass(frozen=True, kw_only=True)
class PolytopeKind:
    """What one kind of source means, for everybody who asks by number."""

    kind: Kind
    spec_name: str
    """The polytope in the text of a spec, such as "simplex-eq"."""
    allows: str
    """What a source may do, in the words of PARAMETER_NAMES."""
    parameters: int
    """Rows of `params` that the kind uses; the others are 0."""
    sum_row: int | None
    """Row of `params` with z; None where the sum has no limit of its own."""
    edge_row: int | None
    """Row of `params` with u; None where an edge has no limit of its own."""
    equality: bool
    """Whether the sum is z, not at most z."""
    make: Callable[..., Polytope]
    """The polytope from its parameters in the order of PARAMETER_NAMES."""

    def at_most(self, params: Float64) -> Float64:
        """z of n sources, float64[n], from their params[P, n]; inf where the sum has no limit."""
        return _row_or_inf(params, self.sum_row)

    def upper(self, params: Float64) -> Float64:
        """u of n sources, float64[n], from their params[P, n]; inf where an edge has no limit."""
        return _row_or_inf(params, self.edge_row)


def check_equality(equality: object) -> None:
    """InstanceError unless it is True or False: a text such as "no" would count as true."""
    if not isinstance(equality, bool | np.bool_):
        raise InstanceError(f"polytope equality is {equality!r}: expected True or False")


@cache
def polytope_kinds() -> dict[Kind, PolytopeKind]:
    """What each kind means, in the order of their numbers."""
    modules = (info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    kinds = [one for module in modules for one in importlib.import_module(f"{__name__}.{module}").KINDS]
    return {one.kind: one for one in sorted(kinds, key=lambda one: one.kind)}


def kind_named(spec_name: str) -> PolytopeKind:
    """The kind that the text of a spec names; SpecError with what each allows where there is none."""
    by_name = {one.spec_name: one for one in polytope_kinds().values()}
    if spec_name not in by_name:
        known = "; ".join(f"{name} ({one.allows})" for name, one in by_name.items())
        raise SpecError(f"polytope={spec_name!r} is unknown: use one of {known}")
    return by_name[spec_name]


def _row_or_inf(params: Float64, row: int | None) -> Float64:
    if row is None:
        return np.broadcast_to(np.inf, params.shape[1:])
    limits: Float64 = params[row]
    return limits
