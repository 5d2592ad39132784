"""Block-addressable generation: the bytes depend on the spec alone; the distribution is the one that is documented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import MatchingLP, MatchingSpec, Simplex, SpecError, assembled, block_count, generate, generate_blocks
from instances.content import arrays_of, limits_hash, part_arrays
from instances.families import families
from instances.families.base import BlockFamily
from instances.families.budget import BudgetFamily
from instances.sampling import BLOCK_SOURCES, MAX_PROBABILITY, alias_table, draw_destinations
from instances.spec import GENERATOR_VERSION

BLOCK_FAMILIES = [name for name, family in families().items() if isinstance(family, BlockFamily)]
#: Families of the short form on the graph that they share.
BUDGET_FAMILIES = [name for name, family in families().items() if isinstance(family, BudgetFamily)]
POLYTOPES = ["simplex", "simplex-eq", "box"]
FIVE_BLOCKS = 4 * BLOCK_SOURCES + 1234


def spec_of(family: str = "dualip", polytope: str = "simplex", radius: float = 1.0, **sizes: float) -> MatchingSpec:
    sizes = {"sources": FIVE_BLOCKS, "destinations": 40, "degree": 3, "seed": 7} | sizes
    text = ",".join(f"{key}={value}" for key, value in sizes.items())
    return MatchingSpec.parse(f"{family}:{text},polytope={polytope},radius={radius}")


def arrays(lp: MatchingLP) -> list[bytes]:
    return [array.tobytes() for array in arrays_of(lp).values()]


@pytest.fixture(scope="module")
def whole() -> dict[str, MatchingLP]:
    return {family: generate(spec_of(family), threads=1) for family in BLOCK_FAMILIES}


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(whole: dict[str, MatchingLP], family: str, threads: int) -> None:
    assert arrays(generate(spec_of(family), threads=threads)) == arrays(whole[family])


@settings(deadline=None, max_examples=25)
@given(family=st.sampled_from(BLOCK_FAMILIES), blocks=st.lists(st.integers(0, 4), max_size=7))
def test_any_blocks_in_any_order_are_the_bytes_of_the_whole(family: str, blocks: list[int]) -> None:
    spec = spec_of(family)
    lp = _whole(family)
    shard = generate_blocks(spec, blocks, threads=1)
    made = assembled(spec, shard.arrays, shard.load)
    end = 0
    for block in blocks:
        first, last = block * BLOCK_SOURCES, min((block + 1) * BLOCK_SOURCES, spec.sources)
        start, end = end, end + last - first
        expected = part_arrays(lp, first, last)
        for name, array in part_arrays(made, start, end).items():
            assert array.tobytes() == expected[name].tobytes(), (name, block)
    assert end == made.sources


@settings(deadline=None, max_examples=25)
@given(
    family=st.sampled_from(BLOCK_FAMILIES),
    polytope=st.sampled_from(POLYTOPES),
    order=st.permutations(range(5)),
    cut=st.integers(0, 5),
)
def test_limits_do_not_depend_on_who_made_which_block(family: str, polytope: str, order: list[int], cut: int) -> None:
    spec = spec_of(family, polytope)
    shards = [generate_blocks(spec, part, threads=1) for part in (order[cut:], order[:cut])]
    made = assembled(spec, shards[0].arrays, shards[0].load + shards[1].load)
    assert limits_hash(made) == limits_hash(_whole(family, polytope))


def test_two_families_with_one_seed_share_the_graph(whole: dict[str, MatchingLP]) -> None:
    for family in BUDGET_FAMILIES:
        assert np.array_equal(whole[family].destination, whole["dualip"].destination)


def test_another_seed_gives_another_instance(whole: dict[str, MatchingLP]) -> None:
    assert arrays(generate(spec_of(seed=8))) != arrays(whole["dualip"])


@pytest.mark.parametrize("family", BUDGET_FAMILIES)
def test_types_and_signs(whole: dict[str, MatchingLP], family: str) -> None:
    lp = whole[family]
    assert (lp.destination.dtype, lp.a.dtype, lp.c.dtype, lp.b.dtype) == (np.int32, np.float32, np.float32, np.float64)
    assert lp.a.min() > 0
    assert lp.c.max() <= 0
    assert lp.b.min() > 0


@pytest.mark.parametrize("family", BUDGET_FAMILIES)
def test_destinations_ascend_within_a_source(whole: dict[str, MatchingLP], family: str) -> None:
    lp = whole[family]
    source = lp.source_of_edge()
    pair = source * lp.destinations + lp.destination
    assert np.all(np.diff(pair) > 0)


def test_dualip_coefficients_are_the_scaled_values(whole: dict[str, MatchingLP]) -> None:
    lp = whole["dualip"]
    scale = draw_destinations(spec_of()).scale
    value = -lp.c
    assert value.max() <= 0.5
    assert np.array_equal(lp.a, (scale[lp.destination] * value).astype(np.float32))


def test_greedy_budgets_of_dualip(whole: dict[str, MatchingLP]) -> None:
    lp = whole["dualip"]
    rho = draw_destinations(spec_of()).rho
    load = _greedy_load(lp, lp.a)
    assert np.allclose(lp.b, rho * (load + 1e-8), rtol=1e-6, atol=1e-7)


def test_greedy_budgets_of_unit_are_whole_slots_by_value(whole: dict[str, MatchingLP]) -> None:
    lp = whole["unit"]
    rho = draw_destinations(spec_of()).rho
    assert np.array_equal(lp.b, np.maximum(1, np.floor(rho * _greedy_load(lp, -lp.c))))


def test_budgets_scale_with_the_radius() -> None:
    one, three = _whole("independent"), generate(spec_of("independent", radius=3.0))
    assert np.allclose(three.b, 3 * one.b, rtol=1e-12, atol=1e-7)


def test_budgets_of_a_box_take_every_edge_in_full() -> None:
    lp = generate(spec_of("independent", "box", radius=0.5))
    load = 0.5 * np.bincount(lp.destination, weights=lp.a, minlength=lp.destinations)
    rho = draw_destinations(spec_of()).rho
    assert np.allclose(lp.b, rho * (load + 1e-8), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("family", BUDGET_FAMILIES)
@pytest.mark.parametrize("degree", [0.2, 3, 30])
def test_equality_instances_have_a_known_feasible_point(family: str, degree: float) -> None:
    lp = generate(spec_of(family, "simplex-eq", radius=2.0, sources=20_000, degree=degree))
    degrees = lp.degrees()
    assert degrees.min() >= 1
    x = np.repeat(2.0 / degrees, degrees)
    used = np.bincount(lp.destination, weights=lp.a * x, minlength=lp.destinations)
    assert np.all(used <= lp.b * (1 + 1e-12))


def test_each_pair_is_an_edge_with_its_own_probability() -> None:
    spec = spec_of(sources=200_000, destinations=12, degree=6)
    lp = generate(spec)
    p = draw_destinations(spec).probability
    assert p.max() == MAX_PROBABILITY  # the cap binds, the hard case
    error = np.abs(np.bincount(lp.destination, minlength=12) / spec.sources - p)
    assert np.all(error < 5 * np.sqrt(p * (1 - p) / spec.sources))


def test_pairs_are_independent() -> None:
    spec = spec_of(sources=200_000, destinations=6, degree=2)
    lp = generate(spec)
    present = np.zeros((lp.sources, lp.destinations))
    present[lp.source_of_edge(), lp.destination] = 1
    correlation = np.corrcoef(present, rowvar=False) - np.eye(6)
    assert np.abs(correlation).max() < 5 / np.sqrt(spec.sources)


def test_mean_degree_is_nominal_at_the_ratio_of_the_ladder() -> None:
    lp = generate(spec_of(sources=250_000, destinations=100, degree=10, seed=42))
    assert lp.edges / lp.sources == pytest.approx(10, rel=2e-3)


def test_a_complete_graph_is_nearly_complete() -> None:
    lp = generate(spec_of(sources=1000, destinations=1, degree=1))
    assert lp.edges > 980


@settings(deadline=None, max_examples=100)
@given(weight=st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=40))
def test_alias_table_reproduces_the_weights(weight: list[float]) -> None:
    chance, alias = alias_table(np.array(weight))
    mass = np.bincount(alias, weights=1 - chance, minlength=len(weight)) + chance
    assert np.all((chance >= 0) & (chance <= 1))
    assert np.allclose(mass / len(weight), np.array(weight) / sum(weight), atol=1e-12)


GOLDEN = {  # edges and the sums of destination, a, c and b
    "dualip": (80205, 2196553, 3597.956384235091, -3440.914699103072, 1413.3187130884933),
    "independent": (80205, 2196553, 132093.28789237887, -3440.914699103072, 23091.112476961283),
    "uniform": (80205, 2196553, 80205.0, -40156.88277184963, 14443.0),
    "unit": (80205, 2196553, 80205.0, -3440.914699103072, 13832.0),
}


@pytest.mark.parametrize("family", GOLDEN)
def test_the_numbers_of_generator_version_1(family: str) -> None:
    """Where this fails on purpose, raise GENERATOR_VERSION: stored instances and published digests depend on it."""
    lp = generate(spec_of(family, sources=20_000, destinations=50, degree=4, seed=11))
    sums = [float(array.sum(dtype=np.float64)) for array in (lp.destination, lp.a, lp.c, lp.b)]
    assert GENERATOR_VERSION == 1
    assert (lp.edges, *sums) == pytest.approx(GOLDEN[family], rel=1e-9)


def test_a_block_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SpecError, match=r"block 5 of .* its blocks are 0\.\.4"):
        generate_blocks(spec_of(), [5])


def test_a_sequential_family_has_no_blocks() -> None:
    with pytest.raises(SpecError, match="dualip-v5 is made as a whole"):
        generate_blocks(spec_of("dualip-v5"), [0])


def test_block_count_covers_all_sources() -> None:
    assert [block_count(spec_of(sources=n)) for n in (1, BLOCK_SOURCES, BLOCK_SOURCES + 1)] == [1, 1, 2]


def test_the_notebook_example() -> None:
    lp = generate(MatchingSpec.parse("dualip:sources=250,destinations=10,degree=3,seed=42"))
    assert (lp.sources, lp.destinations, lp.polytope) == (250, 10, Simplex(z=1.0))


_made: dict[tuple[str, str], MatchingLP] = {}


def _whole(family: str, polytope: str = "simplex") -> MatchingLP:
    if (family, polytope) not in _made:
        _made[family, polytope] = generate(spec_of(family, polytope), threads=1)
    return _made[family, polytope]


def _greedy_load(lp: MatchingLP, key: np.ndarray) -> np.ndarray:
    """The definition, source by source."""
    load = np.zeros(lp.destinations)
    for first, last in zip(lp.offsets[:-1], lp.offsets[1:], strict=True):
        if last > first:
            best = first + int(np.argmax(key[first:last]))
            load[lp.destination[best]] += float(lp.a[best])
    return load
