"""The generalised assignment problem (GAP), relaxed: each job to one agent, at least cost, within capacities.

    minimise sum c_ij x_ij    subject to    sum_i x_ij = 1 for each job j,  sum_j r_ij x_ij <= b_i for each agent i

Source: a job; destination: an agent; every job can go to every agent. Every capacity or nearly every one binds.
P. C. Chu and J. E. Beasley, A genetic algorithm for the generalised assignment problem, 1997 (types A to D of the
OR-Library); M. Yagiura, T. Ibaraki and F. Glover, An ejection chain approach for the generalized assignment problem,
2004 (types C, D and E).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from instances.errors import SpecError
from instances.matching import MatchingLP
from instances.polytopes.simplex import Simplex
from instances.readers._data import DataSpec
from instances.rows import Rows


@dataclass(frozen=True, kw_only=True)
class GapSpec(DataSpec):
    """One instance of the collection, such as d05100: type D, 5 agents, 100 jobs."""

    scheme: ClassVar[str] = "gap"
    folder: ClassVar[str] = "gap"

    file: str = "d05100"

    def check(self) -> None:
        if not self.file.isalnum():
            raise SpecError(f"gap:file={self.file}: give the name of an instance, such as d05100")

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file,)

    def build(self) -> MatchingLP:
        """File: m agents, n jobs; m rows of n costs; m rows of n resources; m capacities."""
        numbers = np.array(self.content_of(self.file).split(), dtype=np.float64)
        agents, jobs = (int(number) for number in numbers[:2])
        if numbers.size != 2 + 2 * agents * jobs + agents:
            raise ValueError(f"{numbers.size} numbers are no GAP of {agents} agents and {jobs} jobs")
        cost, resource = numbers[2:-agents].reshape(2, agents, jobs)
        return MatchingLP(
            offsets=np.arange(jobs + 1) * agents,
            c=cost.T.ravel().astype(np.float32),
            polytope=Simplex(z=1.0, equality=True),
            rows=[
                Rows(
                    "agent",
                    row=np.tile(np.arange(agents, dtype=np.int32), jobs),
                    coefficient=resource.T.ravel().astype(np.float32),
                    upper=numbers[-agents:],
                )
            ],
        )


READER = GapSpec
