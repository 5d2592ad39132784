"""The numbers that a synthetic instance is drawn from, as its family sees them."""

from __future__ import annotations

from typing import Protocol

from instances.polytopes import Polytope


class Sizes(Protocol):
    """What is known of any instance before it is there."""

    @property
    def sources(self) -> int: ...
    @property
    def destinations(self) -> int: ...


class Recipe(Sizes, Protocol):
    """What a family takes; `instances.MatchingSpec` is one."""

    @property
    def degree(self) -> float:
        """Nominal mean number of edges of a source."""
        ...

    @property
    def seed(self) -> int: ...
    @property
    def polytope(self) -> Polytope:
        """The same for all sources."""
        ...

    @property
    def least_edges(self) -> int:
        """Edges that a source needs to be feasible by itself."""
        ...
