"""Every kernel against a quadratic-programming reference of its projection, and against each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from instances import Box, MatchingLP
from solvers.engine.evaluate import bound_and_loads
from solvers.engine.kernel import RESTART, Mix, Pass
from solvers.engine.kernels import make_kernel
from solvers.engine.layout_builder import build_layout
from solvers.engine.points import to_cells, to_edges
from solvers.settings import Settings
from tests.support.kernels import KERNELS, LPS, NEEDS_TRITON, given_by_kernel, layout_and_kernel, on, random_lp
from tests.support.projections import brought_into_c, expected


@pytest.mark.parametrize("name", KERNELS)
@given_by_kernel(lp=LPS, step=st.sampled_from([1e-3, 0.3, 40.0]), seed=st.integers(0, 99))
def test_project_is_the_projection(name: str, lp: MatchingLP, step: float, seed: int) -> None:
    price = np.random.default_rng(seed).uniform(0, 2, lp.destinations)
    _, kernel = layout_and_kernel(lp, name)
    result = kernel.project(on(kernel, price), step, values=True)
    p, bound = expected(lp, price, step, np.zeros(lp.edges))
    check(lp, result, p, [bound, (p**2).sum(), 0.0, lp.c @ p])


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("mix", [RESTART, Mix(projected=1.5, centre=-0.75, anchor=0.25)])
@given_by_kernel(lp=LPS, step=st.sampled_from([1e-3, 0.3, 40.0]), seed=st.integers(0, 99))
def test_advance_projects_around_x_and_mixes(name: str, mix: Mix, lp: MatchingLP, step: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    price, x, anchor = rng.uniform(0, 2, lp.destinations), rng.normal(0, 1, lp.edges), rng.uniform(0, 1, lp.edges)
    layout, kernel = layout_and_kernel(lp, name)
    own_x, own_anchor = (kernel.load(to_cells(layout, lp, v)) for v in (x, anchor))
    result = kernel.advance(on(kernel, price), step, own_x, own_anchor, mix, values=True)
    p, bound = expected(lp, price, step, x)
    check(lp, result, p, [bound, ((p - x) ** 2).sum(), ((p - anchor) ** 2).sum(), lp.c @ p])
    mixed = mix.projected * p + mix.centre * x + mix.anchor * anchor
    np.testing.assert_allclose(to_edges(layout, lp, kernel.unload(own_x), "float64"), mixed, atol=1e-11)
    kept = p if mix.restart else anchor
    np.testing.assert_allclose(to_edges(layout, lp, kernel.unload(own_anchor), "float64"), kept, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERNELS)
@given_by_kernel(lp=LPS, seed=st.integers(0, 99))
def test_judgement_and_answer_on_cells_are_those_on_edges(name: str, dtype: str, lp: MatchingLP, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lp = replace(lp, a=lp.a.astype(dtype), c=lp.c.astype(dtype))
    without_load = lp.a == 0
    price, factor = rng.choice([0.0, 0.3, 1.7], lp.destinations), rng.uniform(0, 1, lp.destinations)
    x = rng.choice([-0.5, 0.0, 1e-3, 0.4, 2.0], lp.edges).astype(dtype)
    layout, kernel = layout_and_kernel(lp, name, dtype)
    cells, p = kernel.load(to_cells(layout, lp, x)), brought_into_c(lp, x)
    result = kernel.evaluate_feasible(on(kernel, price), cells)
    _, bound = expected(replace(lp, a=lp.a.astype("float64"), c=lp.c.astype("float64")), price, 1.0, np.zeros(lp.edges))
    value = lp.c.astype(np.float64) * p
    sums = [bound, np.abs(value).sum(), np.abs(value[without_load]).sum(), value.sum()]
    check(replace(lp, c=np.where(without_load, 0, lp.c)), result, p, sums)
    on_edges = bound_and_loads(lp, x, price)
    pairs = [(result.loads, on_edges.loads), (result.values, on_edges.values)]
    pairs += [(result.sums[:2], [on_edges.least, on_edges.size])]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours.cpu().numpy(), theirs, rtol=1e-12, atol=1e-10)
    for wanted in ("float32", "float64"):
        room = kernel.zeros()
        edges = kernel.answer(cells, on(kernel, factor), wanted, room)
        assert edges.dtype == wanted
        assert room.numel() == 0
        np.testing.assert_allclose(edges, p * factor[lp.destination], rtol=1e-6 if wanted == "float32" else 1e-12)
    np.testing.assert_array_equal(to_edges(layout, lp, kernel.unload(cells), dtype), x)


@pytest.mark.parametrize(
    ("dtype", "a", "radius", "exact"),
    [("float32", "float32", 0.5, True), ("float32", "float64", 0.5, False), ("float32", "float32", 0.1, False),
     ("float64", "float64", 0.1, True)],
)  # fmt: skip
def test_a_layout_knows_whether_it_rounds(dtype: str, a: str, radius: float, exact: bool) -> None:
    lp = random_lp(1, 20, 4, 5, a)
    assert build_layout(replace(lp, polytope=Box(radius)), dtype).exact is exact


def check(lp: MatchingLP, result: Pass, p: np.ndarray, sums: list[float]) -> None:
    by_destination = lambda weight: np.bincount(lp.destination, weights=weight * p, minlength=lp.destinations)  # noqa: E731 - a local shorthand
    np.testing.assert_allclose(result.loads.cpu().numpy(), by_destination(lp.a), atol=1e-9)
    np.testing.assert_allclose(result.values.cpu().numpy(), by_destination(lp.c), atol=1e-9)
    np.testing.assert_allclose(result.sums.cpu().numpy(), sums, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=NEEDS_TRITON)])
@given_by_kernel(seed=st.integers(0, 10**6), step=st.sampled_from([0.3, 40.0]))
def test_float32_kernels_agree_with_the_reference_to_rounding(name: str, seed: int, step: float) -> None:
    lp = random_lp(seed, 200, 20, 12, "float32")
    price = np.random.default_rng(seed).uniform(0, 2, lp.destinations)
    passes = []
    for each in ("reference", name):
        _, kernel = layout_and_kernel(lp, each, "float32")
        passes.append(kernel.project(on(kernel, price), step, values=False))
    np.testing.assert_allclose(passes[0].loads.cpu(), passes[1].loads.cpu(), atol=2e-3)
    np.testing.assert_allclose(passes[0].sums.cpu()[0], passes[1].sums.cpu()[0], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", KERNELS)
def test_a_source_with_thousands_of_edges(name: str) -> None:
    lp = random_lp(5, 3, 5000, 4000)
    price = np.zeros(lp.destinations)
    _, kernel = layout_and_kernel(lp, name)
    p, bound = expected(lp, price, 0.5, np.zeros(lp.edges))
    check(lp, kernel.project(on(kernel, price), 0.5, values=True), p, [bound, (p**2).sum(), 0.0, lp.c @ p])


@pytest.mark.parametrize("name", KERNELS)
def test_an_instance_without_edges(name: str) -> None:
    lp = random_lp(5, 4, 3, 0)
    _, kernel = layout_and_kernel(lp, name)
    assert kernel.project(on(kernel, np.ones(3)), 1.0, values=True).loads.tolist() == [0, 0, 0]


def test_the_cpu_kernel_gives_the_same_bits_again_and_on_any_number_of_threads() -> None:
    lp = random_lp(7, 60_000, 50, 12, "float32")
    layout = build_layout(lp)
    assert layout.bands > 2
    price = torch.linspace(0, 1, 50, dtype=torch.float64)
    results = []
    for threads in (1, 2, 2):
        kernel = make_kernel(layout, Settings(threads=threads))
        x, anchor = kernel.zeros(), kernel.zeros()
        kernel.advance(price, 0.7, x, anchor, Mix(projected=1.5, centre=-0.75, anchor=0.25), values=False)
        result = kernel.advance(price, 0.7, x, anchor, RESTART, values=True)
        results.append((x.numpy().tobytes(), result.loads.numpy().tobytes(), result.sums.numpy().tobytes()))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", KERNELS)
def test_nan_in_the_centre_reaches_the_sums(name: str) -> None:
    lp = random_lp(3, 40, 6, 12)
    layout, kernel = layout_and_kernel(lp, name)
    x = np.zeros(lp.edges)
    x[lp.edges // 2] = np.nan
    own = kernel.load(to_cells(layout, lp, x))
    mix = Mix(projected=1.0, centre=0.5, anchor=0.5)
    result = kernel.advance(on(kernel, np.zeros(6)), 0.5, own, kernel.zeros(), mix, values=False)
    assert not np.isfinite(result.sums.cpu().numpy()).all()
