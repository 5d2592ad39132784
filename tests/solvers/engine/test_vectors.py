"""Vectors in compiled loops against NumPy."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from solvers.engine import vector_jit as vectors
from solvers.engine.compiled import compiled
from solvers.engine.vector_jit import SIZE, any_above, choose_above, load, precise, same, store

NUMBERS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
AT = 3  # no multiple of anything: vectors need no alignment


@compiled(cache=False)
def by_element(first, second, out):
    x, y = load(first, AT), load(second, AT)
    store(out[0], AT, x + y)
    store(out[1], AT, x - y)
    store(out[2], AT, x * y)
    store(out[3], AT, x / y)
    store(out[4], AT, vectors.larger(x, y))
    store(out[5], AT, vectors.smaller(x, y))
    store(out[6], AT, choose_above(x, y, y, same(first[0])))


@compiled(cache=False)
def of_all(numbers):
    vector = load(numbers, AT)
    return vectors.total(vector), vectors.largest(vector), vectors.smallest(vector), any_above(vector, same(numbers[0]))


@compiled(cache=False)
def squares(numbers, out):
    store(out, AT, precise(load(numbers, AT)) * precise(load(numbers, AT)))


@NUMBERS
def test_elements_are_those_of_numpy_and_nothing_else_is_written(dtype: type) -> None:
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=SIZE + 6).astype(dtype) for _ in range(2))
    first[7], second[9] = np.nan, np.nan
    out = np.full((7, SIZE + 6), 5, dtype)
    by_element(first, second, out)
    x, y = first[AT : AT + SIZE], second[AT : AT + SIZE]
    larger, smaller = np.where(x > y, x, y), np.where(x < y, x, y)
    expected = [x + y, x - y, x * y, x / y, larger, smaller, np.where(x > y, y, first[0])]
    np.testing.assert_array_equal(out[:, AT : AT + SIZE], expected)
    assert (np.delete(out, np.s_[AT : AT + SIZE], axis=1) == 5).all()


@NUMBERS
@pytest.mark.parametrize("place", range(SIZE))
def test_what_is_told_of_all_sees_every_element(place: int, dtype: type) -> None:
    for extreme in (-100, 100):
        numbers = np.arange(SIZE + 6).astype(dtype)
        numbers[0], numbers[AT + place] = 99, extreme
        part = numbers[AT : AT + SIZE]
        assert of_all(numbers) == (part.sum(), part.max(), part.min(), part.max() > 99)


def test_products_of_precise_numbers_are_exact() -> None:
    numbers, out = np.random.default_rng(0).normal(size=SIZE + 6).astype(np.float32), np.zeros(SIZE + 6)
    squares(numbers, out)
    np.testing.assert_array_equal(out[AT : AT + SIZE], numbers[AT : AT + SIZE].astype(np.float64) ** 2)


def test_arrays_with_gaps_and_vectors_of_two_types_are_refused() -> None:
    numbers = np.zeros(4 * SIZE, np.float32)
    with pytest.raises(numba.TypingError):
        of_all(numbers[::2])
    with pytest.raises(numba.TypingError):
        by_element(numbers, numbers.astype(np.float64), np.zeros((7, 4 * SIZE)))
