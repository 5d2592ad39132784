"""Box-cut instances: both limits through specs, generators, tightening, explicit form, store, Parquet and hashes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import (
    BoxCut,
    InstanceError,
    Kind,
    MatchingSpec,
    PerSource,
    Polytope,
    Simplex,
    SpecError,
    content_hash,
    generate,
    parse_spec,
    read_parquet,
    write_parquet,
)
from instances.greedy import UNITS, add_load, block_load, loads_of
from instances.row_groups import RowGroups
from instances.store import load, store
from tests.support.optimum import optimum
from tests.support.two_sources import lp_with

INF = float("inf")
SPEC = "unit:sources=2000,destinations=40,degree=4,seed=3,polytope=box-cut,radius=2.5,upper=0.5"


def test_the_text_of_a_spec_has_both_limits() -> None:
    spec = MatchingSpec.parse(SPEC)
    assert spec.polytope == BoxCut(upper=0.5, at_most=2.5)
    assert spec.text == SPEC
    equal = MatchingSpec.parse(SPEC.replace("box-cut", "box-cut-eq"))
    assert equal.polytope == BoxCut(upper=0.5, at_most=2.5, equality=True)
    assert parse_spec(equal.text) == equal
    with pytest.raises(SpecError, match=r"upper=0\.0: a spec takes one finite upper > 0"):
        parse_spec(SPEC.replace("upper=0.5", "upper=0"))


@pytest.mark.parametrize(
    ("polytope", "message"),
    [
        (BoxCut(upper=-1.0, at_most=1.0), "polytope upper of source 0 is -1.0: it must be finite and >= 0"),
        (BoxCut(upper=1.0, at_most=-1.0), "polytope at_most of source 0 is -1.0: it must be finite and >= 0"),
        (BoxCut(upper=np.array([1.0, np.nan]), at_most=1.0), "polytope upper of source 1 is nan"),
        (BoxCut(upper=INF, at_most=1.0), "polytope upper of source 0 is inf"),
        (
            BoxCut(upper=1.0, at_most=np.ones(3)),
            "polytope at_most has shape (3,): give one number or one for",
        ),
        (PerSource(kind=np.array([0, 3], np.uint8), radius=np.ones(2)), "polytope kind BOX_CUT needs 2 parameters"),
    ],
)
def test_bad_limits_are_refused_in_one_line(polytope: Polytope, message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)) as refusal:
        lp_with(polytope)
    assert "\n" not in str(refusal.value)


def test_the_explicit_form_has_a_row_for_the_sum_and_a_bound_for_each_edge() -> None:
    explicit = lp_with(BoxCut(upper=np.array([0.5, 2.0]), at_most=1.0, equality=True)).to_explicit()
    assert explicit.matrix.toarray()[2:].tolist() == [[1, 1, 1, 0], [0, 0, 0, 1]]
    assert explicit.row_lower[2:].tolist() == explicit.row_upper[2:].tolist() == [1.0, 1.0]
    assert explicit.upper.tolist() == [0.5, 0.5, 0.5, 2.0]


def test_limits_of_one_kind_beside_others_are_rows_of_params() -> None:
    kind = np.array([Kind.BOX_CUT, Kind.SIMPLEX], np.uint8)
    limits = lp_with(PerSource(kind=kind, params=np.array([[3.0, 2.0], [1.0, 0.0]]))).per_source.limits()
    assert (limits.at_most.tolist(), limits.upper.tolist()) == ([3.0, 2.0], [1.0, INF])


def test_a_greedy_source_fills_its_best_edges_one_after_another() -> None:
    source, destination = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0])
    key = np.array([1.0, 3.0, 2.0, 1.0], dtype=np.float32)
    load = np.zeros((loads_of(BoxCut(upper=2.0, at_most=3.0, equality=True)), 3), dtype=np.int64)
    a = np.ones(4, dtype=np.float32)
    add_load(load, block_load(BoxCut(upper=2.0, at_most=3.0, equality=True), source, destination, a, key))
    # In units of z = 3: source 0 puts 2/3 on row 1 and 1/3 on row 2, source 1 has 2/3 for row 0; even: 1/3 each, and 1.
    assert load[0] / UNITS == pytest.approx([2 / 3, 2 / 3, 1 / 3])
    assert load[1] / UNITS == pytest.approx([4 / 3, 1 / 3, 1 / 3])


def test_box_cuts_that_do_not_cut_give_the_instances_of_simplices() -> None:
    text = SPEC.replace("polytope=box-cut,radius=2.5,upper=0.5", "polytope={}")
    simplex, cut = (
        generate(parse_spec(text.format("simplex,radius=2"))),
        parse_spec(text.format("box-cut,radius=2,upper=2")),
    )
    assert np.array_equal(generate(cut).b, simplex.b)
    assert np.array_equal(generate(cut).destination, simplex.destination)


def test_generated_equalities_are_feasible_and_their_sources_have_edges_enough() -> None:
    lp = generate(parse_spec(SPEC.replace("box-cut", "box-cut-eq").replace("degree=4", "degree=3")))
    assert lp.degrees().min() >= 5
    even = np.repeat(2.5 / lp.degrees(), lp.degrees())
    assert even.max() <= 0.5
    assert (np.bincount(lp.destination, lp.a * even, lp.destinations) <= lp.b * (1 + 1e-6)).all()
    with pytest.raises(SpecError, match="needs 5 edges a source, destinations=4"):
        parse_spec("unit:sources=20,destinations=4,degree=2,seed=3,polytope=box-cut-eq,radius=2.5,upper=0.5")


def test_both_limits_are_cut_to_what_the_budgets_let_through() -> None:
    cut = lp_with(BoxCut(upper=1e6, at_most=1e6)).tightened.per_source.limits()
    assert cut.upper == pytest.approx([8.0, 8.0])
    assert cut.at_most == pytest.approx([8 + 6 / 2 + 6 / 4, 8.0])
    cut = lp_with(BoxCut(upper=1.0, at_most=1e6), b=np.array([INF, 6.0])).tightened.per_source.limits()
    assert cut.at_most == pytest.approx([3.0, 1.0])
    equal = lp_with(BoxCut(upper=1.0, at_most=1e6, equality=True))
    assert equal.tightened.per_source.limits().at_most.tolist() == [1e6, 1e6]


@settings(max_examples=60, deadline=None)
@given(
    z=st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, 3.0, 1e9])] * 2),
    u=st.tuples(*[st.sampled_from([0.0, 0.25, 1.0, 1e9])] * 2),
    equality=st.booleans(),
    b=st.tuples(*[st.sampled_from([0.0, 1.0, 7.0, 1e12])] * 2),  # HiGHS takes no infinite side
)
def test_the_tightened_instance_has_the_same_optimum(
    z: tuple[float, ...], u: tuple[float, ...], equality: bool, b: tuple[float, ...]
) -> None:
    lp = lp_with(BoxCut(upper=np.array(u), at_most=np.array(z), equality=equality), b=np.array(b))
    assert optimum(lp.tightened) == pytest.approx(optimum(lp), rel=1e-9)


@pytest.mark.parametrize(
    "polytope",
    [
        BoxCut(upper=0.5, at_most=1.5),
        BoxCut(upper=0.5, at_most=np.array([1.5, 0.25]), equality=True),
        PerSource(kind=np.array([4, 2], np.uint8), params=np.array([[1.5, 2.0], [0.5, 0.0]])),
    ],
)
def test_store_and_parquet_give_both_limits_back(tmp_path: Path, polytope: Polytope) -> None:
    lp = lp_with(polytope)
    store(lp, tmp_path / "entry", parse_spec(SPEC))
    write_parquet(lp, tmp_path / "parquet", "by hand")
    stored, (groups, _, _) = load(tmp_path / "entry"), RowGroups(tmp_path / "parquet").read(0, 1)
    assert stored is not None
    for found in (stored, read_parquet(tmp_path / "parquet"), groups):
        assert np.array_equal(found.per_source.kind, lp.per_source.kind)
        assert np.array_equal(found.per_source.params, lp.per_source.params)
        assert content_hash(found) == content_hash(lp)


def test_each_limit_is_part_of_the_hash() -> None:
    made = [
        BoxCut(upper=1.0, at_most=1.0),
        BoxCut(upper=2.0, at_most=1.0),
        BoxCut(upper=1.0, at_most=2.0),
        BoxCut(upper=1.0, at_most=1.0, equality=True),
        BoxCut(upper=np.ones(2), at_most=1.0),
        BoxCut(upper=np.array([1.0, 2.0]), at_most=1.0),
        Simplex(),
    ]
    assert len({content_hash(lp_with(polytope)) for polytope in made}) == len(made)
