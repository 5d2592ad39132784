"""The smallest LP that tells sources, edges and rows apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from instances import MatchingLP, Polytope


def lp_with(polytope: Polytope, **changes: Any) -> MatchingLP:
    """Two sources with three and one edges, two rows."""
    lp = MatchingLP(
        offsets=np.array([0, 3, 4]),
        destination=np.array([0, 1, 1, 0]),
        a=np.array([1.0, 2.0, 4.0, 1.0]),
        c=np.array([-1.0, -2.0, -3.0, -4.0]),
        b=np.array([8.0, 6.0]),
        polytope=polytope,
    )
    return replace(lp, **changes)
