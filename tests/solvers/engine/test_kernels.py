"""Every kernel against a quadratic-programming reference of its projection, and against each other."""

import importlib.util
import inspect
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Box, Kind, MatchingLP
from solvers.base import Settings
from solvers.engine.evaluate import bound_and_loads
from solvers.engine.kernel import RESTART, Kernel, Mix
from solvers.engine.kernels import make_kernel
from solvers.engine.layout import Layout
from solvers.engine.layout_builder import build_layout
from solvers.engine.points import to_cells, to_edges

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

NEEDS_TRITON = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed: pip install triton"
)
KERNELS = ["reference", "cpu", pytest.param("cuda", marks=NEEDS_TRITON)]
#: LPs tried on each kernel. Triton's interpreter takes seconds for some.
EXAMPLES, INTERPRETED = 15, 5


def given_by_kernel(**strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`given`, for a test with a parameter `name`: a kernel that is interpreted gets fewer examples."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        def tried(**fixed: Any) -> None:
            is_interpreted = fixed["name"] == "cuda" and not torch.cuda.is_available()
            number = INTERPRETED if is_interpreted else EXAMPLES

            @settings(deadline=None, max_examples=number, derandomize=True)
            @given(**strategies)
            def example(**drawn: Any) -> None:
                test(**fixed, **drawn)

            example()

        tried.__name__, tried.__doc__ = test.__name__, test.__doc__
        fixed = [one for name, one in inspect.signature(test).parameters.items() if name not in strategies]
        tried.__signature__ = inspect.Signature(fixed)  # type: ignore[attr-defined]  # what pytest fills in
        return tried

    return decorate


ALL_KINDS = tuple(Kind)


def random_lp(
    seed: int,
    sources: int,
    destinations: int,
    longest: int,
    dtype: str = "float64",
    kinds: tuple[Kind, ...] = ALL_KINDS,
) -> MatchingLP:
    """Degrees from 0, all kinds mixed, radii also 0, repeated and zero coefficients, rows without edges."""
    from instances import PerSource

    rng = np.random.default_rng(seed)
    degree = np.minimum(rng.integers(0, longest + 1, sources), rng.integers(0, longest + 1, sources) + 3)
    offsets = np.concatenate(([0], np.cumsum(degree)))
    edges = int(offsets[-1])
    kind = rng.choice([int(k) for k in kinds], sources).astype(np.uint8)
    upper = rng.choice([0.0, 0.25, 0.75, 7.5], sources)
    radius = rng.choice([0.0, 0.25, 1.0, 7.5], sources)
    radius = np.where(kind == Kind.BOX_CUT_EQUALITY, np.minimum(radius, upper * degree), radius)
    kind[(degree == 0) & (kind == Kind.SIMPLEX_EQUALITY)] = Kind.SIMPLEX
    return MatchingLP(
        offsets=offsets,
        destination=rng.integers(0, destinations, edges).astype(np.int32),
        a=np.round(rng.uniform(0, 2, edges), 1).astype(dtype),
        c=np.round(rng.normal(0, 1, edges), 1).astype(dtype),
        b=rng.uniform(0, 5, destinations),
        polytope=PerSource(kind=kind, params=[radius, np.where(kind >= Kind.BOX_CUT, upper, 0.0)]),
    )


LPS = st.builds(
    random_lp,
    seed=st.integers(0, 10**6),
    sources=st.integers(1, 150),
    destinations=st.integers(1, 300),
    longest=st.sampled_from([1, 3, 12, 70]),
)


def clip_to_sum(v: np.ndarray, z: float, u: float, low: float) -> np.ndarray:
    """clip(v - t, 0, u) with the sum z, for some t >= low, by halving."""
    high = v.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(v - middle, 0, u).sum() >= z else (low, middle)
    return np.clip(v - low, 0, u)


def projected(v: np.ndarray, kind: int, z: float, u: float) -> np.ndarray:
    """The projection by sorting (Held, Wolfe and Crowder 1974), the textbook way, source by source."""
    if kind == Kind.BOX_CUT:
        return np.clip(v, 0, u) if np.clip(v, 0, u).sum() <= z else clip_to_sum(v, z, u, 0.0)
    if kind == Kind.BOX_CUT_EQUALITY:
        return clip_to_sum(v, z, u, v.min() - u)
    if kind == Kind.BOX:
        return np.clip(v, 0, z)
    if kind == Kind.SIMPLEX and np.maximum(v, 0).sum() <= z:
        return np.maximum(v, 0)
    if z == 0:
        return np.zeros_like(v)
    down = np.sort(v)[::-1]
    shift = (np.cumsum(down) - z) / np.arange(1, v.size + 1)
    return np.maximum(v - shift[np.flatnonzero(down > shift)[-1]], 0)


def expected(lp: MatchingLP, price: np.ndarray, step: float, centre: np.ndarray) -> tuple[np.ndarray, float]:
    """p[E] and sum_i min over C_i of q_i'x."""
    q = lp.c + lp.a * price[lp.destination]
    p, bound = np.zeros(lp.edges), 0.0
    for i in range(lp.sources):
        edges = slice(lp.offsets[i], lp.offsets[i + 1])
        if edges.start == edges.stop:
            continue
        kind, (z, u) = int(lp.per_source.kind[i]), lp.per_source.params[:, i]
        p[edges] = projected(centre[edges] - step * q[edges], kind, z, u)
        bound += least(q[edges], kind, z, u)
    return p, bound


def least(q: np.ndarray, kind: int, z: float, u: float) -> float:
    """min q'x over the polytope of a source: the cheapest edges first, up to u each, until z is used up."""
    if kind == Kind.BOX:
        return float(z * np.minimum(0, q).sum())
    left, total = z, 0.0
    for cost in np.sort(q):
        if kind in (Kind.SIMPLEX, Kind.BOX_CUT) and cost >= 0:
            break
        amount = min(left, u) if kind >= Kind.BOX_CUT else left
        total, left = total + amount * cost, left - amount
    return total


def made(lp: MatchingLP, name: str, dtype: str = "float64") -> tuple[Layout, Kernel]:
    layout = build_layout(lp, dtype)
    device = "cuda" if name == "cuda" and torch.cuda.is_available() else "cpu"
    if name == "cuda":
        from solvers.engine.cuda import CudaKernel

        return layout, CudaKernel(layout, device)
    return layout, make_kernel(layout, Settings(device=device, dtype=dtype), name)


def on(kernel: Kernel, values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).to(kernel.device)


@pytest.mark.parametrize("name", KERNELS)
@given_by_kernel(lp=LPS, step=st.sampled_from([1e-3, 0.3, 40.0]), seed=st.integers(0, 99))
def test_project_is_the_projection(name: str, lp: MatchingLP, step: float, seed: int) -> None:
    price = np.random.default_rng(seed).uniform(0, 2, lp.destinations)
    _, kernel = made(lp, name)
    result = kernel.project(on(kernel, price), step, values=True)
    p, bound = expected(lp, price, step, np.zeros(lp.edges))
    check(lp, result, p, [bound, (p**2).sum(), 0.0, lp.c @ p])


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("mix", [RESTART, Mix(projected=1.5, centre=-0.75, anchor=0.25)])
@given_by_kernel(lp=LPS, step=st.sampled_from([1e-3, 0.3, 40.0]), seed=st.integers(0, 99))
def test_advance_projects_around_x_and_mixes(name: str, mix: Mix, lp: MatchingLP, step: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    price, x, anchor = rng.uniform(0, 2, lp.destinations), rng.normal(0, 1, lp.edges), rng.uniform(0, 1, lp.edges)
    layout, kernel = made(lp, name)
    own_x, own_anchor = (kernel.load(to_cells(layout, lp, v)) for v in (x, anchor))
    result = kernel.advance(on(kernel, price), step, own_x, own_anchor, mix, values=True)
    p, bound = expected(lp, price, step, x)
    check(lp, result, p, [bound, ((p - x) ** 2).sum(), ((p - anchor) ** 2).sum(), lp.c @ p])
    mixed = mix.projected * p + mix.centre * x + mix.anchor * anchor
    np.testing.assert_allclose(to_edges(layout, lp, kernel.unload(own_x), "float64"), mixed, atol=1e-11)
    kept = p if mix.restart else anchor
    np.testing.assert_allclose(to_edges(layout, lp, kernel.unload(own_anchor), "float64"), kept, atol=1e-11)


def brought_into_c(lp: MatchingLP, x: np.ndarray) -> np.ndarray:
    """x[E] brought into each polytope as Kernel.evaluate_feasible says, in float64."""
    p = np.maximum(x.astype(np.float64), 0)
    for i in range(lp.sources):
        edges, kind = slice(lp.offsets[i], lp.offsets[i + 1]), int(lp.per_source.kind[i])
        z, u = lp.per_source.params[:, i]
        if kind == Kind.BOX:
            p[edges] = np.minimum(p[edges], z)
            continue
        if kind >= Kind.BOX_CUT:
            p[edges] = np.minimum(p[edges], u)
        total = p[edges].sum()
        if total > (0 if kind == Kind.SIMPLEX_EQUALITY else z):
            p[edges] *= z / total
        elif kind == Kind.BOX_CUT_EQUALITY and total < z:
            p[edges] += (u - p[edges]) * min(1.0, (z - total) / (u - p[edges]).sum())
    return p


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERNELS)
@given_by_kernel(lp=LPS, seed=st.integers(0, 99))
def test_judgement_and_answer_on_cells_are_those_on_edges(name: str, dtype: str, lp: MatchingLP, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lp = replace(lp, a=lp.a.astype(dtype), c=lp.c.astype(dtype))
    without_load = lp.a == 0
    price, factor = rng.choice([0.0, 0.3, 1.7], lp.destinations), rng.uniform(0, 1, lp.destinations)
    x = rng.choice([-0.5, 0.0, 1e-3, 0.4, 2.0], lp.edges).astype(dtype)
    layout, kernel = made(lp, name, dtype)
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


def check(lp: MatchingLP, result, p: np.ndarray, sums: list[float]) -> None:
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
        _, kernel = made(lp, each, "float32")
        passes.append(kernel.project(on(kernel, price), step, values=False))
    np.testing.assert_allclose(passes[0].loads.cpu(), passes[1].loads.cpu(), atol=2e-3)
    np.testing.assert_allclose(passes[0].sums.cpu()[0], passes[1].sums.cpu()[0], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", KERNELS)
def test_a_source_with_thousands_of_edges(name: str) -> None:
    lp = random_lp(5, 3, 5000, 4000)
    price = np.zeros(lp.destinations)
    _, kernel = made(lp, name)
    p, bound = expected(lp, price, 0.5, np.zeros(lp.edges))
    check(lp, kernel.project(on(kernel, price), 0.5, values=True), p, [bound, (p**2).sum(), 0.0, lp.c @ p])


@pytest.mark.parametrize("name", KERNELS)
def test_an_instance_without_edges(name: str) -> None:
    lp = random_lp(5, 4, 3, 0)
    _, kernel = made(lp, name)
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
    layout, kernel = made(lp, name)
    x = np.zeros(lp.edges)
    x[lp.edges // 2] = np.nan
    own = kernel.load(to_cells(layout, lp, x))
    mix = Mix(projected=1.0, centre=0.5, anchor=0.5)
    result = kernel.advance(on(kernel, np.zeros(6)), 0.5, own, kernel.zeros(), mix, values=False)
    assert not np.isfinite(result.sums.cpu().numpy()).all()
