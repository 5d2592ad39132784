"""The parts of a problem over tables, as problem.toml names them.

A table is files or a frame in memory. An amount is one number, or the column of a table that holds one a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

Amount = float | str
#: What to do with edges of one source and destination that stand more than once.
DUPLICATES = ("error", "sum", "max", "first")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of one format, or folders of them, as their owner wrote them."""

    patterns: tuple[str, ...]
    """Paths, folders or globs."""
    folder: Path
    """Where relative ones begin."""

    @property
    def label(self) -> str:
        return ", ".join(self.patterns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """A DataFrame of pandas or Polars, an Arrow table, or columns by name."""

    label: str
    """How messages call it."""
    data: Any


Table = Files | Frame


@dataclass(frozen=True, kw_only=True)
class Edges:
    """A row of the table is an edge, with an x of its own."""

    table: Table
    source: str
    """Column of the source's key."""
    destination: str | None = None
    """Column that tells the edges of a source apart."""
    duplicates: str = "error"
    """One of DUPLICATES."""
    at_most: str | None = None
    """Column of the most that x of an edge may be."""


@dataclass(frozen=True, kw_only=True)
class SourceLimits:
    """What each source may do; see instances/polytopes for the sets that follow. Nothing is given where edges alone are
    limited.
    """

    at_most: Amount | None = None
    """Of the sum over the edges of a source."""
    each_at_most: Amount | None = None
    """Of each edge."""
    equals: Amount | None = None
    """The sum itself."""
    table: Table | None = None
    """Where the amounts that are columns stand."""
    key: str = ""
    """Its column of the source's key."""
    never_negative: ClassVar[tuple[str, ...]] = ("at_most", "each_at_most", "equals")

    @property
    def amounts(self) -> dict[str, Amount]:
        """Those that are given, by the name of their key."""
        return _given(self, ("at_most", "each_at_most", "equals"))


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A family of rows: the use of the edges of each key within limits."""

    name: str
    by: tuple[str, ...] = ()
    """Columns of the edges that say in which row an edge lies; none: all lie in one row."""
    use: Amount = 1.0
    """What a unit of x uses: a column of the edges, or one number."""
    at_most: Amount | None = None
    at_least: Amount | None = None
    equals: Amount | None = None
    penalty: Amount | None = None
    """Price of each unit outside; None where the limit is hard."""
    table: Table | None = None
    """Where the amounts that are columns stand, a row for each key."""
    key: tuple[str, ...] = ()
    """Its columns of the key, in the order of `by`."""
    never_negative: ClassVar[tuple[str, ...]] = ("penalty",)

    @property
    def amounts(self) -> dict[str, Amount]:
        """Those that are given, by the name of their key."""
        return _given(self, ("at_most", "at_least", "equals", "penalty"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Statement:
    """All that problem.toml says."""

    objective: str
    """The column of the edges that is maximised or minimised."""
    maximise: bool
    edges: Edges
    sources: SourceLimits
    limits: tuple[Limit, ...]

    @property
    def key_columns(self) -> list[str]:
        """The columns that name an edge: source and destination, or without one the source and the keys of its rows."""
        destination = self.edges.destination
        others = [destination] if destination else [column for limit in self.limits for column in limit.by]
        return list(dict.fromkeys([self.edges.source, *others]))


def _given(limits: SourceLimits | Limit, names: tuple[str, ...]) -> dict[str, Amount]:
    return {name: value for name in names if (value := getattr(limits, name)) is not None}
