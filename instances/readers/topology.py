"""Traffic engineering on backbones of the Internet Topology Zoo: how much of each demand goes over which path.

    maximise sum x_p    subject to    sum of x_p over the paths of a pair <= its demand,
                                      sum of x_p over the paths through a link <= capacity

Source: a pair of nodes, drawn from all; edge: one of its paths, in a row for each of its links (one ragged family).
Graph: the largest component, without parallel links, both directions. Up to four paths a pair: the one of fewest hops,
then again the shortest where a link weighs 1 + how often this pair uses it, until a path comes twice; of equal ones
that found first in the order of the file. Demand: the product of the degrees of both ends, scaled to 0.02 a pair in
the mean. Capacity of all links: the median of their loads where each demand is split evenly.
S. Knight et al., The Internet Topology Zoo, IEEE JSAC 29(9), 2011; D. Narayanan et al., Solving large-scale granular
resource allocation problems efficiently with POP, SOSP 2021.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree as ET

import numpy as np

from instances.errors import SpecError
from instances.matching import MatchingLP
from instances.polytopes.simplex import Simplex
from instances.readers._data import DataSpec, Sizes
from instances.rows import RaggedRows
from instances.spec import require_whole

_SEED = 1
_PATHS = 4
_MEAN_DEMAND = 0.02
_HOPS = 20  # of a path, for what an instance takes before it is made; 14 and 16 in the mean

#: Neighbours of each node, in the order of the file.
Graph = list[list[int]]
Path = list[int]


@dataclass(frozen=True, kw_only=True)
class TopologySpec(DataSpec):
    """Demands of pairs drawn from one network."""

    scheme: ClassVar[str] = "topology"
    folder: ClassVar[str] = "topology-zoo"

    network: str = "Cogentco"
    pairs: int = 6000

    def check(self) -> None:
        require_whole("pairs", self.pairs, least=1)
        if not self.network.isalnum():
            raise SpecError(f"topology:network={self.network}: give the name of a network, such as Cogentco")

    @property
    def files(self) -> tuple[str, ...]:
        return (f"{self.network}.graphml",)

    def sizes(self) -> Sizes:
        """Four paths a pair, which some pairs do not have."""
        links = sum(map(len, self._graph()))
        edges = _PATHS * self.pairs
        return Sizes(self.pairs, links, edges, 16 * self.pairs + (20 + 12 * _HOPS) * edges)

    def build(self) -> MatchingLP:
        graph = self._graph()
        ends = _pairs(len(graph), self.pairs)
        paths = [_paths(graph, start, end) for start, end in ends]
        counts = np.array([len(of_pair) for of_pair in paths])
        degree = np.array([len(neighbours) for neighbours in graph])
        weight = np.array([degree[start] * degree[end] for start, end in ends], dtype=np.float64)
        demand = weight * (_MEAN_DEMAND * self.pairs / weight.sum())

        number = {link: k for k, link in enumerate((u, v) for u in range(len(graph)) for v in graph[u])}
        flat = [[number[link] for link in _links(path)] for of_pair in paths for path in of_pair]
        hops = np.array([len(links) for links in flat])
        row = np.concatenate(flat).astype(np.int32)
        split = np.repeat(np.repeat(demand / counts, counts), hops)
        capacity = float(np.median(np.bincount(row, split, len(number))))
        links = RaggedRows(
            "link",
            entry_offsets=np.concatenate(([0], np.cumsum(hops))),
            row=row,
            upper=np.full(len(number), capacity),
            keys=[f"{u}-{v}" for u, v in number],
        )
        return MatchingLP(
            offsets=np.concatenate(([0], np.cumsum(counts))),
            c=np.full(len(flat), -1.0, dtype=np.float32),
            polytope=Simplex(z=demand),
            rows=[links],
        )

    def _graph(self) -> Graph:
        try:
            root = ET.fromstring(self.content_of(self.files[0]))  # noqa: S314 - Expat limits entities
        except ET.ParseError as damage:
            raise ValueError(f"no GraphML: {damage}") from damage
        names = [element.get("id") for element in root.iter() if element.tag.endswith("}node")]
        number = {name: k for k, name in enumerate(names)}
        graph: Graph = [[] for _ in names]
        for element in root.iter():
            if element.tag.endswith("}edge"):
                u, v = number[element.get("source")], number[element.get("target")]
                if u != v and v not in graph[u]:
                    graph[u].append(v)
                    graph[v].append(u)
        return _largest_component(graph)


def _largest_component(graph: Graph) -> Graph:
    components: list[list[int]] = []
    seen: set[int] = set()
    for start in range(len(graph)):
        if start not in seen:
            component = [start]
            seen.add(start)
            for node in component:
                new = [other for other in graph[node] if other not in seen]
                seen.update(new)
                component += new
            components.append(component)
    largest = max(components, key=len, default=[])
    kept = sorted(largest)
    if len(kept) < 2:
        raise ValueError("a network of fewer than two nodes has no pairs")
    number = {node: k for k, node in enumerate(kept)}
    return [[number[other] for other in graph[node]] for node in kept]


def _pairs(nodes: int, count: int) -> list[tuple[int, int]]:
    """Ordered pairs of two nodes, each at most once."""
    possible = nodes * (nodes - 1)
    if count > possible:
        raise ValueError(f"pairs={count}, but {nodes} nodes have {possible}")
    drawn = np.random.default_rng(_SEED).choice(possible, count, replace=False)
    starts, ends = np.divmod(drawn, nodes - 1)
    ends += ends >= starts
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _paths(graph: Graph, start: int, end: int) -> list[Path]:
    uses: Counter[tuple[int, int]] = Counter()
    paths: list[Path] = []
    for _ in range(_PATHS):
        path = _shortest(graph, start, end, uses)
        if path in paths:
            break
        paths.append(path)
        uses.update(_links(path))
    return paths


def _shortest(graph: Graph, start: int, end: int, uses: Counter[tuple[int, int]]) -> Path:
    """Dijkstra's algorithm where link (u, v) weighs 1 + uses[u, v]."""
    before = {start: start}
    distance = {start: 0}
    waiting = [(0, start)]
    while waiting:
        far, node = heapq.heappop(waiting)
        if node == end:
            break
        if far > distance[node]:
            continue
        for other in graph[node]:
            there = far + 1 + uses.get((node, other), 0)
            if there < distance.get(other, there + 1):
                distance[other] = there
                before[other] = node
                heapq.heappush(waiting, (there, other))
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def _links(path: Path) -> list[tuple[int, int]]:
    return list(itertools.pairwise(path))


READER = TopologySpec
