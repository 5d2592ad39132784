"""Specs: text and back, one clear line for what cannot exist."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import (
    Box,
    InputError,
    MatchingSpec,
    MovieLensSpec,
    Simplex,
    SpecError,
    digest,
    family_names,
    generate,
    memory_bytes,
    named_instances,
    parse_spec,
    peak_memory_bytes,
)

GOOD = "dualip:sources=1000,destinations=100,degree=10,seed=42"

radii = st.floats(1e-3, 1e3)
polytopes = st.one_of(
    radii.map(Box), radii.map(lambda z: Simplex(z=z)), radii.map(lambda z: Simplex(z=z, equality=True))
)


@st.composite
def specs(draw: st.DrawFn) -> MatchingSpec:
    destinations = draw(st.integers(1, 2**31 - 1))
    family = draw(st.sampled_from(family_names()))
    return MatchingSpec(
        family=family,
        day=0 if family == "dualip-v5" else draw(st.integers(0, 400)),
        drift=draw(st.floats(0, 1)),
        sources=draw(st.integers(1, 10**12)),
        destinations=destinations,
        degree=draw(st.floats(1e-6, destinations)),
        seed=draw(st.integers(0, 2**80)),
        polytope=draw(polytopes),
    )


@settings(deadline=None, max_examples=200)
@given(spec=specs())
def test_text_and_back(spec: MatchingSpec) -> None:
    again = parse_spec(spec.text)
    assert again == spec
    assert again.text == spec.text
    assert digest(again) == digest(spec)


@settings(deadline=None, max_examples=200)
@given(one=specs(), other=specs())
def test_different_specs_have_different_digests(one: MatchingSpec, other: MatchingSpec) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_digest_is_stable() -> None:
    assert digest(parse_spec(GOOD)) == "bf0c10618efcdc8c"


def test_defaults_and_spellings() -> None:
    spec = MatchingSpec.parse(" unit: sources=1_000 , destinations=1e2")
    assert spec == MatchingSpec(family="unit", sources=1000, destinations=100, degree=10.0, seed=0)
    assert spec.text == "unit:sources=1000,destinations=100,degree=10,seed=0"


def test_polytopes_of_the_text() -> None:
    assert MatchingSpec.parse(f"{GOOD},polytope=box,radius=0.5").polytope == Box(0.5)
    assert MatchingSpec.parse(f"{GOOD},polytope=simplex-eq").polytope == Simplex(z=1.0, equality=True)
    assert MatchingSpec.parse(f"{GOOD},radius=2").text.endswith("polytope=simplex,radius=2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonesuch:sources=10,destinations=5", "unknown instance 'nonesuch:sources=10,destinations=5': use a named"),
        ("", "unknown instance ''"),
        ("dualip:destinations=5", "lacks sources: write dualip:sources=I,destinations=J,degree=D,seed=S"),
        ("dualip:sources=5", "lacks destinations"),
        ("dualip:sources=0,destinations=5,degree=1", "sources=0: expected a whole number of at least 1"),
        ("dualip:sources=5,destinations=-1,degree=1", "destinations=-1: expected a whole number of at least 1"),
        ("dualip:sources=5,destinations=2147483648,degree=1", "destinations=2147483648: at most 2^31 - 1"),
        ("dualip:sources=100,destinations=5,degree=6", "degree=6 with destinations=5: it must be > 0 and at most"),
        ("dualip:sources=100,destinations=5,degree=0", "degree=0 with destinations=5"),
        ("dualip:sources=100,destinations=5,degree=nan", "degree='nan': expected a finite number"),
        ("dualip:sources=100,destinations=5,degree=ten", "degree='ten': expected a number"),
        ("dualip:sources=1.5,destinations=5", "sources='1.5': expected a whole number"),
        ("dualip:sources=many,destinations=5", "sources='many': expected a number"),
        ("dualip:sources=1e300,destinations=5", "sources='1e300': expected a whole number"),
        ("dualip:sources=100,destinations=50,seed=-1", "seed=-1: expected a whole number of at least 0"),
        ("dualip:sources=100,destinations=50,day=-1", "day=-1: expected a whole number of at least 0"),
        ("dualip:sources=100,destinations=50,day=1.5", "day='1.5': expected a whole number"),
        ("dualip:sources=100,destinations=50,drift=-0.1", "drift=-0.1: expected 0 to 1, the relative change of a day"),
        ("dualip:sources=100,destinations=50,day=1,drift=1.01", "drift=1.01: expected 0 to 1"),
        ("dualip-v5:sources=100,destinations=50,day=1", "day=1: dualip-v5 is made as a whole and does not drift"),
        ("dualip:sources=100,destinations=50,color=red", "'color=red' in spec"),
        ("dualip:sources=100,destinations", "'destinations' in spec"),
        ("dualip:sources=100,sources=100,destinations=50", "sources stands twice in spec"),
        (
            "dualip:sources=100,destinations=50,polytope=ball",
            "polytope='ball' is unknown: use one of simplex ",
        ),
        ("dualip:sources=100,destinations=50,radius=0", "radius=0.0: a spec takes one finite radius > 0"),
        ("dualip:sources=100,destinations=50,radius=inf", "radius='inf': expected a finite number"),
        ("movielens:capacity=0", "capacity=0: expected a whole number of at least 1"),
        ("movielens:capacity=half", "capacity='half': expected a number"),
        ("movielens:users=5", "'users=5' in spec"),
        ("parquet:", "write parquet:path=DIR"),
        ("parquet:folder=x", "write parquet:path=DIR"),
        ("parquet:path=/nonexistent/folder", "/nonexistent/folder holds no instance"),
    ],
)
def test_what_cannot_exist_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)) as refusal:
        parse_spec(text)
    assert "\n" not in str(refusal.value)


def test_fields_of_a_wrong_type_are_refused() -> None:
    with pytest.raises(SpecError, match=r"sources=2\.5: expected a whole number"):
        MatchingSpec(family="unit", sources=2.5, destinations=5, degree=1)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"capacity=1\.5: expected a whole number"):
        MovieLensSpec(capacity=1.5)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"unknown family 'nope': use one of adwords, .*dualip-v5"):
        MatchingSpec(family="nope", sources=2, destinations=5, degree=1)


def test_numpy_integers_make_the_same_spec() -> None:
    spec = MatchingSpec(family="unit", sources=np.int64(20), destinations=np.int32(5), degree=1)  # type: ignore[arg-type]
    assert spec.text == "unit:sources=20,destinations=5,degree=1,seed=0"
    assert parse_spec(spec.text) == spec


def test_a_spec_of_nothing_known_is_refused() -> None:
    class Odd:
        family, text, sources, destinations, expected_edges, identity = "dualip", "odd", 1, 1, 1, "odd"

    with pytest.raises(SpecError, match=r"\.Odd, expected a spec"):
        generate(Odd())


def test_named_instances_are_canonical() -> None:
    assert {name: parse_spec(text).text for name, text in named_instances().items()} == named_instances()
    assert parse_spec(named_instances()["movielens"]) == MovieLensSpec(capacity=1)


def test_the_ladder_keeps_its_ratio_and_ends_at_a_trillion_cells() -> None:
    ladder = {name: parse_spec(text) for name, text in named_instances().items() if name.startswith("ladder-")}
    last = ladder.pop("ladder-100m")
    assert {spec.sources / spec.destinations for spec in ladder.values()} == {2500}
    assert ladder["ladder-50m"].sources * ladder["ladder-50m"].destinations == 10**12
    assert (last.sources * last.destinations, last.expected_edges) == (10**12, 10**9)


@pytest.mark.parametrize("family", family_names())
def test_memory_is_known_beforehand(family: str) -> None:
    spec = parse_spec(named_instances()[f"{family}-20k"])
    made = generate(spec).nbytes
    if family == "paths":  # which of its paths differ is known once they are there
        assert made <= memory_bytes(spec) <= 1.5 * made
    else:
        assert made == pytest.approx(memory_bytes(spec), rel=0.02)
    assert peak_memory_bytes(spec) > memory_bytes(spec)


def test_an_instance_larger_than_memory_is_refused_before_it_is_made() -> None:
    with pytest.raises(InputError, match=r"needs .* GiB of memory while it is made, .* GiB are available"):
        generate(MatchingSpec.parse("dualip:sources=1e12,destinations=1000,degree=10"))
