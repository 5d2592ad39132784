"""Every kernel on instances with several families of rows, against dense NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from instances import MatchingLP
from solvers.engine.kernel import RESTART, Kernel, Mix, Pass
from solvers.engine.points import to_cells, to_edges
from tests.support.feasible_rows import general_lp
from tests.support.kernels import KERNELS, layout_and_kernel, on
from tests.support.projections import brought_into_c, least, projected

pytestmark = [pytest.mark.parametrize("name", KERNELS), pytest.mark.parametrize("seed", [0, 1])]
#: Few, because Triton's interpreter takes long for each slice.
SOURCES = 12


def matrix(lp: MatchingLP) -> np.ndarray:
    """A[R, E]."""
    return lp.to_explicit().matrix[: lp.row_count, : lp.edges].toarray()


def expected(lp: MatchingLP, price: np.ndarray, step: float, centre: np.ndarray) -> tuple[np.ndarray, float]:
    """p[E] and sum_i min over C_i of q_i'x."""
    q = lp.c + matrix(lp).T @ price
    p, bound = np.zeros(lp.edges), 0.0
    for i in range(lp.sources):
        edges = slice(lp.offsets[i], lp.offsets[i + 1])
        if edges.start < edges.stop:
            kind, (z, u) = int(lp.per_source.kind[i]), lp.per_source.params[:, i]
            p[edges] = projected(centre[edges] - step * q[edges], kind, z, u)
            bound += least(q[edges], kind, z, u)
    return p, bound


def check(lp: MatchingLP, kernel: Kernel, result: Pass, p: np.ndarray, sums: list[float]) -> None:
    assert kernel.destinations == lp.row_count
    np.testing.assert_allclose(result.loads.cpu().numpy(), matrix(lp) @ p, atol=1e-9)
    np.testing.assert_allclose(result.sums.cpu().numpy(), sums, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("step", [1e-3, 40.0])
def test_project_prices_every_family(name: str, seed: int, step: float) -> None:
    lp = general_lp(seed, sources=SOURCES)
    price = np.random.default_rng(seed).normal(0, 1, lp.row_count)
    _, kernel = layout_and_kernel(lp, name)
    p, bound = expected(lp, price, step, np.zeros(lp.edges))
    result = kernel.project(on(kernel, price), step, values=False)
    check(lp, kernel, result, p, [bound, (p**2).sum(), 0.0, lp.c @ p])


@pytest.mark.parametrize("mix", [RESTART, Mix(projected=1.5, centre=-0.75, anchor=0.25)])
def test_advance_loads_every_family(name: str, seed: int, mix: Mix) -> None:
    lp = general_lp(seed, sources=SOURCES)
    rng = np.random.default_rng(seed)
    price, x, anchor = rng.normal(0, 1, lp.row_count), rng.normal(0, 1, lp.edges), rng.uniform(0, 1, lp.edges)
    layout, kernel = layout_and_kernel(lp, name)
    own_x, own_anchor = (kernel.load(to_cells(layout, lp, v)) for v in (x, anchor))
    result = kernel.advance(on(kernel, price), 0.3, own_x, own_anchor, mix, values=False)
    p, bound = expected(lp, price, 0.3, x)
    check(lp, kernel, result, p, [bound, ((p - x) ** 2).sum(), ((p - anchor) ** 2).sum(), lp.c @ p])
    mixed = mix.projected * p + mix.centre * x + mix.anchor * anchor
    np.testing.assert_allclose(to_edges(layout, lp, kernel.unload(own_x), "float64"), mixed, atol=1e-11)


def test_each_edge_is_scaled_by_the_least_factor_of_its_rows(name: str, seed: int) -> None:
    lp = general_lp(seed, sources=SOURCES)
    rng = np.random.default_rng(seed)
    price, factor = rng.choice([0.0, 0.3, -1.7], lp.row_count), rng.uniform(0, 1, lp.row_count)
    x = rng.choice([-0.5, 0.0, 1e-3, 0.4, 2.0], lp.edges)
    layout, kernel = layout_and_kernel(lp, name)
    cells = kernel.load(to_cells(layout, lp, x))
    a, p = matrix(lp), brought_into_c(lp, x)
    _, bound = expected(lp, price, 1.0, np.zeros(lp.edges))
    scale = np.where(a != 0, factor[:, None], 1.0).min(axis=0)
    for given, point in ((on(kernel, np.ones(lp.row_count)), p), (on(kernel, factor), p * scale)):
        result = kernel.evaluate_feasible(on(kernel, price), cells, given)
        value = lp.c * point
        check(lp, kernel, result, point, [bound, np.abs(value).sum(), 0.0, value.sum()])
        np.testing.assert_allclose(result.values.cpu().numpy(), np.minimum(a, 0) @ point, atol=1e-9)
        assert float(result.sums[0]) <= bound + 1e-12 * abs(bound)
    edges = kernel.answer(cells, on(kernel, factor), "float64", kernel.zeros())
    np.testing.assert_allclose(edges, p * scale, rtol=1e-12)
