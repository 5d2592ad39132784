"""Sources that are alike, merged into one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness import solve
from instances import MatchingLP, RaggedRows, Rows, generate, parse_spec
from instances.polytopes.box_cut import BoxCut
from solvers.alike import merge_alike
from tests.support.optimum import optimum
from tests.support.proximal import activity


def queries(seed: int, *, kinds: int = 4, sources: int = 40) -> MatchingLP:
    """Sources of few kinds, in a random order, in rows of both forms; a kind has one to three edges."""
    rng = np.random.default_rng(seed)
    degree = rng.integers(1, 4, kinds)
    first = np.append(0, np.cumsum(degree))
    kind = rng.permutation(np.arange(sources) % kinds)
    edge = np.concatenate([np.arange(first[k], first[k + 1]) for k in kind])
    links = rng.integers(0, 5, (first[-1], 2))
    return MatchingLP(
        offsets=np.append(0, np.cumsum(degree[kind])),
        c=-rng.uniform(1, 2, first[-1])[edge],
        polytope=BoxCut(upper=0.8, at_most=(1.0 + np.arange(kinds) / kinds)[kind]),
        rows=[
            Rows("budget", row=rng.integers(0, 3, first[-1])[edge], coefficient=rng.uniform(1, 2, first[-1])[edge],
                 upper=np.full(3, sources / 5)),
            RaggedRows("link", entry_offsets=2 * np.arange(edge.size + 1), row=links[edge].ravel(),
                       upper=np.full(5, sources / 4)),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_merged_lp_has_a_source_for_each_kind_and_the_same_optimum(seed: int) -> None:
    lp = queries(seed)
    merged = merge_alike(lp)
    assert merged is not None
    assert merged.lp.sources == 4
    assert optimum(merged.lp) == pytest.approx(optimum(lp), rel=1e-9)


def test_points_keep_their_cost_and_their_loads_both_ways() -> None:
    lp = queries(1)
    merged = merge_alike(lp)
    assert merged is not None
    x = np.random.default_rng(1).uniform(size=lp.edges)
    together = merged.together(x)
    each = merged.of_each(together)
    for point, of in ((together, merged.lp), (each, lp)):
        assert of.c @ point == pytest.approx(lp.c @ x)
        np.testing.assert_allclose(activity(of, point), activity(lp, x))
    np.testing.assert_allclose(merged.together(each), together)


def test_one_number_that_differs_keeps_a_source_apart() -> None:
    lp = queries(2)
    c = lp.c.copy()
    c[lp.offsets[7]] *= 1 + 1e-12
    apart = merge_alike(dataclasses.replace(lp, c=c))
    assert apart is not None
    assert apart.lp.sources == 5


def test_sources_of_many_kinds_stay_as_they_are() -> None:
    assert merge_alike(generate(parse_spec("unit:sources=500,destinations=20,degree=5,seed=1"))) is None


def demands(seed: int) -> MatchingLP:
    """Sources of four kinds as above, each times a volume of its own, in small whole numbers."""
    lp = queries(seed)
    rng = np.random.default_rng(seed)
    volume = np.repeat(rng.integers(1, 100, lp.sources), lp.degrees()).astype(np.float32)
    budget, link = lp.rows
    assert isinstance(budget, Rows)
    assert isinstance(link, RaggedRows)
    price = np.rint(8 * np.asarray(budget.coefficient, np.float32))
    total = float((volume * price).sum())
    return dataclasses.replace(
        lp,
        c=volume * np.rint(8 * lp.c).astype(np.float32),
        rows=[
            Rows("budget", row=budget.row, coefficient=volume * price, upper=np.full(3, total / 8)),
            RaggedRows("link", entry_offsets=link.entry_offsets, row=link.row, coefficient=np.repeat(volume, 2),
                       upper=np.full(5, float(volume.sum()) / 8)),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_sources_that_differ_by_a_factor_are_of_one_kind(seed: int) -> None:
    lp = demands(seed)
    merged = merge_alike(lp)
    assert merged is not None
    assert merged.lp.sources == 4
    assert optimum(merged.lp) == pytest.approx(optimum(lp), rel=1e-6)

    x = np.random.default_rng(seed).uniform(size=lp.edges)
    together = merged.together(x)
    each = merged.of_each(together)
    for point, of in ((together, merged.lp), (each, lp)):
        assert of.c @ point == pytest.approx(lp.c @ x)
        np.testing.assert_allclose(activity(of, point), activity(lp, x))


def test_a_factor_of_one_number_alone_keeps_a_source_apart() -> None:
    lp = demands(2)
    c = lp.c.copy()
    first = int(np.flatnonzero(lp.degrees() > 1)[0])
    c[lp.offsets[first]] *= 2
    apart = merge_alike(dataclasses.replace(lp, c=c))
    assert apart is not None
    assert apart.lp.sources == 5


def test_an_answer_speaks_of_every_source() -> None:
    lp = generate(parse_spec("adwords:sources=3000,destinations=30,degree=5,seed=3"))
    result = solve(lp, "blockpdhg", tolerance=1e-6, threads=1, quiet=True)
    assert result.status == "solved"
    assert result.certificate is not None
    assert result.certificate.accuracy <= 1e-6
    assert result.x is not None
    assert result.x.shape == (lp.edges,)
