"""Whether two instances are the same, bit for bit."""

from __future__ import annotations

import numpy as np

from instances import MatchingLP


def assert_same(one: MatchingLP, other: MatchingLP) -> None:
    for name in ("offsets", "destination", "a", "c", "b"):
        first, second = getattr(one, name), getattr(other, name)
        assert first.dtype == second.dtype, name
        assert first.tobytes() == second.tobytes(), name
    for name in ("kind", "params"):
        assert np.array_equal(getattr(one.per_source, name), getattr(other.per_source, name)), name
