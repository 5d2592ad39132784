"""What no whole x can meet, whatever the rest of the LP: seen at single sources and rows, before anything is solved."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from harness.integral.unmeetable_sums import of_sums
from harness.integral.whole_units import ROUNDING, floor, named_row
from harness.rounding import Float64
from instances import InputError, MatchingLP, RaggedRows, Rows

#: Whole numbers beyond this are not told apart in float64.
_LARGEST_WHOLE = 2.0**53
_REMEDY = "change the number, or ask for fractions"


class UnmeetableError(InputError):
    """No whole x can exist; the text says what it cannot meet."""


def numbered_source(source: int) -> str:
    """A source in the words of a refusal, where it has no key."""
    return f"source {source}"


def require_meetable(lp: MatchingLP, name_of_source: Callable[[int], str] = numbered_source) -> None:
    """Raise UnmeetableError, in one line, for the first source or row that no whole x can meet.

    That is a '=' source whose sum is not whole or more than its edges take in whole units, a hard row with whole
    coefficients between whose sides lies no multiple of their common divisor, and sums of whole units that a hard row,
    or all rows of a family, cannot hold or reach (unmeetable_sums.py). Rows may contradict whole x in other ways too:
    that is left to the search.
    """
    for complaint in itertools.chain(_of_sources(lp, name_of_source), _of_rows(lp), of_sums(lp, name_of_source)):
        raise UnmeetableError(f"no whole decisions exist: {complaint}; {_REMEDY}")


def _of_sources(lp: MatchingLP, name: Callable[[int], str]) -> Iterator[str]:
    limits = lp.per_source.limits()
    wanted = np.where(limits.equality, limits.at_most, 0.0)
    fractional = np.abs(wanted - np.rint(wanted)) > ROUNDING * (1 + wanted)
    if fractional.any():
        at = int(np.argmax(fractional))
        yield f"{name(at)} takes exactly {wanted[at]:g}"
        return

    # A product of infinity and 0 edges is no limit that could be short: such a source is infeasible as it is.
    upper = np.where(np.isfinite(limits.upper), limits.upper, 0.0)
    most, most_whole = upper * lp.degrees(), floor(upper) * lp.degrees()
    if lp.edge_upper is not None:
        source, own = lp.source_of_edge(), np.where(np.isfinite(lp.edge_upper), lp.edge_upper, 0.0)
        most = np.bincount(source, own, lp.sources).astype(np.float64)
        most_whole = np.bincount(source, floor(own), lp.sources).astype(np.float64)
    short = np.isfinite(limits.upper) & (wanted > most_whole) & (wanted <= most)
    if short.any():
        at = int(np.argmax(short))
        edges = int(lp.degrees()[at])
        if lp.edge_upper is None:
            yield f"{name(at)} takes exactly {wanted[at]:g}, its {edges} edges at most {upper[at]:g} each, whole"
        else:
            yield f"{name(at)} takes exactly {wanted[at]:g}, its {edges} edges at most {most_whole[at]:g}, whole"


def _of_rows(lp: MatchingLP) -> Iterator[str]:
    for family in lp.rows:
        hard = np.isinf(family.penalty_below) & np.isinf(family.penalty_above)
        between = np.flatnonzero(hard & np.isfinite(family.lower) & np.isfinite(family.upper))
        if not between.size:
            continue
        divisor = _common_divisors(family, lp.edges, between)
        low, high = family.lower[between], family.upper[between]
        with np.errstate(divide="ignore", invalid="ignore"):
            multiple = np.where(divisor > 0, divisor * floor(high / divisor), 0.0)
        missed = (divisor >= 0) & (multiple < low - ROUNDING * (1 + np.abs(low)))
        if missed.any():
            at = int(np.argmax(missed))
            sides = f"{low[at]:g}" if low[at] == high[at] else f"from {low[at]:g} to {high[at]:g}"
            row = named_row(family, int(between[at]))
            yield f"{row} must be {sides}, and whole x make it multiples of {divisor[at]:g}"


def _common_divisors(family: Rows | RaggedRows, edges: int, rows: npt.NDArray[np.int64]) -> Float64:
    """The greatest common divisor of the coefficients of each of `rows`; 0 of a row without any, -1 where one is not
    whole.
    """
    _, row, coefficient = family.entries(edges)
    place = np.full(family.rows, -1)
    place[rows] = np.arange(rows.size)
    wanted = (place[row] >= 0) & (coefficient != 0)
    place, coefficient = place[row[wanted]], np.abs(coefficient[wanted])
    whole = (coefficient == np.rint(coefficient)) & (coefficient < _LARGEST_WHOLE)

    divisor = np.zeros(rows.size, dtype=np.int64)
    np.gcd.at(divisor, place[whole], coefficient[whole].astype(np.int64))
    found = divisor.astype(np.float64)
    found[place[~whole]] = -1.0
    return found
