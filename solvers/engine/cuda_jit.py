"""The fused passes in Triton (import late). TRITON_INTERPRET=1 runs them without a GPU.

A program takes slice after slice: a tile [BLOCK, LANES] each, rows beyond the slice's width masked; masked cells get
q = v = 0 and never count. Widths lie between LEAST and MOST, both known when a loop is compiled: rows below LEAST need
no mask and rows from MOST on no registers, which decides how many programs a GPU holds at a time. With a warp for 32
lanes a thread holds whole columns, so that no step of a projection crosses warps. Additions to memory are relaxed:
the default orders all other accesses around each of them. Offsets of cells and edges are int64, for 2^31 of either is
not the end. Python's numbers come annotated as float64, for Triton would take them as float32; nothing else is
annotated, since Triton looks the names up.
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
    number, slice_start, slice_lane, radius, upper, index, a_all, c_all,
    LANES: tl.constexpr, BLOCK: tl.constexpr, LEAST: tl.constexpr, MOST: tl.constexpr,
):  # fmt: skip
    """The first cell of a slice; of its cells [BLOCK, LANES] the places after that one, which lie in the slice, j, a
    and c; radius and upper [LANES].
    """
    row = tl.arange(0, BLOCK)[:, None]
    lane = tl.arange(0, LANES)
    place = row * LANES + lane[None, :]
    start = tl.load(slice_start + number)
    real = (row < LEAST) & (lane[None, :] >= 0)
    if LEAST < MOST:
        cells = (tl.load(slice_start + number + 1) - start).to(tl.int32)
        real = real | ((row < MOST) & (place < cells))
    first_lane = tl.load(slice_lane + number)
    z = tl.load(radius + first_lane + lane)
    u = tl.load(upper + first_lane + lane)
    j = tl.load(index + start + place, mask=real, other=0).to(tl.int32)
    a = tl.load(a_all + start + place, mask=real, other=0.0)
    c = tl.load(c_all + start + place, mask=real, other=0.0)
    return start, place, real, j, a, c, z, u


@triton.jit
def _add_up(weight, p, out, j, active):
    tl.atomic_add(out + j, weight.to(tl.float64) * p, mask=active, sem="relaxed")


@triton.jit
def _by_lane(values):
    """Sums of the columns of a tile, float64[LANES]."""
    return tl.sum(values.to(tl.float64), axis=0)


@triton.jit
def _add_sums(sums, SUM_COPIES: tl.constexpr, first, second, third, fourth):
    """Add a program's sums by lane to its copy of the four scalars."""
    out = sums + (tl.program_id(0) % SUM_COPIES) * 4
    tl.atomic_add(out, tl.sum(first, axis=0), sem="relaxed")
    tl.atomic_add(out + 1, tl.sum(second, axis=0), sem="relaxed")
    tl.atomic_add(out + 2, tl.sum(third, axis=0), sem="relaxed")
    tl.atomic_add(out + 3, tl.sum(fourth, axis=0), sem="relaxed")


@triton.jit(do_not_specialize=["first", "slices", "settle", "want_values"])
def one_pass(
    first, slices, slice_start, slice_lane, radius, upper, index, a_all, c_all, more, price,
    step: tl.float64, resolution: tl.float64, on_p: tl.float64, on_x: tl.float64, on_anchor: tl.float64,
    settle, want_values, x_all, anchor_all, loads, values, sums, destinations,
    LANES: tl.constexpr, BLOCK: tl.constexpr, LEAST: tl.constexpr, MOST: tl.constexpr, KIND: tl.constexpr,
    FAMILIES: tl.constexpr, CENTRED: tl.constexpr, ROUNDS: tl.constexpr, COPIES: tl.constexpr, SUM_COPIES: tl.constexpr,
):  # fmt: skip
    """Kernel.project (not CENTRED) or Kernel.advance of the slices from `first` on. settle, want_values: 0 or 1."""
    value = a_all.dtype.element_ty
    step_size = tl.full((), step, tl.float64).to(value)
    precision = tl.full((), resolution, tl.float64).to(value)
    of_p = tl.full((), on_p, tl.float64).to(value)
    of_x = tl.full((), on_x, tl.float64).to(value)
    of_anchor = tl.full((), on_anchor, tl.float64).to(value)
    copy = (tl.program_id(0) % COPIES) * destinations
    loads += copy
    values += copy * want_values
    least = tl.zeros((LANES,), tl.float64)
    moves = tl.zeros((LANES,), tl.float64)
    distance = tl.zeros((LANES,), tl.float64)
    objective = tl.zeros((LANES,), tl.float64)

    for number in range(tl.program_id(0), slices, tl.num_programs(0)):
        start, place, real, j, a, c, z, u = _tile(
            first + number, slice_start, slice_lane, radius, upper, index, a_all, c_all, LANES, BLOCK, LEAST, MOST
        )
        q = add_rises(more, price, start + place, real, c + a * tl.load(price + j, mask=real, other=0.0), FAMILIES)
        v = -step_size * q
        if CENTRED:
            x = tl.load(x_all + start + place, mask=real, other=0.0)
            v += x
        p = project(v, q, real, z, u, precision, KIND, ROUNDS)

        moved = p
        if CENTRED:
            anchor = tl.load(anchor_all + start + place, mask=real, other=0.0)
            moved = p - x
            away = p - anchor
            distance += _by_lane(away * away)
            tl.store(x_all + start + place, of_p * p + of_x * x + of_anchor * anchor, mask=real)
            if settle > 0:
                tl.store(anchor_all + start + place, p, mask=real)

        double_p = p.to(tl.float64)
        active = real & (p > 0)
        _add_up(a, double_p, loads, j, active)
        add_loads(more, double_p, start + place, real, loads, NEGATIVE=False, FAMILIES=FAMILIES)
        if want_values > 0:
            _add_up(c, double_p, values, j, active)
        least += support(q, real, z, u, KIND)
        moves += _by_lane(moved * moved)
        objective += _by_lane(c.to(tl.float64) * double_p)
    _add_sums(sums, SUM_COPIES, least, moves, distance, objective)


