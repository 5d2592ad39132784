"""Profiles of times and their shifted geometric mean, by hand and against their definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reports.load import load
from reports.means import common_times, success
from reports.outcomes import outcomes
from reports.profiles import performance_profile, shift_of, shifted_geometric_mean

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published" / "2026-11-21-epyc" / "smoke"
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
    mean = shifted_geometric_mean(seconds, shift_of(seconds))
    assert np.exp(np.log(seconds).mean()) * (1 - 1e-9) - 1e-9 <= mean <= np.mean(seconds) * (1 + 1e-9) + 1e-9


def test_the_shifted_mean_by_hand() -> None:
    assert shifted_geometric_mean([0.0, 30.0], 10.0) == pytest.approx(10.0)
    assert np.isnan(shifted_geometric_mean([], 10.0))


@pytest.mark.parametrize(
    ("seconds", "shift"),
    [([0.04, 0.05, 9.0], 0.01), ([1.0], 1.0), ([0.99], 0.1), ([50.0, 900.0], 10.0), ([0.0], 10.0), ([], 10.0)],
)
def test_the_shift_is_the_power_of_ten_below_the_median(seconds: list[float], shift: float) -> None:
    assert shift_of(seconds) == pytest.approx(shift)


def test_on_published_times_the_shifted_mean_is_not_the_arithmetic_one() -> None:
    """Runs of 0.01 to 10 s: a shift of 10 s gave 0.0539 where the arithmetic mean is 0.0540."""
    found = outcomes(load([PUBLISHED]).cases)
    table = success(found)
    for target, rows in table.groupby("target"):
        times = common_times(found, float(str(target)))
        for row in rows.set_index("competitor").loc[list(times.columns)].itertuples():
            seconds = times[row.Index]
            if seconds.isna().any() or seconds.max() < 2 * seconds.min():
                continue
            geometric, arithmetic = float(np.exp(np.log(seconds).mean())), float(seconds.mean())
            assert geometric < row.common_mean < (geometric + arithmetic) / 2, (target, row.Index)
