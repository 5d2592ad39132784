"""Instances that drift: deterministic by blocks, feasible on every day, and what stays is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from instances import (
    MatchingLP,
    MatchingSpec,
    SpecError,
    assembled,
    content_hash,
    generate,
    generate_blocks,
    parse_spec,
)
from instances.content import part_arrays
from instances.drift import LEAVING
from instances.families import families
from instances.families.base import BlockFamily
from instances.readers.journey import JourneySpec
from instances.sampling import BLOCK_SOURCES
from instances.staying import EdgeKeys, by_keys, stayed, stayed_sources

BLOCK_FAMILIES = [name for name, family in families().items() if isinstance(family, BlockFamily)]
Triple = tuple[str, int, bool]
#: Their limits leave no slack, so they follow the sources alone.
WITHOUT_SLACK = {"reviewers", "transport"}
TWO_BLOCKS = BLOCK_SOURCES + 777


def on_day(family: str, day: int, drift: float = 0.05, **sizes: int) -> MatchingSpec:
    sizes = {"sources": TWO_BLOCKS, "destinations": 30, "degree": 3, "seed": 7} | sizes
    text = ",".join(f"{key}={value}" for key, value in sizes.items())
    return MatchingSpec.parse(f"{family}:{text},day={day},drift={drift}")


def limits(lp: MatchingLP) -> np.ndarray:
    return np.concatenate([np.concatenate((rows.lower, rows.upper)) for rows in lp.rows])


def test_day_0_is_the_instance_without_days() -> None:
    plain = parse_spec("unit:sources=100,destinations=10,degree=3,seed=1")
    assert parse_spec("unit:sources=100,destinations=10,degree=3,seed=1,day=0,drift=0.3") == plain
    assert plain.text == "unit:sources=100,destinations=10,degree=3,seed=1"


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
def test_any_blocks_in_any_order_are_the_bytes_of_the_whole(family: str) -> None:
    spec = on_day(family, 3)
    lp = generate(spec)
    shards = [generate_blocks(spec, [block], threads=1) for block in (1, 0)]
    load = shards[0].load + shards[1].load
    for shard, (first, last) in zip(shards, ((BLOCK_SOURCES, TWO_BLOCKS), (0, BLOCK_SOURCES)), strict=True):
        made = assembled(spec, shard.arrays, load)
        assert limits(made).tobytes() == limits(lp).tobytes()
        expected = part_arrays(lp, first, last)
        for name, array in part_arrays(made, 0, made.sources).items():
            assert array.tobytes() == expected[name].tobytes(), name


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
def test_what_stays_keeps_its_edges_and_values_move_by_the_drift(family: str) -> None:
    before, after = on_day(family, 1), on_day(family, 2)
    one, other = generate(before), generate(after)
    same = stayed((before, one), (after, other))
    assert 0.95 * one.edges < same.before.size < one.edges

    for rows, later in zip(one.rows, other.rows, strict=True):
        old, new = rows.entries(one.edges), later.entries(other.edges)
        kept, came = (np.isin(entries[0], edges) for entries, edges in ((old, same.before), (new, same.after)))
        assert np.array_equal(old[1][kept], new[1][came])
        assert np.array_equal(old[2][kept], new[2][came])
    step = np.log(other.c[same.after].astype(np.float64) / one.c[same.before])
    assert np.std(step) == pytest.approx(0.05, rel=0.02)
    assert abs(step.mean() + 0.05**2 / 2) < 5 * 0.05 / np.sqrt(step.size)


@pytest.mark.parametrize("family", sorted(set(BLOCK_FAMILIES) - WITHOUT_SLACK))
def test_limits_move_where_no_source_leaves_with_the_drift(family: str) -> None:
    still, moved = (generate(on_day(family, 2, drift)) for drift in (0.0, 0.3))
    assert still.edges == moved.edges
    assert not np.array_equal(limits(still), limits(moved))


@settings(deadline=None, max_examples=15)
@given(first=st.integers(0, 5), days=st.integers(1, 5), seed=st.integers(0, 2**70))
def test_two_percent_of_the_sources_leave_a_day(first: int, days: int, seed: int) -> None:
    one, other = on_day("unit", first, seed=seed), on_day("unit", first + days, seed=seed)
    share = (1 - LEAVING) ** days
    deviation = np.sqrt(share * (1 - share) / TWO_BLOCKS)
    assert stayed_sources(one, other).size / TWO_BLOCKS == pytest.approx(share, abs=6 * deviation)


def test_sources_that_leave_are_replaced_by_others() -> None:
    before, after = on_day("uniform", 0), on_day("uniform", 1)
    one, other = generate(before), generate(after)
    gone = np.setdiff1d(np.arange(one.sources), stayed_sources(before, after))
    assert gone.size
    same = [np.array_equal(_edges(one, source), _edges(other, source)) for source in gone.tolist()]
    assert sum(same) < 0.2 * gone.size  # three edges to a few popular destinations may agree by chance


def test_without_drift_values_stay() -> None:
    before, after = on_day("dualip", 1, 0.0), on_day("dualip", 4, 0.0)
    one, other = generate(before), generate(after)
    same = stayed((before, one), (after, other))
    assert np.array_equal(one.c[same.before], other.c[same.after])


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
def test_every_day_is_feasible(family: str) -> None:
    for polytope in ("", ",polytope=simplex-eq,radius=2"):
        text = on_day(family, 4, 0.5, sources=200, destinations=20, degree=5).text
        explicit = generate(parse_spec(text + polytope)).to_explicit()
        rows = LinearConstraint(explicit.matrix, explicit.row_lower, explicit.row_upper)
        assert milp(explicit.c, constraints=rows, bounds=Bounds(0, explicit.upper)).status == 0


def test_days_of_different_series_are_refused() -> None:
    one = on_day("unit", 1)
    for other in (on_day("unit", 2, drift=0.1), on_day("unit", 2, seed=8), on_day("uniform", 2)):
        with pytest.raises(SpecError, match="are no days of one series"):
            stayed_sources(one, other)


def test_a_day_is_another_instance() -> None:
    hashes = {content_hash(generate(on_day("unit", day, sources=500))) for day in range(4)}
    assert len(hashes) == 4
    assert dataclasses.replace(on_day("unit", 3), day=0) == on_day("unit", 0)


def test_quarters_are_matched_by_household_and_category() -> None:
    specs = [JourneySpec(lp="recurring", quarter=quarter) for quarter in (1, 2)]
    one, other = (spec.read() for spec in specs)
    same = stayed((specs[0], one), (specs[1], other))
    assert np.array_equal(same.before, np.flatnonzero((one.c < 0) & (other.c < 0)))
    assert np.array_equal(same.before, same.after)  # the four LPs have the edges of the year
    assert 0.5 < same.before.size / np.count_nonzero(one.c) < 0.7


@settings(deadline=None, max_examples=50)
@given(
    pairs=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=12),
    other=st.lists(st.tuples(st.sampled_from("bcd"), st.integers(0, 3), st.booleans()), max_size=12),
)
def test_edges_are_found_again_by_both_keys(pairs: list[Triple], other: list[Triple]) -> None:
    same = by_keys(_keys(pairs), _keys(other))
    assert all(pairs[i] == other[k] and pairs[i][2] for i, k in zip(same.before, same.after, strict=True))
    both = {pair for pair in pairs if pair[2]} & {pair for pair in other if pair[2]}
    assert same.before.size == len(both)
    assert np.all(np.diff(same.before) > 0)


def _keys(pairs: list[Triple]) -> EdgeKeys:
    source, destination, present = zip(*pairs, strict=True) if pairs else ((), (), ())
    return EdgeKeys(
        source=np.array(source, dtype=object),
        destination=np.array(destination, dtype=np.int64),
        present=np.array(present, dtype=np.bool_),
    )


def _edges(lp: MatchingLP, source: int) -> np.ndarray:
    return lp.destination[lp.offsets[source] : lp.offsets[source + 1]]
