"""The numbers that a synthetic instance is drawn from, as its family sees them."""

from __future__ import annotations

from typing import Protocol

from instances.polytopes import Polytope


class Recipe(Protocol):
    """What a family takes; `instances.MatchingSpec` is one."""

    @property
    def sources(self) -> int: ...
    @property
    def destinations(self) -> int: ...
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
