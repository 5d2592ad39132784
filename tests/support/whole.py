"""All whole points of a tiny LP, by enumeration: the oracle of whole decisions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, PerSource
from tests.support.families import aligned, ragged

Float64 = npt.NDArray[np.float64]


def whole_points(lp: MatchingLP) -> Iterator[Float64]:
    """Every whole x[E] within the polytopes; rows are not looked at."""
    limits = lp.per_source.limits()
    choices = []
    for i in range(lp.sources):
        most, upper = float(limits.at_most[i]), float(limits.upper[i])
        each = range(math.floor(min(most, upper)) + 1)
        of_source = itertools.product(each, repeat=int(lp.degrees()[i]))
        if limits.equality[i]:
            choices.append([x for x in of_source if sum(x) == most])
        else:
            choices.append([x for x in of_source if sum(x) <= most])
    for parts in itertools.product(*choices):
        yield np.array([value for part in parts for value in part], dtype=np.float64)


def least_whole(lp: MatchingLP) -> float:
    """The least cost of a whole x, with what soft rows cost; inf where none keeps every hard row."""
    points = np.array(list(whole_points(lp)))
    if not len(points):
        return math.inf
    cost = points @ lp.c.astype(np.float64)
    for family in lp.rows:
        edge, row, coefficient = family.entries(lp.edges)
        matrix = np.zeros((lp.edges, family.rows))
        np.add.at(matrix, (edge, row), coefficient)
        activity = points @ matrix
        for over, penalty in (
            (activity - family.upper, family.penalty_above),
            (family.lower - activity, family.penalty_below),
        ):
            cost += np.where(over > 0, np.where(over > 0, over, 1.0) * penalty, 0.0).sum(axis=1)
    return float(cost.min())


def whole_lp(seed: int) -> MatchingLP:
    """A tiny LP with families of every form over sources of every kind; but some z of '<=' and some u all is whole."""
    rng = np.random.default_rng([14, seed])
    degrees = rng.integers(0, 4, int(rng.integers(1, 6)))
    kind = rng.integers(0, len(Kind), degrees.size).astype(np.uint8)
    z, u = rng.integers(0, 3, (2, degrees.size)).astype(np.float64)
    equality = np.isin(kind, (Kind.SIMPLEX_EQUALITY, Kind.BOX_CUT_EQUALITY))
    z += 0.5 * (~equality & (rng.random(degrees.size) < 0.2))
    u += 0.5 * (rng.random(degrees.size) < 0.2)
    edges = int(degrees.sum())
    forms = rng.choice(np.array([aligned, ragged]), int(rng.integers(1, 3)))
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        c=rng.integers(-5, 5, edges).astype(np.float32),
        polytope=PerSource(kind=kind, params=np.stack((np.where(kind == Kind.BOX, u, z), u))),
        rows=[make(rng, f"family {k}", edges) for k, make in enumerate(forms)],
    )
