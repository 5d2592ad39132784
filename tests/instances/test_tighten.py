"""Limits cut to what can be used: no feasible point is lost, and no number that means "no limit" is left."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Box, Kind, MatchingLP, PerSource, Simplex, generate, parse_spec, read_parquet, write_parquet
from instances.content import content_hash
from instances.store import load, store
from instances.tighten import tighten

INF = float("inf")
#: Magnitudes of real data and of "no limit", and those where products leave float64.
NUMBERS = st.one_of(st.floats(0, 1e3), st.floats(0, 1e300), st.sampled_from([0.0, 1.0, 1e-300, 5e-324, 1e20, 1e300]))


@st.composite
def lps(draw: st.DrawFn) -> MatchingLP:
    degrees = draw(st.lists(st.integers(0, 4), max_size=5))
    rows, edges = draw(st.integers(1, 4)), sum(degrees)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    coefficient = st.one_of(st.floats(0, 1024, width=32), st.sampled_from([0.0, 1.0, 1e-40, 1e38]))

    def numbers(strategy: st.SearchStrategy[float], size: int) -> list[float]:
        return draw(st.lists(strategy, min_size=size, max_size=size))

    kind = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=len(degrees), max_size=len(degrees)))
    rows_of = draw(st.lists(st.integers(0, rows - 1), min_size=edges, max_size=edges))
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))).astype(np.int64),
        destination=np.array(rows_of, dtype=np.int32),
        a=np.array(numbers(coefficient, edges), dtype=dtype),
        c=-np.ones(edges, dtype=dtype),
        b=np.array(numbers(st.one_of(NUMBERS, st.just(INF)), rows)),
        polytope=PerSource(kind=np.array(kind, dtype=np.uint8), radius=np.array(numbers(NUMBERS, len(degrees)))),
    )


def exact(values: Any) -> list[Fraction]:
    return [Fraction(float(v)) for v in values]


def feasible_point(lp: MatchingLP, shares: list[Fraction]) -> list[Fraction]:
    """Edge by edge, the share of what source and budget still leave: '=' sources may end below z, x_e <= z counts."""
    x, left, a = [], {j: b if b == INF else Fraction(b) for j, b in enumerate(lp.b.tolist())}, exact(lp.a)
    kind, radius = lp.per_source.kind, exact(lp.per_source.radius)
    for i in range(lp.sources):
        room = radius[i]
        for e in range(int(lp.offsets[i]), int(lp.offsets[i + 1])):
            j = int(lp.destination[e])
            free = left[j] == INF or a[e] == 0
            x.append(shares[e] * (room if free else min(room, left[j] / a[e])))
            left[j] = left[j] if left[j] == INF else left[j] - a[e] * x[-1]
            room -= 0 if kind[i] == Kind.BOX else x[-1]
    return x


@settings(max_examples=300, deadline=None)
@given(lp=lps(), data=st.data())
def test_no_feasible_point_is_cut_off_in_exact_arithmetic(lp: MatchingLP, data: st.DataObject) -> None:
    shares = data.draw(
        st.lists(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1)]), min_size=lp.edges, max_size=lp.edges)
    )
    x, after = feasible_point(lp, shares), tighten(lp)
    a, b, radius = exact(lp.a), exact(after.b), exact(after.per_source.radius)

    for j in range(lp.destinations):
        load = sum((a[e] * x[e] for e in range(lp.edges) if lp.destination[e] == j), Fraction(0))
        assert load <= b[j] or after.b[j] == np.finfo(np.float64).max
    for i in range(lp.sources):
        mine = x[int(lp.offsets[i]) : int(lp.offsets[i + 1])]
        used = max(mine, default=Fraction(0)) if lp.per_source.kind[i] == Kind.BOX else sum(mine, Fraction(0))
        assert used <= radius[i]


@settings(max_examples=200, deadline=None)
@given(lp=lps())
def test_limits_are_finite_and_no_larger_than_what_can_be_used(lp: MatchingLP) -> None:
    after, a = tighten(lp), exact(lp.a)
    assert np.isfinite(after.b).all()
    assert (after.b <= lp.b).all()
    assert (after.per_source.radius <= lp.per_source.radius).all()
    assert after.per_source.kind.tolist() == lp.per_source.kind.tolist()
    assert tighten(after) is after or (tighten(after).b <= after.b).all()

    radius, load = exact(after.per_source.radius), [Fraction(0)] * lp.destinations
    for e, i in enumerate(lp.source_of_edge().tolist()):
        load[int(lp.destination[e])] += a[e] * radius[i]
    more, tiny = 1 + Fraction(1, 10**13), Fraction(4 * lp.edges * 5e-324)
    assert all(Fraction(b) <= more * most + tiny for b, most in zip(after.b.tolist(), load, strict=True))


def two_users(b: list[float], **changes: Any) -> MatchingLP:
    """Users 0 and 1 with edges to rows 0 and 1."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1], dtype=np.int32),
        a=np.array([1.0, 2.0, 4.0, 1.0]),
        c=-np.ones(4),
        b=np.array(b),
    )
    return replace(lp, **changes)


