"""What an executor needs to know: the columns of the sorted rows, and the form of the instance that they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instances.parquet_edges import Column
from instances.tables.duplicates import Labels

#: Columns of the sorted rows beside the numbers of the keys, which have the names of their numberings.
SOURCE, DESTINATION, POSITION, AT_MOST, UPPER = "source", "destination key", "position", "at_most", "upper"
#: A fault that only the driver can put into words: a key that has no number, and rows of one edge.
UNKNOWN, REPEATED, WORDS = "unknown ", "repeated", "words "


@dataclass(frozen=True, kw_only=True)
class FamilyLayout:
    """Where a family of limits stands in the sorted rows."""

    number: str | None
    """Column of the row's number; None where all edges lie in one row, or in several."""
    entries: str | None = None
    """Column of lists of keys, where an edge lies in several rows."""
    keys: Any = None
    """Arrow array [R] of the keys of such rows."""
    use: str | float = 1.0
    """Column, or one number."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All that an executor needs to know of the instance."""

    folder: str
    """Of the instance."""
    columns: tuple[Column, ...]
    """Of the file of edges."""
    dtypes: Mapping[str, str]
    """Of these columns."""
    families: tuple[FamilyLayout, ...]
    objective: str
    """Column of what is maximised or minimised."""
    maximise: bool
    numbers: tuple[str, ...]
    """Columns of numbers, in the order of the plan."""
    numberings: tuple[str, ...]
    """Columns of numbers of keys, the source first, in the order of the plan."""
    names_an_edge: tuple[str, ...]
    """Those that tell edges apart; DESTINATION for a key that has no number."""
    keys: Mapping[str, str]
    """Columns with the keys of an edge, and the user's names of them."""
    rule: str
    """Of duplicates."""
    labels: Labels
    most: int
    """Edges of a piece, unless a single source has more."""
    parameters: int | None
    """Of the sources' polytopes where the sources differ; None where they are alike."""
    equality: bool
    """Whether the sum of a source is exact."""
