"""The fused passes in Triton (import late). TRITON_INTERPRET=1 runs them without a GPU.

One program takes one slice: a tile [BLOCK, LANES], rows beyond the slice's width masked; masked cells get q = v = 0 and
never count. Offsets of cells and edges are int64, for 2^31 of either is not the end. Python's numbers come annotated
as float64, for Triton would take them as float32; nothing else is annotated, since Triton looks the names up.
"""

from __future__ import annotations

import triton
import triton.language as tl

from solvers.engine import constants
from solvers.engine.families_triton import add_loads, add_rises, add_sizes, least_factor
from solvers.engine.polytopes.triton import bring_in, project, support

SLIP = tl.constexpr(constants.SLIP)
TINY = tl.constexpr(constants.TINY)


@triton.jit
def _tile(
    slice_number, slice_start, slice_lane, radius, upper, index, a_all, c_all,
    LANES: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Cells, whether each lies in the slice, destination, a and c [BLOCK, LANES]; radius and upper [LANES]."""
    start = tl.load(slice_start + slice_number)
    lane = tl.arange(0, LANES)
    cell = start + (tl.arange(0, BLOCK)[:, None] * LANES + lane[None, :])
    real = cell < tl.load(slice_start + slice_number + 1)
    first_lane = tl.load(slice_lane + slice_number)
    z = tl.load(radius + first_lane + lane)
    u = tl.load(upper + first_lane + lane)
    j = tl.load(index + cell, mask=real, other=0).to(tl.int32)
    a = tl.load(a_all + cell, mask=real, other=0.0)
    c = tl.load(c_all + cell, mask=real, other=0.0)
    return cell, real, j, a, c, z, u


@triton.jit
def _add_up(weight, p, out, j, active):
    tl.atomic_add(out + j, weight.to(tl.float64) * p, mask=active)


@triton.jit
def _total(values):
    """Sum of a tile in float64."""
    return tl.sum(tl.sum(values.to(tl.float64), axis=0), axis=0)


@triton.jit(do_not_specialize=["first", "settle", "want_values"])
def one_pass(
    first, slice_start, slice_lane, radius, upper, index, a_all, c_all, more, price,
    step: tl.float64, resolution: tl.float64, on_p: tl.float64, on_x: tl.float64, on_anchor: tl.float64,
    settle, want_values, x_all, anchor_all, loads, values, sums, destinations,
    LANES: tl.constexpr, BLOCK: tl.constexpr, KIND: tl.constexpr, CENTRED: tl.constexpr, ROUNDS: tl.constexpr,
    COPIES: tl.constexpr, SUM_COPIES: tl.constexpr,
):  # fmt: skip
    """One slice of Kernel.project (not CENTRED) or Kernel.advance. settle, want_values: 0 or 1."""
    program = tl.program_id(0)
    cell, real, j, a, c, z, u = _tile(
        first + program, slice_start, slice_lane, radius, upper, index, a_all, c_all, LANES, BLOCK
    )
    q = add_rises(more, price, cell, real, c + a * tl.load(price + j, mask=real, other=0.0))
    v = -tl.full((), step, tl.float64).to(a.dtype) * q
    if CENTRED:
        x = tl.load(x_all + cell, mask=real, other=0.0)
        v += x
    p = project(v, q, real, z, u, tl.full((), resolution, tl.float64).to(a.dtype), KIND, ROUNDS)

    moved = p
    away = tl.zeros_like(p)
    if CENTRED:
        anchor = tl.load(anchor_all + cell, mask=real, other=0.0)
        moved = p - x
        away = p - anchor
        mixed = tl.full((), on_p, tl.float64).to(a.dtype) * p + tl.full((), on_x, tl.float64).to(a.dtype) * x
        mixed += tl.full((), on_anchor, tl.float64).to(a.dtype) * anchor
        tl.store(x_all + cell, mixed, mask=real)
        tl.store(anchor_all + cell, p, mask=real & (settle > 0))

    copy = (program % COPIES) * destinations
    double_p = p.to(tl.float64)
    _add_up(a, double_p, loads + copy, j, real & (p > 0))
    add_loads(more, double_p, cell, real, loads + copy, NEGATIVE=False)
    _add_up(c, double_p, values + copy * want_values, j, real & (p > 0) & (want_values > 0))
    out = sums + (program % SUM_COPIES) * 4
    tl.atomic_add(out, support(q, real, z, u, KIND))
    tl.atomic_add(out + 1, _total(moved * moved))
    tl.atomic_add(out + 2, _total(away * away))
    tl.atomic_add(out + 3, _total(c.to(tl.float64) * double_p))


@triton.jit(do_not_specialize=["first"])
def evaluate_feasible(
    first, slice_start, slice_lane, radius, upper, index, a_all, c_all, more, price, factor,
    x_all, loads, values, sums, destinations,
    LANES: tl.constexpr, BLOCK: tl.constexpr, KIND: tl.constexpr, COPIES: tl.constexpr, SUM_COPIES: tl.constexpr,
):  # fmt: skip
    """One slice of Kernel.evaluate_feasible; price float64[R], factor float64[R] or None."""
    program = tl.program_id(0)
    cell, real, j, a, c, z, u = _tile(
        first + program, slice_start, slice_lane, radius, upper, index, a_all, c_all, LANES, BLOCK
    )
    cost = c.to(tl.float64)
    rise = a.to(tl.float64) * tl.load(price + j, mask=real, other=0.0)
    if more is None:
        q = tl.where(rise == 0, cost, cost + rise - (SLIP * (tl.abs(cost) + rise) + TINY))
    else:
        size_of_q, entries = add_sizes(more, price, cell, real, tl.abs(cost) + tl.abs(rise))
        q = add_rises(more, price, cell, real, cost + rise) - (SLIP * entries * size_of_q + TINY)
    p = bring_in(tl.load(x_all + cell, mask=real, other=0.0), c, real, z, u, KIND)
    if factor is not None:
        p *= least_factor(more, factor, cell, real, j, a)
    size = tl.abs(cost * p)
    copy = (program % COPIES) * destinations
    _add_up(a, p, loads + copy, j, real & (p > 0))
    add_loads(more, p, cell, real, loads + copy, NEGATIVE=False)
    if more is None:
        _add_up(c, p, values + copy, j, real & (p > 0) & (a > 0))
    else:
        _add_up(tl.minimum(a, 0.0), p, values + copy, j, real & (p > 0))
        add_loads(more, p, cell, real, values + copy, NEGATIVE=True)
    out = sums + (program % SUM_COPIES) * 4
    tl.atomic_add(out, support(q, real, z, u, KIND))
    tl.atomic_add(out + 1, _total(size))
    if more is None:
        tl.atomic_add(out + 2, _total(tl.where(a > 0, 0.0, size)))
    tl.atomic_add(out + 3, _total(c.to(tl.float64) * p))


@triton.jit(do_not_specialize=["first"])
def answer(
    first, slice_start, slice_lane, radius, upper, index, a_all, c_all, more,
    source, offsets, x_all, factor, edges,
    LANES: tl.constexpr, BLOCK: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """One slice of Kernel.answer: edges[E] in the order of the instance."""
    number = first + tl.program_id(0)
    cell, real, j, a, c, z, u = _tile(number, slice_start, slice_lane, radius, upper, index, a_all, c_all, LANES, BLOCK)
    p = bring_in(tl.load(x_all + cell, mask=real, other=0.0), c, real, z, u, KIND)
    p *= least_factor(more, factor, cell, real, j, a)
    i = tl.load(source + tl.load(slice_lane + number) + tl.arange(0, LANES))
    begin = tl.load(offsets + i, mask=i >= 0, other=0)
    end = tl.load(offsets + i + 1, mask=i >= 0, other=0)
    edge = begin[None, :] + tl.arange(0, BLOCK)[:, None]
    tl.store(edges + edge, p.to(edges.dtype.element_ty), mask=real & (edge < end[None, :]))
