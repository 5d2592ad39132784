"""A network of links with several paths between some of its nodes, for the family `paths`.

N nodes, J directed links, H hubs, K paths at most between a hub and a node, W = 2 K trees of every hub.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import SpecError
from instances.recipe import Recipe
from instances.sampling import family_generator

#: Pairs of nodes with a link, over nodes: enough for several paths that differ, and no more than a grid has.
_LINKS_PER_NODE = 1.5
#: Demands start at these nodes only, so that a large network needs no tree for every node.
_HUBS = 128
#: Shortest paths under several random lengths of the links differ: from 1 to this.
_LONGEST = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """The trees of all hubs, and which of their paths differ."""

    before: npt.NDArray[np.int32]
    """int32[W, H, N]: the node before this one on the path from the hub, itself at the hub."""
    link: npt.NDArray[np.int32]
    """int32[W, H, N]: the link from there."""
    hops: npt.NDArray[np.int32]
    """int32[W, H, N]: links of the path."""
    kept: npt.NDArray[np.bool_]
    """bool[W, H, N]: the first K paths that differ from those before; none from a hub to itself."""

    @property
    def paths(self) -> npt.NDArray[np.int64]:
        """int64[H, N]: paths of each pair."""
        return np.asarray(self.kept.sum(axis=0))

    @property
    def entries(self) -> npt.NDArray[np.int64]:
        """int64[H, N]: links of all paths of each pair."""
        return np.asarray(np.where(self.kept, self.hops, 0).sum(axis=0))


def draw_network(spec: Recipe) -> Network:
    """With at most J links, on a grid in which some links lack."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    if spec.destinations < 2:
        raise SpecError(f"destinations={spec.destinations}: a network needs at least 2 links, one in each direction")
    rng = family_generator(spec)
    ends = _links(rng, spec.destinations)
    nodes = int(ends.max()) + 1
    hubs = np.sort(rng.choice(nodes, min(nodes, _HUBS), replace=False))
    keep = max(1, round(spec.degree))

    trees: list[Any] = []
    for _ in range(2 * keep):
        length = rng.uniform(1.0, _LONGEST, len(ends))
        graph = csr_array((length, (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
        trees.append(dijkstra(graph, indices=hubs, return_predecessors=True))
    distance = np.stack([found for found, _ in trees])
    before = np.stack([found for _, found in trees]).astype(np.int32)
    at_hub = before < 0
    before[at_hub] = np.nonzero(at_hub)[2]

    link = np.searchsorted(ends[:, 0] * nodes + ends[:, 1], before.astype(np.int64) * nodes + np.arange(nodes))
    link[at_hub] = 0
    name = rng.integers(0, 2**63, len(ends), dtype=np.uint64)  # paths with the same sum of these are the same
    hops, path = _along(distance, before, np.where(at_hub, np.uint64(0), name[link]))
    return Network(before=before, link=link.astype(np.int32), hops=hops, kept=_distinct(path, keep) & (hops > 0))


def _links(rng: np.random.Generator, links: int) -> npt.NDArray[np.int64]:
    """int64[L, 2] from and to, rising, L <= `links`: a random tree on a grid, and further neighbours at random."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    pairs = links // 2
    nodes = max(2, math.floor(pairs / _LINKS_PER_NODE) + 1)
    columns = math.ceil(math.sqrt(nodes))
    node = np.arange(nodes)
    right = node[(node % columns < columns - 1) & (node + 1 < nodes)]
    below = node[node + columns < nodes]
    grid = np.concatenate((np.stack((right, right + 1), axis=1), np.stack((below, below + columns), axis=1)))

    order = 1.0 + rng.permutation(len(grid))
    tree = minimum_spanning_tree(csr_array((order, (grid[:, 0], grid[:, 1])), shape=(nodes, nodes)))
    order[np.isin(order, tree.data)] = 0.0  # the tree first
    chosen = grid[np.argsort(order, kind="stable")[:pairs]]
    both = np.concatenate((chosen, chosen[:, ::-1]))
    return both[np.lexsort((both[:, 1], both[:, 0]))]


def _along(
    distance: npt.NDArray[np.float64], before: npt.NDArray[np.int32], name: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
    """Links of each path, and the sum of their names, [W, H, N]; nodes in the order of their distance from the hub."""
    shape = before.shape
    hops, path = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.uint64)
    order = np.argsort(distance, axis=2)
    for place in range(1, shape[2]):
        node = order[:, :, place, None]
        came = np.take_along_axis(before, node, axis=2)
        np.put_along_axis(hops, node, np.take_along_axis(hops, came, axis=2) + 1, axis=2)
        further = np.take_along_axis(path, came, axis=2) + np.take_along_axis(name, node, axis=2)
        np.put_along_axis(path, node, further, axis=2)
    return hops, path


def _distinct(path: npt.NDArray[np.uint64], keep: int) -> npt.NDArray[np.bool_]:
    """Which of the W paths of each pair are the first `keep` that differ."""
    kept = np.zeros(path.shape, dtype=np.bool_)
    for tree in range(len(path)):
        kept[tree] = (path[:tree] != path[tree]).all(axis=0) & (kept.sum(axis=0) < keep)
    return kept
