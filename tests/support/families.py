"""Random LPs with families of rows of every form, for hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from instances import MatchingLP, PerSource, RaggedRows, Rows

KINDS = 3


def sides(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """lower, upper and penalty of a family: each side absent, hard, at a price or free; integers, so sums are exact."""
    low = rng.integers(-6, 3, rows).astype(np.float64)
    high = low + rng.integers(0, 6, rows)
    low[rng.random(rows) < 0.4] = -np.inf
    high[rng.random(rows) < 0.4] = np.inf
    prices = np.array([0.0, 1.0, 2.5, np.inf])
    below, above = (rng.choice(prices, rows) for _ in range(2))
    if rng.random() < 0.3:
        return {"lower": low, "upper": np.full(rows, np.inf), "penalty": below}
    return {"lower": low, "upper": high, "penalty": (below, above)}


def aligned(rng: np.random.Generator, name: str, edges: int) -> Rows:
    one_row = rng.random() < 0.3
    rows = 1 if one_row else int(rng.integers(1, 5))
    row = None if one_row else rng.integers(0, rows, edges).astype(np.int32)
    coefficient: Any = rng.integers(-2, 4, edges).astype(rng.choice(["f4", "f8"]))
    if rng.random() < 0.3:
        coefficient = float(rng.integers(-1, 3))
    keys = [f"{name} {k}" for k in range(rows)] if rng.random() < 0.5 else None
    return Rows(name, row=row, coefficient=coefficient, keys=keys, **sides(rng, rows))


def ragged(rng: np.random.Generator, name: str, edges: int) -> RaggedRows:
    rows = int(rng.integers(1, 5))
    offsets = np.concatenate(([0], np.cumsum(rng.integers(0, 4, edges))))
    row = rng.integers(0, rows, offsets[-1]).astype(np.int32)
    coefficient: Any = rng.integers(-2, 4, offsets[-1]).astype(rng.choice(["f4", "f8"]))
    if rng.random() < 0.3:
        coefficient = 2.0
    return RaggedRows(name, entry_offsets=offsets, row=row, coefficient=coefficient, **sides(rng, rows))


@st.composite
def family_lps(draw: st.DrawFn) -> MatchingLP:
    """One to three families over a few sources of every kind, some without edges; integers, so sums are exact."""
    degrees = draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    forms = draw(st.lists(st.sampled_from([aligned, ragged]), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    edges = sum(degrees)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        c=rng.integers(-5, 5, edges).astype(rng.choice(["f4", "f8"])),
        polytope=PerSource(
            kind=rng.integers(0, KINDS, len(degrees)).astype(np.uint8),
            radius=rng.integers(0, 4, len(degrees)).astype(np.float64),
        ),
        rows=[make(rng, f"family {k}", edges) for k, make in enumerate(forms)],
    )
