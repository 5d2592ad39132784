"""Polytopes as objects: found by being there, numbers and hashes that stay, limits that all kinds share."""

from __future__ import annotations

import numpy as np
import pytest

from instances import (
    Box,
    InstanceError,
    Kind,
    MatchingLP,
    PerSource,
    Polytope,
    Simplex,
    SpecError,
    content_hash,
    generate,
    parse_spec,
)
from instances.per_source import params_of
from instances.polytopes import PARAMETER_NAMES, polytope_kinds

INF = float("inf")


def lp_with(polytope: Polytope) -> MatchingLP:
    """Three sources (two edges, none, one), two destinations."""
    return MatchingLP(
        offsets=np.array([0, 2, 2, 3]),
        destination=np.array([0, 1, 1]),
        a=np.array([1.0, 2.0, 3.0], dtype=np.float32),
        c=np.array([-1.0, -2.0, 4.0], dtype=np.float32),
        b=np.array([5.0, 6.0]),
        polytope=polytope,
    )


def test_every_kind_is_found_in_a_file_of_its_own_polytope() -> None:
    assert list(polytope_kinds()) == list(Kind)
    assert len({one.spec_name for one in polytope_kinds().values()}) == len(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_kind_makes_the_polytope_that_has_it(kind: Kind) -> None:
    one = polytope_kinds()[kind]
    parameters = [2.0, 1.0][: one.parameters]
    made = one.make(*parameters)
    assert made.kind is kind
    assert list(made.params) == parameters
    assert len(made.fields) == one.parameters <= len(PARAMETER_NAMES)


def test_the_numbers_of_kinds_stay_as_they_are_stored() -> None:
    assert (Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY, Kind.BOX) == (0, 1, 2)


@pytest.mark.parametrize(
    ("polytope", "content"),
    [
        (Simplex(), "be36ae40bb4ca44b"),
        (Simplex(z=2.5, equality=True), "c0e2751b2d3c4b70"),
        (Box(0.5), "2ab09172ec4580bf"),
        (Simplex(z=np.array([1.0, 2.0, 3.0])), "26346b1ed11ef85d"),
        (PerSource(kind=np.array([0, 1, 2], np.uint8), radius=np.array([1.0, 0.5, 3.0])), "985bcc52a2cf6d26"),
    ],
)
def test_instances_keep_the_hash_that_their_folders_and_records_hold(polytope: Polytope, content: str) -> None:
    assert content_hash(lp_with(polytope))[:16] == content


@pytest.mark.parametrize(
    ("spec", "content"),
    [
        ("unit:sources=500,destinations=20,degree=4,seed=1", "3b1c7e5ed150cbec"),
        ("dualip:sources=500,destinations=20,degree=4,seed=1,polytope=box,radius=0.5", "640525e0588c6605"),
        ("unit:sources=500,destinations=20,degree=4,seed=1,polytope=simplex-eq,radius=2", "3c955160a126ad53"),
        ("dualip-v5:sources=500,destinations=20,degree=4,seed=1", "8d1d81fa77b9a990"),
    ],
)
def test_generated_instances_keep_their_hash(spec: str, content: str) -> None:
    assert content_hash(generate(parse_spec(spec)))[:16] == content


def test_limits_say_the_same_for_all_kinds() -> None:
    kind, radius = np.array([0, 1, 2], np.uint8), np.array([1.0, 0.5, 3.0])
    lp = lp_with(PerSource(kind=kind, radius=radius))
    polytopes = lp.per_source
    limits = polytopes.limits()
    assert limits.at_most.tolist() == [1.0, 0.5, INF]
    assert limits.upper.tolist() == [INF, INF, 3.0]
    assert limits.equality.tolist() == [False, True, False]
    assert params_of(kind, limits, 1).tolist() == [radius.tolist()]
    part = polytopes.part(1, 3, lp.offsets)
    assert part.limits().at_most.tolist() == polytopes.limits(1, 3).at_most.tolist() == [0.5, INF]


def test_limits_that_all_sources_share_take_no_memory() -> None:
    limits = lp_with(Box(2.0)).per_source.limits()
    assert limits.upper.tolist() == [2.0] * 3
    assert {limit.strides for limit in (limits.at_most, limits.upper, limits.equality)} == {(0,)}


def test_per_source_takes_one_parameter_or_all_of_them() -> None:
    kind = np.zeros(3, np.uint8)
    one, all_of_them = PerSource(kind=kind, radius=np.arange(3.0)), PerSource(kind=kind, params=np.arange(3.0)[None])
    assert np.array_equal(lp_with(one).per_source.params, lp_with(all_of_them).per_source.params)
    assert lp_with(one).per_source.radius.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(InstanceError, match=r"radius= .* or params= .*, and not both"):
        PerSource(kind=kind)


def test_a_parameter_that_a_polytope_has_not_is_refused_in_its_text() -> None:
    with pytest.raises(SpecError, match=r"upper in spec .*: polytope=simplex takes radius only"):
        parse_spec("unit:sources=5,destinations=5,degree=1,upper=2")
