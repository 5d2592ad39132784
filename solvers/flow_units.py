"""What sources send and rows ask for, counted in units: LPs of one family, whose rows hold one coefficient each.

I sources, J rows, E edges. A unit is what an edge sends where x_e = 1, so that it puts a_j on row j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, RaggedRows

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitRows:
    """float64[J] each, in units."""

    coefficient: Floats
    """a_j > 0; 1 where no edge takes anything of row j."""
    floor: Floats
    """Units that have to arrive; 0 without a hard floor."""
    wanted: Floats
    """Units up to which each one that arrives saves `reward`; 0 without a soft floor."""
    reward: Floats
    """Penalty of one unit below a soft floor; 0 where there is none."""
    room: Floats
    """Units beyond which the upper side is left; inf where there is none."""
    surcharge: Floats
    """Penalty of one unit above `room`; inf where that is forbidden."""


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitSources:
    """Numbers in units."""

    each: Floats
    """float64[K]: the most over one edge, of each source, or of each edge where they differ; 0 without edges."""
    place: npt.NDArray[np.int64]
    """int64[E]: where `each` of an edge stands."""
    width: Floats
    """float64[I]: the most that all edges send together, and exactly that for '=' sources."""


def unit_sources(lp: MatchingLP) -> UnitSources:
    limits, degrees = lp.per_source.limits(), lp.degrees()
    source = lp.source_of_edge()
    if lp.edge_upper is None:
        each, place = np.where(degrees > 0, np.minimum(limits.upper, limits.at_most), 0.0), source
        together = each * degrees
    else:
        each, place = np.minimum(lp.edge_upper, limits.at_most[source]), np.arange(lp.edges)
        together = np.bincount(source, each, lp.sources)
    width = np.where(limits.equality, limits.at_most, np.minimum(limits.at_most, together))
    return UnitSources(each=each, place=place, width=width)


def not_unit_rows(lp: MatchingLP) -> str:
    """Why the rows of `lp` cannot be counted in units; "" where they can. For LPs of one family with a >= 0."""
    family = lp.rows[0]
    if isinstance(family, RaggedRows):
        return "a flow needs one row an edge, and the family is ragged"
    least, most = row_coefficients(lp)
    mixed = np.flatnonzero(least < most)
    if mixed.size:
        j = int(mixed[0])
        return f"a flow needs one coefficient a row: a runs from {least[j]:.6g} to {most[j]:.6g} in row {j}"
    below = np.flatnonzero((family.upper < 0) & (family.penalty_above > 0))
    if below.size:
        return f"a flow is never below 0: row {below[0]} may hold at most {family.upper[below[0]]:.6g}"
    return ""


def unit_rows(lp: MatchingLP) -> UnitRows:
    family = lp.rows[0]
    most = row_coefficients(lp)[1]
    a = np.where(most > 0, most, 1.0)
    asked = (family.lower > 0) & (family.penalty_below > 0)
    hard = asked & np.isinf(family.penalty_below)
    soft = asked & ~hard
    limited = np.isfinite(family.upper) & (family.penalty_above > 0)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the largest number is without limit; inf and 0 are cut
        return UnitRows(
            coefficient=a,
            floor=np.where(hard, family.lower / a, 0.0),
            wanted=np.where(soft, family.lower / a, 0.0),
            reward=np.where(soft, family.penalty_below * a, 0.0),
            room=np.where(limited, family.upper / a, np.inf),
            surcharge=np.where(limited, family.penalty_above * a, np.inf),
        )


def edge_rows(lp: MatchingLP) -> tuple[npt.NDArray[np.int64], Floats]:
    """Row int64[E] and coefficient float64[E] of each edge in the one family."""
    _, row, coefficient = lp.rows[0].entries(lp.edges)
    return row, coefficient


def row_coefficients(lp: MatchingLP) -> tuple[Floats, Floats]:
    """The least and the largest a > 0 of each row, float64[J]; inf and 0 where a row has none."""
    row, a = edge_rows(lp)
    least, most = np.full(lp.row_count, np.inf), np.zeros(lp.row_count)
    np.minimum.at(least, row, np.where(a > 0, a, np.inf))
    np.maximum.at(most, row, a)
    return least, most


def dual_interval(lp: MatchingLP, *, hard_only: bool = False) -> tuple[Floats, Floats]:
    """Least and largest price of each row, float64[J]; hard_only: those of a ray, in which soft sides are no limits."""
    family = lp.rows[0]
    least = np.where(family.lower > 0, -family.penalty_below, 0.0)  # x >= 0 keeps a floor of at most 0
    most = np.where(np.isfinite(family.upper), family.penalty_above, 0.0)
    if hard_only:
        return np.where(np.isinf(least), least, 0.0), np.where(np.isinf(most), most, 0.0)
    return least, most
