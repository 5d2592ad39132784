"""What the kernels make of a wide LP, held against the reference kernel: every pass, and the answer by edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.engine.kernel import Mix, Pass
from solvers.engine.points import to_cells, to_edges
from tests.support.kernels import layout_and_kernel, on

#: By how much sums in another order may differ, relative and absolute.
_CLOSE = 1e-9
_MIX = Mix(projected=1.5, centre=-0.75, anchor=0.25)


def faults_of_kernels(lp: MatchingLP, seed: int, names: Sequence[str]) -> Iterator[str]:
    """Where a kernel of `names` and the reference differ on the same prices, points and factors."""
    expected = _outcome(lp, "reference", seed)
    for name in names:
        for what, value in _outcome(lp, name, seed).items():
            if not np.allclose(value, expected[what], rtol=_CLOSE, atol=_CLOSE):
                worst = float(np.abs(value - expected[what]).max())
                yield f"{what} of the kernel {name} is {worst:.2e} away from the reference"


def _outcome(lp: MatchingLP, name: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng((seed, 5))
    price = np.where(rng.random(lp.row_count) < 0.2, 0.0, rng.normal(size=lp.row_count))
    step = 10.0 ** rng.uniform(-2, 1)
    points = (rng.normal(0.2, 0.6, lp.edges), rng.uniform(0, 1, lp.edges))
    factor = rng.uniform(0, 1, lp.row_count)

    layout, kernel = layout_and_kernel(lp, name)
    x, anchor = (kernel.load(to_cells(layout, lp, point)) for point in points)
    found = _numbers("project", kernel.project(on(kernel, price), step, values=False))
    found |= _numbers("evaluate", kernel.evaluate_feasible(on(kernel, price), x, on(kernel, factor)))
    found["answer"] = kernel.answer(x, on(kernel, factor), "float64", kernel.zeros())
    found |= _numbers("advance", kernel.advance(on(kernel, price), step, x, anchor, _MIX, values=False))
    found["mix"] = to_edges(layout, lp, kernel.unload(x), "float64")
    return found


def _numbers(of: str, result: Pass) -> dict[str, Any]:
    return {f"{of}: loads": result.loads.cpu().numpy(), f"{of}: sums": result.sums.cpu().numpy()}
