"""An instance spread over ranks: what each of them sees is what one process sees."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from instances import Kind, MatchingLP, PerSource
from solvers.base import Vector
from solvers.engine.collectives import Communicator
from solvers.engine.context import SolveContext
from solvers.engine.prices import Prices
from solvers.engine.row_bounds import row_bounds
from tests.support.feasible_rows import general_lp
from tests.support.proximal import InEdges, mixed_lp
from tests.support.ranks import on_ranks

STEP = 2.0


def with_box_cuts_first(seed: int) -> MatchingLP:
    """Box-cuts among the first sources alone: the last rank has none, and no u."""
    lp = mixed_lp(seed)
    kind = lp.per_source.kind.copy()
    late = np.arange(lp.sources) >= lp.sources // 3
    kind[late & (kind == Kind.BOX_CUT)] = Kind.SIMPLEX
    kind[late & (kind == Kind.BOX_CUT_EQUALITY)] = Kind.SIMPLEX_EQUALITY
    upper = np.where(np.isin(kind, (Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY)), lp.per_source.params[1], 0.0)
    return replace(lp, polytope=PerSource(kind=kind, params=[lp.per_source.radius, upper]))


INSTANCES: dict[str, Callable[[int], MatchingLP]] = {
    "one family": mixed_lp,
    "several families": general_lp,
    "box-cuts on one rank": with_box_cuts_first,
}


def parts_of(lp: MatchingLP, size: int) -> Iterator[tuple[slice, MatchingLP]]:
    """Neighbouring sources for each rank, with the place of their edges."""
    cuts = np.linspace(0, lp.sources, size + 1).astype(int)
    for first, last in itertools.pairwise(cuts):
        own = slice(int(lp.offsets[first]), int(lp.offsets[last]))
        make = MatchingLP if lp.is_short_form else MatchingLP.beyond
        yield (
            own,
            make(
                offsets=lp.offsets[first : last + 1] - own.start,
                c=lp.c[own],
                polytope=lp.per_source.part(first, last, lp.offsets),
                rows=[family.part(own.start, own.stop) for family in lp.rows],
            ),
        )


def seen(view: InEdges, centre: Vector, price: Prices, moved: Prices) -> list[Vector]:
    """What decisions are taken from, of a pass, of the subproblem around it, and of its Newton system."""
    result = view.evaluate(centre, STEP, price)
    radius = view.full.margin_quantile(0.4)
    shares = [view.full.free_share(), view.full.slack_share(view.at(np.zeros(centre.size), STEP, price)), radius]
    newton = view.newton(centre, STEP, price, radius)
    near = newton.evaluate(moved)
    direction = newton.direction(near, np.arange(price.size) % 3 != 0)
    return [result.loads.numpy(), result.sums.numpy(), np.array(shares), near.gradient, np.array([near.phi]), direction]


@pytest.mark.parametrize("shared", [True, False], ids=["subproblem on every rank", "subproblem spread"])
@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("instance", INSTANCES)
def test_every_rank_sees_what_one_process_sees(instance: str, ranks: int, shared: bool) -> None:
    shared_cells = 1 << 20 if shared else 0
    for seed in range(6):
        lp = INSTANCES[instance](seed)
        rng = np.random.default_rng(seed)
        centre = rng.uniform(0, 0.5, lp.edges)
        bounds = row_bounds(lp)
        price = bounds.clip(rng.normal(0.5, 1, lp.row_count))
        moved = bounds.clip(price + rng.uniform(0, 0.05, price.size))
        alone = seen(InEdges(lp), centre, price, moved)
        parts = list(parts_of(lp, ranks))

        def work(group: Communicator) -> list[Vector]:
            own, part = parts[group.rank]  # noqa: B023 - called in this round
            view = InEdges(part, context=SolveContext(group), shared_cells=shared_cells)
            return seen(view, centre[own], price, moved)  # noqa: B023

        found = on_ranks(ranks, work)
        for numbers in found:
            for mine, theirs in zip(numbers, alone, strict=True):
                np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9)
        assert len({b"".join(values.tobytes() for values in numbers) for numbers in found}) == 1


def test_the_prices_of_the_first_rank_count() -> None:
    parts = list(parts_of(mixed_lp(1), 2))

    def work(group: Communicator) -> tuple[Prices, float]:
        view = InEdges(parts[group.rank][1], context=SolveContext(group))
        return view.full.agree(np.array([1.0 + group.rank, 2.0]), 3.0 + group.rank)

    for price, rise in on_ranks(2, work):
        assert price.tolist() == [1.0, 2.0]
        assert rise == 3.0
