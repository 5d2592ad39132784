import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reports.profiles import performance_profile, shifted_geometric_mean

POSITIVE = st.floats(1e-3, 1e5)
TIMES = hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=POSITIVE | st.just(np.nan))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(TIMES)
def test_a_profile_rises_from_wins_to_success(times: np.ndarray) -> None:
    table = pd.DataFrame(times)
    shares = performance_profile(table)
    fastest = table.min(axis=1)
    assert shares.index[0] == 1.0
    assert (shares.diff().dropna() >= 0).all(axis=None)
    np.testing.assert_allclose(shares.iloc[0], table.eq(fastest, axis=0).mean())
    np.testing.assert_allclose(shares.iloc[-1], table.notna().mean())


def test_a_profile_by_hand() -> None:
    times = pd.DataFrame({"a": [1.0, 4.0, np.nan], "b": [2.0, 2.0, np.nan]})
    shares = performance_profile(times)
    assert shares.index.tolist() == [1.0, 2.0]
    np.testing.assert_allclose(shares.to_numpy(), [[1 / 3, 1 / 3], [2 / 3, 2 / 3]])


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_the_shifted_mean_lies_between_the_geometric_and_the_arithmetic_one(seconds: list[float]) -> None:
    mean = shifted_geometric_mean(seconds)
    assert np.exp(np.log(seconds).mean()) * (1 - 1e-9) - 1e-9 <= mean <= np.mean(seconds) * (1 + 1e-9) + 1e-9


def test_the_shifted_mean_by_hand() -> None:
    assert shifted_geometric_mean([0.0, 30.0]) == pytest.approx(10.0)
    assert np.isnan(shifted_geometric_mean([]))