def test_a_budget_is_cut_to_the_largest_load_that_can_arrive() -> None:
    assert tighten(two_users([1.0, INF])).b == pytest.approx([1.0, 3 * 1.0])  # a of row 1: 2 and 1, z = 1
    assert tighten(two_users([1e20, 1e300])).b == pytest.approx([5.0, 3.0])
    assert tighten(two_users([INF, INF], polytope=Box(2.0))).b == pytest.approx([10.0, 6.0])


def test_a_radius_is_cut_to_what_its_budgets_let_through() -> None:
    cut = tighten(two_users([8.0, 6.0], polytope=Simplex(z=1e6)))
    assert cut.per_source.radius == pytest.approx([8 + 6 / 2, 8 / 4 + 6])
    assert cut.b.tolist() == [8.0, 6.0]
    assert tighten(two_users([8.0, 6.0], polytope=Box(1e6))).per_source.radius == pytest.approx([8.0, 6.0])


def test_equality_sources_keep_their_radius() -> None:
    lp = two_users([1.0, 1.0], polytope=Simplex(z=50.0, equality=True))
    assert lp.tightened is lp


def test_an_edge_without_load_lets_everything_through() -> None:
    lp = two_users([0.0, 0.0], a=np.array([0.0, 1.0, 1.0, 1.0]), polytope=Simplex(z=np.array([7.0, 700.0])))
    assert lp.tightened.per_source.radius.tolist() == [7.0, 0.0]


def test_nothing_is_made_where_every_limit_can_bind() -> None:
    lp = two_users([1.0, 1.0])
    assert lp.tightened is lp
    assert (cut := two_users([1.0, INF]).tightened).tightened is cut


def test_the_edges_are_shared_and_the_instance_itself_stays() -> None:
    lp = two_users([1.0, INF])
    assert all(getattr(lp.tightened, name) is getattr(lp, name) for name in ("offsets", "destination", "a", "c"))
    assert lp.b.tolist() == [1.0, INF]


def test_parts_of_an_instance_are_cut_as_the_whole() -> None:
    whole = generate(parse_spec("unit:sources=4000,destinations=30,degree=4,seed=3"))
    whole = replace(whole, b=np.full(whole.destinations, INF))
    parts = [sources_of(whole, 0, 1000), sources_of(whole, 1000, 4000)]
    of_each: list[Any] = []

    def note(loads: Any) -> Any:
        of_each.append(loads)
        return loads

    for part in parts:
        tighten(part, note)
    for part in parts:
        assert tighten(part, lambda _: sum(of_each)).b == pytest.approx(whole.tightened.b, rel=1e-12)


def sources_of(lp: MatchingLP, first: int, last: int) -> MatchingLP:
    edges = slice(int(lp.offsets[first]), int(lp.offsets[last]))
    arrays = {name: getattr(lp, name)[edges] for name in ("destination", "a", "c")}
    return replace(lp, offsets=lp.offsets[first : last + 1] - lp.offsets[first], **arrays)


def test_no_limit_survives_the_explicit_form_the_store_and_parquet(tmp_path: Path) -> None:
    lp = two_users([1.0, INF])
    assert lp.to_explicit().row_upper[:2].tolist() == [1.0, INF]
    assert content_hash(lp) != content_hash(lp.tightened)

    spec = parse_spec("unit:sources=2,destinations=2,degree=1,seed=0")
    store(lp, tmp_path / "entry", spec)
    found = load(tmp_path / "entry")
    assert found is not None
    assert found.b.tolist() == [1.0, INF]

    write_parquet(lp, tmp_path / "parquet", spec.text)
    assert read_parquet(tmp_path / "parquet").b.tolist() == [1.0, INF]


def test_an_instance_of_several_chunks_and_a_huge_source_is_cut_alike() -> None:
    rng = np.random.default_rng(0)
    degrees = np.concatenate(([300_000], np.zeros(200_000, dtype=int), rng.integers(0, 5, 100_000)))
    edges = int(degrees.sum())
    lp = MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        destination=rng.integers(0, 50, edges),
        a=rng.random(edges, dtype=np.float32),
        c=-rng.random(edges, dtype=np.float32),
        b=np.full(50, INF),
        polytope=Simplex(z=2.0),
    )
    loads = np.bincount(lp.destination, weights=2.0 * lp.a.astype(np.float64), minlength=50)
    assert lp.tightened.b == pytest.approx(loads, rel=1e-9)
    assert (lp.tightened.b >= loads * (1 - 1e-12)).all()


def test_an_lp_remembers_the_limits_it_was_given() -> None:
    lp = two_users([8.0, 6.0], polytope=Simplex(z=1e6))
    assert lp.tightened.given is lp
    assert lp.given is lp


def test_sources_that_only_lose_a_part_keep_their_one_limit() -> None:
    lp = generate(parse_spec("dualip:sources=2000,destinations=200,degree=5,seed=1"))
    assert lp.b.min() < 1e-6  # rows that let nearly nothing through
    assert lp.tightened.polytope is lp.polytope