@triton.jit(do_not_specialize=["first", "slices"])
def evaluate_feasible(
    first, slices, slice_start, slice_lane, radius, upper, index, a_all, c_all, more, price, factor,
    x_all, loads, values, sums, destinations,
    LANES: tl.constexpr, BLOCK: tl.constexpr, LEAST: tl.constexpr, MOST: tl.constexpr, KIND: tl.constexpr,
    FAMILIES: tl.constexpr, SHORT_FORM: tl.constexpr, COPIES: tl.constexpr, SUM_COPIES: tl.constexpr,
):  # fmt: skip
    """Kernel.evaluate_feasible of the slices from `first` on; price float64[R], factor float64[R] or None."""
    copy = (tl.program_id(0) % COPIES) * destinations
    loads += copy
    values += copy
    least = tl.zeros((LANES,), tl.float64)
    sizes = tl.zeros((LANES,), tl.float64)
    without_row = tl.zeros((LANES,), tl.float64)
    objective = tl.zeros((LANES,), tl.float64)

    for number in range(tl.program_id(0), slices, tl.num_programs(0)):
        start, place, real, j, a, c, z, u = _tile(
            first + number, slice_start, slice_lane, radius, upper, index, a_all, c_all, LANES, BLOCK, LEAST, MOST
        )
        cell = start + place
        cost = c.to(tl.float64)
        rise = a.to(tl.float64) * tl.load(price + j, mask=real, other=0.0)
        if SHORT_FORM:
            q = tl.where(rise == 0, cost, cost + rise - (SLIP * (tl.abs(cost) + rise) + TINY))
        else:
            size_of_q, entries = add_sizes(more, price, cell, real, tl.abs(cost) + tl.abs(rise), FAMILIES)
            q = add_rises(more, price, cell, real, cost + rise, FAMILIES) - (SLIP * entries * size_of_q + TINY)
        p = bring_in(tl.load(x_all + start + place, mask=real, other=0.0), c, real, z, u, KIND)
        if factor is not None:
            p *= least_factor(more, factor, cell, real, j, a, SHORT_FORM, FAMILIES)

        size = tl.abs(cost * p)
        active = real & (p > 0)
        _add_up(a, p, loads, j, active)
        add_loads(more, p, cell, real, loads, NEGATIVE=False, FAMILIES=FAMILIES)
        if SHORT_FORM:
            _add_up(c, p, values, j, active & (a > 0))
            without_row += _by_lane(tl.where(a > 0, 0.0, size))
        else:
            _add_up(tl.minimum(a, 0.0), p, values, j, active)
            add_loads(more, p, cell, real, values, NEGATIVE=True, FAMILIES=FAMILIES)
        least += support(q, real, z, u, KIND)
        sizes += _by_lane(size)
        objective += _by_lane(cost * p)
    _add_sums(sums, SUM_COPIES, least, sizes, without_row, objective)


@triton.jit(do_not_specialize=["first", "slices"])
def answer(
    first, slices, slice_start, slice_lane, radius, upper, index, a_all, c_all, more,
    source, offsets, x_all, factor, edges,
    LANES: tl.constexpr, BLOCK: tl.constexpr, LEAST: tl.constexpr, MOST: tl.constexpr, KIND: tl.constexpr,
    FAMILIES: tl.constexpr, SHORT_FORM: tl.constexpr,
):  # fmt: skip
    """Kernel.answer of the slices from `first` on: edges[E] in the order of the instance."""
    for number in range(tl.program_id(0), slices, tl.num_programs(0)):
        start, place, real, j, a, c, z, u = _tile(
            first + number, slice_start, slice_lane, radius, upper, index, a_all, c_all, LANES, BLOCK, LEAST, MOST
        )
        p = bring_in(tl.load(x_all + start + place, mask=real, other=0.0), c, real, z, u, KIND)
        p *= least_factor(more, factor, start + place, real, j, a, SHORT_FORM, FAMILIES)
        i = tl.load(source + tl.load(slice_lane + first + number) + tl.arange(0, LANES))
        begin = tl.load(offsets + i, mask=i >= 0, other=0)
        end = tl.load(offsets + i + 1, mask=i >= 0, other=0)
        edge = begin[None, :] + tl.arange(0, BLOCK)[:, None]
        tl.store(edges + edge, p.to(edges.dtype.element_ty), mask=real & (edge < end[None, :]))
