"""Nanoseconds an edge for one iteration of each kernel, padding, bytes an edge, and the layout's cost in iterations.

Further families of rows, ragged ones and box-cuts are timed against one family of simplices, in turn.

The pass of dualip is also timed against that of LinkedIn's DuaLip, where that is installed.

pytest tests/benchmarks/test_kernels.py --benchmark-columns=min,median
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch

from harness.clock import Stopwatch
from instances import BoxCut, MatchingLP, RaggedRows, Rows, generate, parse_spec
from solvers import get_solver
from solvers.engine.kernel import Mix
from solvers.engine.kernels import make_kernel
from solvers.engine.layout import Layout
from solvers.engine.layout_builder import build_layout
from solvers.engine.threads import cpu_threads
from solvers.engine.warm_up import warm_up
from solvers.settings import Settings

SPECS = {
    "2.5e6": "dualip:sources=250000,destinations=100,degree=10,seed=42",
    "1e7": "dualip:sources=1000000,destinations=10000,degree=10,seed=42",
}
HALPERN = Mix(projected=1.5, centre=-0.75, anchor=0.25)
KERNELS = [
    pytest.param("cpu", 1, id="cpu-1"),
    pytest.param("cpu", 2, id="cpu-2"),
    pytest.param("reference", 2, id="reference-2"),
    pytest.param(
        "cuda", 1, id="cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
    ),
]


@cache
def instance(size: str) -> MatchingLP:
    return generate(parse_spec(SPECS[size]))


@cache
def layout(size: str) -> Layout:
    return build_layout(instance(size))


def settings_for(kernel: str, threads: int) -> Settings:
    return Settings(threads=threads, device="cuda" if kernel == "cuda" else "cpu")


@cache
def copy_bandwidth(device: str, threads: int) -> float:
    """Bytes a second, read and written counted, of copying 512 MiB on the device."""
    source = torch.ones(2**27, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    seconds = []
    with cpu_threads(threads):
        for _ in range(7):
            stopwatch = Stopwatch(device)
            target.copy_(source)
            seconds.append(stopwatch.lap())
    return 2 * source.nbytes / sorted(seconds)[3]


@pytest.mark.parametrize("size", SPECS)
@pytest.mark.parametrize(("name", "threads"), KERNELS)
@pytest.mark.parametrize("work", ["advance", "project", "judge"])
def test_one_iteration(benchmark: Any, work: str, name: str, threads: int, size: str) -> None:
    """`advance` is the whole iteration of blockpdhg, `project` that of dualip, `judge` what a proof costs."""
    lp, kernel = instance(size), make_kernel(layout(size), settings_for(name, threads), name)
    price = torch.zeros(lp.destinations, dtype=torch.float64, device=kernel.device)
    x, anchor = kernel.zeros(), kernel.zeros()

    def iterate() -> None:
        if work == "advance":
            kernel.advance(price, 1.0, x, anchor, HALPERN, values=False)
        elif work == "project":
            kernel.project(price, 1e3, values=False)
        else:
            kernel.evaluate_feasible(price, x)
        if kernel.device.startswith("cuda"):
            torch.cuda.synchronize()

    with cpu_threads(threads):
        rounds = 3 if name == "reference" else 15
        benchmark.pedantic(iterate, rounds=rounds, iterations=1, warmup_rounds=2)
    # a and c are read; advance reads x and the anchor and writes x, judge reads x.
    arrays = {"advance": 5, "project": 2, "judge": 3}[work]
    moved = layout(size).index.nbytes + layout(size).a.nbytes * arrays
    seconds = benchmark.stats.stats.median
    benchmark.extra_info.update(
        threads=threads,
        edges=lp.edges,
        ns_per_edge=seconds / lp.edges * 1e9,
        padding=layout(size).padding,
        bytes_moved_per_edge=moved / lp.edges,
        share_of_copy_bandwidth=moved / seconds / copy_bandwidth(kernel.device, threads),
    )
    assert layout(size).padding <= 1.4


def with_further_rows(form: str) -> MatchingLP:
    """2.5e6 edges with rows of this form beside the first family, or with box-cuts for simplices; all in float32."""
    lp, rng = instance("2.5e6"), np.random.default_rng(1)
    rows: list[Any] = list(lp.rows)

    def fields(entries: int) -> dict[str, Any]:
        coefficient = rng.uniform(0.5, 1.5, entries).astype(np.float32)
        row = rng.integers(0, 100, entries).astype(np.int32)
        return {"row": row, "coefficient": coefficient, "upper": np.full(100, 1e6)}

    if form.endswith("aligned"):
        rows += [Rows(f"family {k}", **fields(lp.edges)) for k in range(1, int(form[0]))]
    elif form == "ragged":
        starts = np.concatenate(([0], np.cumsum(rng.integers(1, 4, lp.edges))))
        rows.append(RaggedRows("links", entry_offsets=starts, **fields(int(starts[-1]))))
    polytope = BoxCut(upper=0.5, at_most=1.0) if form == "box-cut" else lp.polytope
    return MatchingLP(offsets=lp.offsets, c=lp.c, rows=rows, polytope=polytope)


@pytest.mark.parametrize("form", ["2 aligned", "4 aligned", "ragged", "box-cut"])
def test_a_coefficient_costs_no_more_in_further_families(benchmark: Any, form: str) -> None:
    """Seconds of a pass for each stored coefficient, as a multiple of those with one family; the least counts, for any
    other work on the machine only adds to it.
    """
    threads = 2
    lp = with_further_rows(form)
    ragged = sum(int(family.entry_offsets[-1]) for family in lp.rows if isinstance(family, RaggedRows))
    coefficients = lp.edges * sum(isinstance(family, Rows) for family in lp.rows) + ragged
    with cpu_threads(threads):
        calls = [advancing(layout("2.5e6"), threads), advancing(build_layout(lp), threads)]
        seconds = np.array([[timed(call) for call in calls] for _ in range(60)])
        benchmark.pedantic(calls[1], rounds=5)
    one, several = seconds.min(axis=0) / (lp.edges, coefficients) * 1e9
    benchmark.extra_info.update(threads=threads, coefficients=coefficients, ns_one=one, ns=several, times=several / one)


def advancing(cells: Layout, threads: int) -> Callable[[], Any]:
    """An iteration of blockpdhg on these cells."""
    kernel = make_kernel(cells, settings_for("cpu", threads), "cpu")
    price = torch.full((cells.destinations,), 1e-3, dtype=torch.float64)
    x, anchor = kernel.zeros(), kernel.zeros()
    return lambda: kernel.advance(price, 1.0, x, anchor, HALPERN, values=False)


@pytest.mark.parametrize("size", SPECS)
def test_layout_in_iterations(benchmark: Any, size: str) -> None:
    lp, threads = instance(size), 2
    with cpu_threads(threads):
        warm_up(lp, settings_for("cpu", threads), "cpu")
        made = benchmark.pedantic(build_layout, args=(lp,), rounds=5, iterations=1, warmup_rounds=1)
        kernel = make_kernel(made, settings_for("cpu", threads), "cpu")
        price, x, anchor = torch.zeros(lp.destinations, dtype=torch.float64), kernel.zeros(), kernel.zeros()
        seconds = []
        for _ in range(10):
            start = time.perf_counter()
            kernel.advance(price, 1.0, x, anchor, HALPERN, values=False)
            seconds.append(time.perf_counter() - start)
    benchmark.extra_info.update(edges=lp.edges, iterations_worth=benchmark.stats.stats.min / min(seconds))
    assert made.edges == lp.edges


@pytest.mark.skipif(not get_solver("dualip-upstream").available().ok, reason="LinkedIn's DuaLip is not installed")
@pytest.mark.parametrize("threads", [1, 2])
def test_times_faster_than_the_public_dualip(benchmark: Any, capsys: pytest.CaptureFixture[str], threads: int) -> None:
    """One evaluation of the ridge dual's gradient at the same dual and ridge by both, in turn; the medians count."""
    lp, gamma, settings = instance("2.5e6"), 1e-3, settings_for("cpu", threads)
    upstream, ascent = get_solver("dualip-upstream"), get_solver("dualip")
    with cpu_threads(threads):
        kernel = make_kernel(layout("2.5e6"), settings, "cpu")
        price = ascent.run(ascent.prepare(lp, Settings(threads=threads, iteration_limit=20))).dual
        peers = [upstream.prepare(lp, Settings(threads=threads, options={"batching": on})) for on in (False, True)]
        ours, theirs = torch.from_numpy(price), torch.from_numpy(price.astype(np.float32))
        calls: list[Callable[[], Any]] = [
            lambda: kernel.project(ours, 1 / gamma, values=False),
            *(lambda peer=peer: peer.calculate(theirs) for peer in peers),
        ]
        mine, *others = [call() for call in calls]
        seconds = np.array([[timed(call) for call in calls] for _ in range(9)])
        benchmark.pedantic(calls[0], rounds=9)
    for other in others:
        gradient = mine.loads.numpy() - lp.b
        assert np.allclose(other.dual_gradient.numpy(), gradient, atol=1e-3 * np.abs(lp.b).max())
    own, plain, batched = (median(column) / lp.edges * 1e9 for column in seconds.T)
    ratio = min(plain, batched) / own
    benchmark.extra_info.update(threads=threads, ns_per_edge=own, upstream_plain=plain, upstream_batched=batched)
    benchmark.extra_info.update(times_faster=ratio)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{threads} threads, ns an edge: dualip {own:.2f}, DuaLip {plain:.1f}, with its batching {batched:.1f}: "
            f"{ratio:.0f} times faster than the better one\n"
        )


def timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
