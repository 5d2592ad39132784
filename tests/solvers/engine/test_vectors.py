"""Vectors in compiled loops against NumPy."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from solvers.engine import vector_jit as vectors
from solvers.engine.vector_jit import VECTOR_WIDTH, any_gt, load, select_gt, splat, store, to_float64

NUMBERS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
AT = 3  # no multiple of anything: vectors need no alignment


@numba.njit
def by_element(first, second, out):
    x, y = load(first, AT), load(second, AT)
    store(out[0], AT, x + y)
    store(out[1], AT, x - y)
    store(out[2], AT, x * y)
    store(out[3], AT, x / y)
    store(out[4], AT, vectors.maximum(x, y))
    store(out[5], AT, vectors.minimum(x, y))
    store(out[6], AT, select_gt(x, y, y, splat(first[0])))


@numba.njit
def of_all(numbers):
    vector = load(numbers, AT)
    return vectors.total(vector), vectors.largest(vector), vectors.smallest(vector), any_gt(vector, splat(numbers[0]))


@numba.njit
def squares(numbers, out):
    store(out, AT, to_float64(load(numbers, AT)) * to_float64(load(numbers, AT)))


@NUMBERS
def test_elements_are_those_of_numpy_and_nothing_else_is_written(dtype: type) -> None:
    rng = np.random.default_rng(0)
    first, second = (rng.normal(size=VECTOR_WIDTH + 6).astype(dtype) for _ in range(2))
    first[7], second[9] = np.nan, np.nan
    out = np.full((7, VECTOR_WIDTH + 6), 5, dtype)
    by_element(first, second, out)
    x, y = first[AT : AT + VECTOR_WIDTH], second[AT : AT + VECTOR_WIDTH]
    larger, smaller = np.where(x > y, x, y), np.where(x < y, x, y)
    expected = [x + y, x - y, x * y, x / y, larger, smaller, np.where(x > y, y, first[0])]
    np.testing.assert_array_equal(out[:, AT : AT + VECTOR_WIDTH], expected)
    assert (np.delete(out, np.s_[AT : AT + VECTOR_WIDTH], axis=1) == 5).all()


@NUMBERS
@pytest.mark.parametrize("place", range(VECTOR_WIDTH))
def test_what_is_told_of_all_sees_every_element(place: int, dtype: type) -> None:
    for extreme in (-100, 100):
        numbers = np.arange(VECTOR_WIDTH + 6).astype(dtype)
        numbers[0], numbers[AT + place] = 99, extreme
        part = numbers[AT : AT + VECTOR_WIDTH]
        assert of_all(numbers) == (part.sum(), part.max(), part.min(), part.max() > 99)


def test_products_of_precise_numbers_are_exact() -> None:
    numbers, out = np.random.default_rng(0).normal(size=VECTOR_WIDTH + 6).astype(np.float32), np.zeros(VECTOR_WIDTH + 6)
    squares(numbers, out)
    np.testing.assert_array_equal(out[AT : AT + VECTOR_WIDTH], numbers[AT : AT + VECTOR_WIDTH].astype(np.float64) ** 2)


def test_arrays_with_gaps_and_vectors_of_two_types_are_refused() -> None:
    numbers = np.zeros(4 * VECTOR_WIDTH, np.float32)
    with pytest.raises(numba.TypingError):
        of_all(numbers[::2])
    with pytest.raises(numba.TypingError):
        by_element(numbers, numbers.astype(np.float64), np.zeros((7, 4 * VECTOR_WIDTH)))
