"""The base class of adapters that work on several ranks; documented here once, as solvers/base.py is for all."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

from instances import Kind, MatchingLP, RowKind
from instances.mapped import is_mapped
from solvers.base import Solver
from solvers.engine.context import SolveContext
from solvers.engine.magnitudes import beyond_range
from solvers.engine.polytopes.kinds import ENGINE_KINDS
from solvers.engine.sizes import Shape, SolveBytes
from solvers.settings import Settings
from solvers.upper_rows import upper_as_rows


class ShardedSolver(Solver):
    """A solver that takes the sources of one rank as its LP and works with the other ranks through a SolveContext.

    The arrays of the LP are those of its own sources, b that of the whole; `Answer.x` is of its own sources as well.
    One that `streams` has the option `memory` of solvers.engine.storage.
    """

    polytopes: ClassVar[frozenset[Kind]] = ENGINE_KINDS
    rows: ClassVar[frozenset[RowKind]] = frozenset(RowKind)
    upper_of_edges: ClassVar[bool] = True
    vectors: ClassVar[int] = 0
    """Primal vectors of cells that a run keeps beside the layout."""

    def memory(self, shape: Shape) -> SolveBytes:
        """Bytes of a solve of a part of this shape with the default settings, for `dualbench plan`."""
        return SolveBytes(shape=shape, vectors=self.vectors)

    def unsuited(self, lp: MatchingLP) -> str:
        """Beside the reasons of every solver: numbers whose products leave float64, and upper bounds of single edges
        that are not in memory.
        """
        if lp.edge_upper is not None and is_mapped(lp.edge_upper):
            return f"{self.id} takes upper bounds of single edges in memory alone, and the instance is in files"
        return super().unsuited(lp) or beyond_range(lp if lp.edge_upper is None else upper_as_rows(lp).lp)

    @abc.abstractmethod
    def prepare(self, lp: MatchingLP, settings: Settings, context: SolveContext | None = None) -> Any:
        """As in Solver; without a context the LP is the whole instance."""
