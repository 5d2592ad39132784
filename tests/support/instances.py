"""Whether two instances are the same, bit for bit."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP
from instances.content import arrays_of


def assert_same(one: MatchingLP, other: MatchingLP) -> None:
    arrays, others = arrays_of(one), arrays_of(other)
    assert list(arrays) == list(others)
    for name, first in arrays.items():
        second = others[name]
        assert first.dtype == second.dtype, name
        assert first.tobytes() == second.tobytes(), name
    for name in ("kind", "params"):
        assert np.array_equal(getattr(one.per_source, name), getattr(other.per_source, name)), name
