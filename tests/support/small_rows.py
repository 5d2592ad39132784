"""Two families of rows over three edges, small enough to read, and LPs made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from instances import MatchingLP, RaggedRows, Rows


def campaigns(**changes: Any) -> Rows:
    """Two rows over three edges, with `changes`."""
    fields: dict[str, Any] = {"row": [0, 1, 1], "coefficient": [1.0, 2.0, 3.0], "upper": [5.0, 6.0]}
    return Rows("campaign", **(fields | changes))


def paths(**changes: Any) -> RaggedRows:
    """Two rows; the first of three edges lies in both, the second in none."""
    fields: dict[str, Any] = {"entry_offsets": [0, 2, 2, 3], "row": [0, 1, 1], "coefficient": 2.0, "upper": [5.0, 6.0]}
    return RaggedRows("link", **(fields | changes))


def lp_of(*rows: Rows | RaggedRows, **changes: Any) -> MatchingLP:
    fields: dict[str, Any] = {"offsets": [0, 2, 2, 3], "c": np.array([-1.0, -2.0, 4.0], dtype=np.float32)}
    return MatchingLP(rows=list(rows), **(fields | changes))
