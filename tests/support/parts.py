"""The parts of an instance that its ranks hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances.shards import Part, load_part
from instances.spec import Spec


def all_parts(spec: Spec, ranks: int) -> list[Part]:
    """Every rank in turn; the loads of all are added up as the ranks would."""
    loads: list[npt.NDArray[np.int64]] = []

    def remember(load: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        loads.append(load)
        return load

    for rank in range(ranks):
        load_part(spec, rank, ranks, remember)
    return [load_part(spec, rank, ranks, lambda _: sum(loads[1:], loads[0])) for rank in range(ranks)]
