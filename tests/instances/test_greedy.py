"""Loads: best edges by definition, exact sums in any order, refusal before overflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Box, InputError, Simplex
from instances.greedy import UNITS, Load, add_load, best_edges, block_load, loads_of

keys = st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=30).map(sorted)


@settings(deadline=None, max_examples=200)
@given(edges=keys)
def test_best_edge_is_the_first_with_the_largest_key(edges: list[tuple[int, int]]) -> None:
    source = np.array([s for s, _ in edges], dtype=np.int64)
    key = np.array([k for _, k in edges], dtype=np.float64)
    expected = [int(np.flatnonzero(source == s)[np.argmax(key[source == s])]) for s in np.unique(source)]
    assert best_edges(source, key).tolist() == expected


SOURCE, DESTINATION = np.array([0, 0, 2]), np.array([1, 2, 1])
A = np.array([0.5, 0.25, 3.0], dtype=np.float32)


def total(polytope: Simplex | Box, key: np.ndarray = A) -> list[list[float]]:
    load = np.zeros((loads_of(polytope), 3), dtype=np.int64)
    add_load(load, block_load(polytope, SOURCE, DESTINATION, A, key))
    return (load / UNITS).tolist()


def test_a_simplex_spends_on_its_best_edge() -> None:
    assert total(Simplex()) == [[0.0, 3.5, 0.0]]
    assert total(Simplex(), key=np.array([0.0, 1.0, 0.0], dtype=np.float32)) == [[0.0, 3.0, 0.25]]


def test_a_box_takes_every_edge() -> None:
    assert total(Box()) == [[0.0, 3.5, 0.25]]


def test_an_equality_simplex_also_spreads_evenly() -> None:
    assert total(Simplex(equality=True)) == [[0.0, 3.5, 0.0], [0.0, 3.25, 0.125]]


def test_a_load_that_could_overflow_is_refused() -> None:
    load = np.zeros((1, 2), dtype=np.int64)
    one = Load(row=np.array([1]), units=np.array([2**61]), source=np.array([0]))
    add_load(load, [one])
    with pytest.raises(InputError, match=r"a row receives more than 1\.07374e\+09: use fewer sources"):
        add_load(load, [one])
