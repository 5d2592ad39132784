"""MatchingLP: arrays are checked once at the border; the explicit form is the same LP."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Box, InstanceError, Kind, MatchingLP, PerSource, Simplex

INF = float("inf")


def arrays(**changes: Any) -> dict[str, Any]:
    """Three sources (two edges, none, one), two destinations, with `changes`."""
    return {
        "offsets": np.array([0, 2, 2, 3]),
        "destination": np.array([0, 1, 1], dtype=np.int32),
        "a": np.array([1.0, 2.0, 3.0], dtype=np.float32),
        "c": np.array([-1.0, -2.0, 4.0], dtype=np.float32),
        "b": np.array([5.0, 6.0]),
    } | changes


def test_sizes() -> None:
    lp = MatchingLP(**arrays())
    assert (lp.sources, lp.destinations, lp.edges, lp.cells) == (3, 2, 3, 6)
    assert lp.nbytes == 8 * 4 + 4 * 3 * 3 + 8 * 2
    assert lp.degrees().tolist() == [2, 0, 1]
    assert lp.source_of_edge().tolist() == [0, 0, 2]


def test_lists_and_other_integer_types_are_accepted() -> None:
    lp = MatchingLP(offsets=[0, 1], destination=np.array([1], dtype=np.uint8), a=[2], c=[-1], b=[0, 3])  # type: ignore[arg-type]
    assert (lp.offsets.dtype, lp.destination.dtype, lp.a.dtype) == (np.int64, np.int32, np.float64)
    empty = MatchingLP(offsets=[0], destination=[], a=[], c=[], b=[])  # type: ignore[arg-type]
    assert (empty.sources, empty.destinations, empty.edges) == (0, 0, 0)


def test_arrays_of_the_right_type_are_not_copied() -> None:
    given_arrays = arrays()
    lp = MatchingLP(**given_arrays)
    assert all(np.shares_memory(getattr(lp, name), array) for name, array in given_arrays.items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a": [1.0, np.nan, 3.0]}, "a[1] is nan: every entry must be finite"),
        ({"a": [1.0, 2.0, INF]}, "a[2] is inf: every entry must be finite"),
        ({"c": [-INF, 2.0, 3.0]}, "c[0] is -inf: every entry must be finite"),
        ({"b": [1.0, np.nan]}, "b[1] is nan: every entry must be a number"),
        ({"b": [-INF, 1.0]}, "b[0] is -inf: it must be at least 0"),
        ({"b": np.ma.array([1.0, 2.0], mask=[0, 1])}, "b is a masked array"),
        ({"destination": np.ma.array([0, 1, 1], mask=[1, 0, 0])}, "destination is a masked array"),
        ({"b": np.float64(1.0)}, "b is float64[]: expected a one-dimensional array"),
        ({"offsets": np.int64(0)}, "offsets is int64[]: expected a one-dimensional integer array"),
        ({"b": [1.0, -0.5]}, "b[1] is -0.5: it must be at least 0"),
        ({"a": [1.0, -2.0, 3.0]}, "a[1] is -2.0: it must be at least 0"),
        ({"a": [1.0, 2.0]}, "a has 2 entries: offsets end at 3 edges"),
        ({"c": [1.0, 2.0, 3.0, 4.0]}, "c has 4 entries: offsets end at 3 edges"),
        ({"destination": [0]}, "destination has 1 entries: offsets end at 3 edges"),
        ({"destination": [0, 1, 2]}, "destination[2] is 2: it must be in 0..1 (b has 2 entries)"),
        ({"destination": [0, -1, 1]}, "destination[1] is -1: it must be in 0..1"),
        ({"destination": [0, 2**40, 1]}, "destination[1] is 1099511627776: it must be in -2147483648..2147483647"),
        ({"destination": [0.0, 1.0, 1.0]}, "destination is float64[3]: expected a one-dimensional integer array"),
        ({"destination": [[0, 1, 1]]}, "destination is int64[1, 3]: expected a one-dimensional integer array"),
        ({"offsets": [0, 2, 1, 3]}, "offsets fall from 2 to 1 at source 1: they must never decrease"),
        ({"offsets": [1, 2, 2, 3]}, "offsets must start with 0"),
        ({"offsets": []}, "offsets must start with 0 and have one entry more"),
        ({"offsets": np.array([0, 2**63], dtype=np.uint64)}, "offsets[1] is 9223372036854775808: it must be in"),
        ({"a": ["x", "y", "z"]}, "a is <U1[3]: expected a one-dimensional array of numbers"),
        ({"c": np.zeros((3, 1))}, "c is float64[3, 1]: expected a one-dimensional array of numbers"),
        ({"polytope": Simplex(z=-1.0)}, "polytope z of source 0 is -1.0: it must be finite and >= 0"),
        ({"polytope": Simplex(z=np.array([1.0, np.nan, 1.0]))}, "polytope z of source 1 is nan"),
        ({"polytope": Box(INF)}, "polytope upper of source 0 is inf"),
        ({"polytope": Box(np.ones(2))}, "polytope upper has shape (2,): give one number or one for each of 3 sources"),
        ({"polytope": PerSource(kind=np.array([0, 1, 256]), radius=np.ones(3))}, "polytope kind 256 is unknown"),  # type: ignore[arg-type]
        ({"polytope": PerSource(kind=np.array([0.5, 1, 1]), radius=np.ones(3))}, "polytope kind 0.5 is unknown"),  # type: ignore[arg-type]
        ({"polytope": Simplex(z="1")}, "polytope z is <U1: expected numbers"),  # type: ignore[arg-type]
        ({"polytope": PerSource(kind=np.zeros(3, np.uint8), radius=np.full(3, -1.0))}, "polytope radius of source 0"),
        ({"polytope": PerSource(kind=np.zeros(3, np.uint8), params=np.ones((3, 3)))}, "polytope params has 3 rows"),
        ({"polytope": 1.0}, "polytope is of type builtins.float: give one of instances.polytopes"),
    ],
)
def test_arrays_that_are_no_matching_lp_are_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)) as refusal:
        MatchingLP(**arrays(**changes))
    assert "\n" not in str(refusal.value)


def test_a_fault_far_into_a_long_array_is_named() -> None:
    size = (1 << 20) + 5
    offsets = np.arange(size + 1)
    a = np.ones(size, dtype=np.float32)
    a[-2] = np.nan
    fields = {"destination": np.zeros(size, dtype=np.int32), "c": np.zeros(size), "b": np.ones(1)}
    with pytest.raises(InstanceError, match=rf"a\[{size - 2}\] is nan"):
        MatchingLP(offsets=offsets, a=a, **fields)
    offsets[-2] = 0
    with pytest.raises(InstanceError, match=rf"offsets fall from {size - 2} to 0 at source {size - 2}"):
        MatchingLP(offsets=offsets, a=np.ones(size), **fields)


def test_scalar_polytopes_cost_no_memory() -> None:
    lp = MatchingLP(**arrays(polytope=Box(2.0)))
    assert lp.per_source.kind.tolist() == [Kind.BOX] * 3
    assert lp.per_source.radius.tolist() == [2.0] * 3
    assert lp.per_source.kind.strides == lp.per_source.radius.strides == (0,)


@st.composite
def matching_lps(draw: st.DrawFn) -> MatchingLP:
    """Small LPs with empty sources, repeated pairs and all kinds of polytopes."""
    destinations = draw(st.integers(1, 4))
    degrees = draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    edges, sources = sum(degrees), len(degrees)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        destination=rng.integers(0, destinations, edges),
        a=rng.random(edges, dtype=np.float32),
        c=rng.standard_normal(edges),
        b=rng.random(destinations),
        polytope=PerSource(kind=rng.integers(0, 3, sources).astype(np.uint8), radius=rng.random(sources)),
    )


@settings(deadline=None, max_examples=150)
@given(lp=matching_lps())
def test_explicit_form_is_the_dense_construction(lp: MatchingLP) -> None:
    explicit = lp.to_explicit()
    rows, lower, upper = _dense(lp)
    assert np.array_equal(explicit.matrix.toarray(), rows)
    assert np.array_equal(explicit.row_lower, lower)
    assert np.array_equal(explicit.row_upper, upper)
    assert np.array_equal(explicit.c, lp.c)
    kind, radius = lp.per_source.kind, lp.per_source.radius
    source = lp.source_of_edge()
    assert np.array_equal(explicit.upper, np.where(kind[source] == Kind.BOX, radius[source], np.inf))


def _dense(lp: MatchingLP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row by row from the definition: the budgets, then each source that is no box."""
    rows, lower, upper = [], [], []
    for j in range(lp.destinations):
        rows.append(np.where(lp.destination == j, lp.a, 0.0))
        lower.append(-np.inf)
        upper.append(lp.b[j])
    for i in range(lp.sources):
        z = lp.per_source.radius[i]
        if lp.per_source.kind[i] != Kind.BOX:
            rows.append((lp.source_of_edge() == i).astype(float))
            lower.append(z if lp.per_source.kind[i] == Kind.SIMPLEX_EQUALITY else -np.inf)
            upper.append(z)
    return np.array(rows).reshape(len(rows), lp.edges), np.array(lower), np.array(upper)
