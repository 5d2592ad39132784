"""The kernels that a test tries in turn, and LPs for them with sources of every kind."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Kind, MatchingLP, PerSource
from solvers.engine.kernel import Kernel
from solvers.engine.kernels import make_kernel
from solvers.engine.layout import Layout
from solvers.engine.layout_builder import build_layout
from solvers.settings import Settings

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


def layout_and_kernel(lp: MatchingLP, name: str, dtype: str = "float64") -> tuple[Layout, Kernel]:
    layout = build_layout(lp, dtype)
    device = "cuda" if name == "cuda" and torch.cuda.is_available() else "cpu"
    if name == "cuda":
        from solvers.engine.cuda import CudaKernel

        return layout, CudaKernel(layout, device)
    return layout, make_kernel(layout, Settings(device=device, dtype=dtype), name)


def on(kernel: Kernel, values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).to(kernel.device)
