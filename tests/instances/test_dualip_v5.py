"""The peer's generator bit for bit: checksums of DuaLip 5.0.1 with NumPy 2, seed 42."""

from __future__ import annotations

import numpy as np
import pytest

from instances import MatchingSpec, generate


def test_checksums_of_20_000_by_200() -> None:
    lp = generate(MatchingSpec.parse("dualip-v5:sources=20000,destinations=200,degree=10,seed=42"))
    assert lp.edges == 199897
    assert lp.b.sum() == pytest.approx(3963.1878337863745, rel=1e-15)
    assert lp.a.sum() == pytest.approx(9807.074605013519, rel=1e-15)
    assert -lp.c.sum() == pytest.approx(5694.409151686212, rel=1e-15)
    assert lp.b[:3] == pytest.approx([1.43656727, 9.78503261, 13.33253145], abs=5e-9)


def test_checksums_of_100_000_by_1_000() -> None:
    lp = generate(MatchingSpec.parse("dualip-v5:sources=100000,destinations=1000,degree=10,seed=42"))
    assert lp.edges == 999676
    assert lp.b.sum() == pytest.approx(20068.44141516075, rel=1e-15)
    assert lp.a.sum() == pytest.approx(54264.40586258432, rel=1e-15)
    assert -lp.c.sum() == pytest.approx(32804.50455918663, rel=1e-15)
    assert np.count_nonzero(lp.b < 1e-7) == 223


def test_it_is_float64_with_ascending_destinations() -> None:
    lp = generate(MatchingSpec.parse("dualip-v5:sources=500,destinations=20,degree=4,seed=1"))
    assert lp.a.dtype == lp.c.dtype == np.float64
    assert np.all(np.diff(lp.source_of_edge() * lp.destinations + lp.destination) > 0)


def test_a_row_is_never_fuller_than_the_sources() -> None:
    lp = generate(MatchingSpec.parse("dualip-v5:sources=20,destinations=3,degree=3,seed=0"))
    assert np.bincount(lp.destination).max() <= 20
