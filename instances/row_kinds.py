"""Kinds of rows beyond the short form; solvers declare which of them they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from instances.checks import least_entry
from instances.rows import RaggedRows, Rows
from instances.words import Explained


class RowKind(Explained):
    """What is beyond one aligned family of hard '<=' rows with a >= 0 and limits >= 0; `sentence` says what that is."""

    SEVERAL = "several families", "an edge lies in a row of each of several families"
    RAGGED = "ragged rows", "an edge lies in any number of rows of one family"
    FLOOR = "'>=' rows", "a row has a lower side alone"
    EQUALITY = "'=' rows", "the two sides of a row are one number"
    RANGE = "two-sided rows", "a row has a lower and an upper side that differ"
    NEGATIVE_COEFFICIENT = "negative coefficients", "an edge takes from the activity of a row"
    NEGATIVE_LIMIT = "'<=' rows below 0", "a row has an upper side below 0 alone, which x = 0 leaves"
    SOFT = "soft rows", "a side of a row may be left at a price"


def row_kinds(families: Sequence[Rows | RaggedRows]) -> frozenset[RowKind]:
    """The kinds that occur in `families`; none of them in the short form, and at least one beyond it.

    Every coefficient and every side is looked at once.
    """
    kinds = {kind for family in families for kind in _kinds_of(family)}
    return frozenset(kinds | {RowKind.SEVERAL} if len(families) > 1 else kinds)


def in_words(kinds: frozenset[RowKind]) -> str:
    """Such as "several families, soft rows", in the order of `RowKind`."""
    return ", ".join(kind for kind in RowKind if kind in kinds)


def rows_taken(kinds: frozenset[RowKind]) -> str:
    """The rows that a solver of these kinds takes, as text for a table."""
    if kinds == frozenset(RowKind):
        return "of every kind"
    return f"one '<=' family{f', {in_words(kinds)}' if kinds else ''}"


def _kinds_of(family: Rows | RaggedRows) -> Iterator[RowKind]:
    below = np.isfinite(family.lower)
    above = np.isfinite(family.upper)
    both = below & above
    equal = both & (family.lower == family.upper)
    occurs = {
        RowKind.RAGGED: isinstance(family, RaggedRows),
        RowKind.FLOOR: bool((below & ~above).any()),
        RowKind.EQUALITY: bool(equal.any()),
        RowKind.RANGE: bool((both & ~equal).any()),
        RowKind.NEGATIVE_COEFFICIENT: least_entry(np.atleast_1d(family.coefficient)) < 0,
        RowKind.NEGATIVE_LIMIT: bool((~below & (family.upper < 0)).any()),
        RowKind.SOFT: bool(np.isfinite(family.penalty_below).any() or np.isfinite(family.penalty_above).any()),
    }
    return (kind for kind, it_does in occurs.items() if it_does)
