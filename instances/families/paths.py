"""Family `paths`: demands between the nodes of a network, each split over some paths, under the capacities of links.

Workload: traffic engineering on a wide-area network (Abuzaid et al., "Contracting Wide-area Network Topologies to Solve
Flow Problems Quickly", NSDI 2021, whose flow problems are of this kind). A source is a demand of volume d_i ~
LogNormal(0, 1) from a hub to another node, an edge one of `degree` paths at most, a destination a link; x is the part
of the demand on a path, c_e = -d_i, x_i in {x >= 0, 1'x <= 1}:

    link    sum of d_i x_e over the edges whose paths use it <= capacity_j      an edge has an entry for each link

capacity_j is U(0.5, 1) of what goes over the link when every demand takes its first path, and some more; x = 0 is
feasible, and for '=' sources there is room for every demand spread evenly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_COEFFICIENT, NO_ROW, Block, BlockFamily, Float64
from instances.families.network import Network, draw_network
from instances.greedy import even_shares, greedy_shares, load_on, loads_of, radius_loads
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import family_generator, starts_of

#: Every link takes at least this part of the mean load of all.
_LEAST = 0.05
#: What '=' sources leave of every link when spread evenly.
_ROOM = 0.02


@dataclass(frozen=True, kw_only=True, eq=False)
class Routes:
    """What all demands share."""

    network: Network
    rho: Float64
    """float64[J]."""


class Paths(BlockFamily[Routes]):
    name = "paths"
    title = "demands split over paths, an edge in a row for each of its links (ragged), capacities of links"
    arrays = MappingProxyType({"c": "f4", "entry_offsets_0": "i8", "row_0": "i4", "coefficient_0": "f4"})

    def draw(self, spec: Recipe) -> Routes:
        return Routes(network=draw_network(spec), rho=family_generator(spec).uniform(0.5, 1.0, spec.destinations))

    def moved(self, drawn: Routes, factor: Float64) -> Routes:
        return replace(drawn, rho=drawn.rho * factor)

    def block(self, spec: Recipe, drawn: Routes, rng: np.random.Generator, sources: int) -> Block:
        network = drawn.network
        hubs, nodes = np.nonzero(network.paths)
        pair = rng.integers(0, hubs.size, sources)
        volume = np.exp(rng.standard_normal(sources)).astype(np.float32)

        hub, node = hubs[pair], nodes[pair]
        source, tree = np.nonzero(network.kept[:, hub, node].T)
        starts, link = _links_of(network, tree, hub[source], node[source])
        edge = np.repeat(np.arange(source.size), np.diff(starts))
        of_entry = volume[source[edge]]

        points = [greedy_shares(spec.polytope, source, -tree.astype(np.float32))]
        if loads_of(spec.polytope) == 2:
            points.append(even_shares(spec.polytope, source))
        return Block(
            arrays={
                "offsets": starts_of(np.bincount(source, minlength=sources)),
                "c": -volume[source],
                "entry_offsets_0": starts,
                "row_0": link.astype(np.int32),
                "coefficient_0": of_entry,
            },
            load=[load_on((0, link, of_entry), x=x[edge], source=source[edge]) for x in points],
        )

    def rows(self, spec: Recipe, drawn: Routes, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        loads = radius_loads(spec.polytope, load)
        capacity = drawn.rho * loads[0] + _LEAST * loads[0].mean()
        for even in loads[1:]:
            capacity = np.maximum(capacity, (1 + _ROOM) * even)
        none = np.zeros(1, dtype=np.int64)
        return [RaggedRows("link", entry_offsets=none, row=NO_ROW, coefficient=NO_COEFFICIENT, upper=capacity)]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return loads_of(spec.polytope), spec.destinations

    def entries_per_edge(self, spec: Sizes) -> float:
        """As measured from 50 to 10,000 links."""
        return 0.45 * math.sqrt(spec.destinations)

    def capacity(self, spec: Recipe, drawn: Routes, sources: int) -> dict[str, int]:  # noqa: ARG002
        """Ten standard deviations above the mean of independent demands."""
        paths = drawn.network.paths
        edges, entries = (
            math.ceil(sources * each.mean() + 10 * math.sqrt(sources) * each.std() + 10 * each.max())
            for each in (paths[paths > 0], drawn.network.entries[paths > 0])
        )
        return {name: entries if self.is_of_entries(name) else edges for name in self.arrays}


def _links_of(network: Network, tree: Any, hub: Any, node: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(starts, link): the links of each path are link[starts[e] : starts[e + 1]], from the hub to the node."""
    starts = starts_of(network.hops[tree, hub, node].astype(np.int64))
    link = np.empty(starts[-1], dtype=np.int64)
    place = starts[1:].copy()  # one after the last link that is not there yet
    under_way = np.arange(tree.size)
    while under_way.size:
        at = tree[under_way], hub[under_way], node[under_way]
        place[under_way] -= 1
        link[place[under_way]] = network.link[at]
        node[under_way] = network.before[at]
        under_way = under_way[place[under_way] > starts[under_way]]
    return starts, link


FAMILY = Paths()
