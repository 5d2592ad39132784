"""What the passes of ranks and their messages took, measured together by all ranks."""

from __future__ import annotations

import statistics

import numpy as np

from solvers.engine.collectives import Communicator
from solvers.engine.context import SolveContext


def passes(context: SolveContext, group: Communicator) -> dict[str, float | None]:
    """Seconds of a pass, the maximum over the ranks, and how this rank spent them.

    Means over the middle half of the passes by that maximum; the first pass is left out. A collective ends for all
    ranks at once, and the last rank to enter it waits for nobody. So the shortest time in a collective is its own cost,
    and the time of a rank beyond that is waiting.
    """
    names = ("per_iteration", "compute", "communication", "waiting")
    steps = np.array(context.steps[1:]).reshape(-1, 2)
    if not len(steps):
        return dict.fromkeys(names)
    slowest = group.max(steps[:, 0].copy())
    cheapest = -group.max(-steps[:, 1])
    middle = np.argsort(slowest, kind="stable")[len(steps) // 4 : max(len(steps) // 4 + 1, 3 * len(steps) // 4)]
    split = (slowest, steps[:, 0] - steps[:, 1], cheapest, steps[:, 1] - cheapest)
    return {name: float(values[middle].mean()) for name, values in zip(names, split, strict=True)}


def seconds_of_sum(group: Communicator, numbers: int) -> float | None:
    """Median seconds of the sum of so many float64, None in a group of one."""
    if group.size == 1:
        return None
    values = np.zeros(numbers)
    seconds = []
    for _ in range(12):
        before = group.seconds
        group.sum(values)
        seconds.append(group.seconds - before)
    return statistics.median(seconds[2:])
