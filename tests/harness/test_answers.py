"""The fingerprint of an instance: whatever a solver writes into it is seen, wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest

from harness import answers
from instances import MatchingLP, PerSource

EDGES = 20_000


@pytest.fixture
def lp() -> MatchingLP:
    rng = np.random.default_rng(0)
    return MatchingLP(
        offsets=np.arange(EDGES + 1),
        destination=rng.integers(0, EDGES, EDGES).astype(np.int32),
        a=np.ones(EDGES),
        c=rng.normal(size=EDGES),
        b=np.ones(EDGES),
        polytope=PerSource(kind=np.zeros(EDGES, np.uint8), radius=np.ones(EDGES)),
    )


@pytest.mark.parametrize("name", ["offsets", "destination", "a", "c", "b", "kind", "radius"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999], ids=["first", "middle", "last"])
def test_one_changed_entry_changes_the_number_of_its_array_alone(
    lp: MatchingLP, name: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_PIECE", 1 << 14)  # several pieces an array
    before = answers.fingerprint(lp)
    array = getattr(lp.per_source if name in ("kind", "radius") else lp, name)
    array.flags.writeable = True
    array[int(share * array.size)] += 1
    after = answers.fingerprint(lp)
    assert [key for key in before if before[key] != after[key]] == [name]
