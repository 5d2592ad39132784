"""The fused loops of the CPU kernel, compiled by Numba (import late).

L lanes, W width, n = W L cells of one slice; cells as in layout.py. Loops are flat over the n cells of a slice, which
LLVM turns into vector code by itself, or over vectors of lanes; where a slice has one lane its edges fill the vectors,
and scratch has VECTOR_WIDTH cells more for the last of them. The scratch of a chunk lies on the stack: LLVM then knows
that nothing else points to it and needs no run-time checks for overlap. A slice of more than STACK_CELLS cells, which
is a lone source, has scratch of its own on the heap: stacks of threads may have 512 KiB.

Projection (math of Michelot 1986, a Newton iteration on sum_e max(v_e - t, 0) = z that rises to its root): it starts
at max(v) - z, which is never above the root, and ends when no lane moves; '<=' keeps t >= 0.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # has no stubs
from numba.core import types
from numba.extending import intrinsic

from solvers.engine.compiled import compiled
from solvers.engine.constants import PAD_COST, STACK_CELLS
from solvers.engine.polytopes.kinds import BOX, SIMPLEX
from solvers.engine.vector_jit import (
    VECTOR_WIDTH,
    any_gt,
    largest,
    load,
    maximum,
    minimum,
    select_gt,
    smallest,
    splat,
    store,
    to_float64,
    total,
)

# nnan and ninf stay out: NaN has to come through
FAST = {"contract", "nsz", "reassoc"}
# for loops over vectors, which need no leave to add in another order
IN_ORDER: dict[str, Any] = {
    "cache": False, "fastmath": FAST - {"reassoc"}, "error_model": "numpy", "forceinline": True,
}  # fmt: skip
_MOST_ROUNDS = 200


@intrinsic  # type: ignore[untyped-decorator]  # of an untyped library
def stack(_context: Any, size: Any) -> Any:
    """Pointer to `size` bytes on the stack of the calling function."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.alloca(ir.IntType(8), size=args[0])
        pointer.align = 64
        return pointer

    return types.voidptr(size), codegen


@compiled(**IN_ORDER)
def by_lane(numbers: Any, first: int) -> Any:
    """Those of VECTOR_WIDTH lanes from `first` on, or that of a lone lane; numbers[L]."""
    return splat(numbers[0]) if numbers.size == 1 else load(numbers, first)


@compiled(**IN_ORDER)
def _root(v: Any, at: range, lanes: int, radius: Any, kind: int, resolution: Any) -> Any:
    """t with sum_e max(v_e - t, 0) = z; for SIMPLEX not below 0."""
    number = v.dtype.type
    zero, one = splat(number(0)), splat(number(1))
    t = splat(number(-np.inf))
    for k in at:
        t = maximum(load(v, k), t)
    t = (splat(largest(t)) if lanes == 1 else t) - radius
    if kind == SIMPLEX:
        t = maximum(t, zero)
    for _ in range(_MOST_ROUNDS):
        above, active = zero, zero
        for k in at:
            excess = load(v, k) - t
            above = above + maximum(excess, zero)
            active = active + select_gt(excess, zero, one, zero)
        if lanes == 1:
            above, active = splat(total(above)), splat(total(active))
        rise = maximum((above - radius) / maximum(active, one), zero)
        t = t + rise
        if not any_gt(rise, splat(resolution) * (maximum(t, zero - t) + radius)):
            break
    return t


@compiled(**IN_ORDER)
def _project(v: Any, cells: int, radius: Any, kind: int, resolution: Any) -> None:
    """The cells v[W, L] of a slice become their projection, source by source."""
    zero, lanes = splat(v.dtype.type(0)), radius.size
    for first in range(0, lanes, VECTOR_WIDTH):
        at, z = range(first, cells, max(lanes, VECTOR_WIDTH)), by_lane(radius, first)
        if kind == BOX:
            for k in at:
                store(v, k, minimum(maximum(load(v, k), zero), z))
        else:
            t = _root(v, at, lanes, z, kind, resolution)
            for k in at:
                store(v, k, maximum(load(v, k) - t, zero))


@compiled(**IN_ORDER)
def least(q: Any, cells: int, radius: Any, kind: int) -> float:
    """sum over the lanes of min over C_i of q_i'x; the cells q[W, L] of a slice."""
    zero, lanes, bound = splat(q.dtype.type(0)), radius.size, splat(0.0)
    for first in range(0, lanes, VECTOR_WIDTH):
        low = zero if kind == BOX else splat(q.dtype.type(np.inf))
        for k in range(first, cells, max(lanes, VECTOR_WIDTH)):
            low = low + minimum(load(q, k), zero) if kind == BOX else minimum(load(q, k), low)
        if lanes == 1:
            low = splat(total(low) if kind == BOX else smallest(low))
        if kind == SIMPLEX:
            low = minimum(low, zero)
        bound = bound + to_float64(by_lane(radius, first)) * to_float64(low)
    lowest: float = total(bound)
    return lowest / VECTOR_WIDTH if lanes == 1 else lowest


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def scatter(index: Any, weight: Any, p: Any, out: Any) -> None:
    for k in range(p.size):
        out[index[k]] += np.float64(weight[k]) * np.float64(p[k])


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _reduced(idx: Any, a: Any, c: Any, price: Any, radius: Any, kind: int, q: Any) -> float:
    """q[n + VECTOR_WIDTH] = c + A'price of one slice, whose bound it returns."""
    n = idx.size
    for k in range(n):
        q[k] = c[k] + a[k] * price[idx[k]]
    q[n:] = q.dtype.type(PAD_COST)
    bound: float = least(q, n, radius, kind)
    return bound


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _project_large(
    chunk: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, price: Any,
    step: Any, resolution: Any, want_values: Any, own_loads: Any, own_values: Any,
) -> tuple[float, float, float]:  # fmt: skip
    """What `_project_chunk` does, for the slices that it leaves out."""
    bound, norm, value = 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        n = start[s + 1] - start[s]
        if n <= STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        r, v = radius[lane[s] : lane[s + 1]], np.empty(n + VECTOR_WIDTH, a.dtype)
        bound += _reduced(idx, a_s, c_s, price, r, kind[s], v)
        for k in range(n):
            v[k] *= -step
        v[n:] = a.dtype.type(-PAD_COST)
        _project(v, n, r, kind[s], resolution)
        for k in range(n):
            norm += np.float64(v[k]) * np.float64(v[k])
            value += np.float64(c_s[k]) * np.float64(v[k])
        scatter(idx, a_s, v[:n], own_loads)
        if want_values:
            scatter(idx, c_s, v[:n], own_values)
    return bound, norm, value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _advance_large(
    chunk: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, price: Any,
    step: Any, resolution: Any, want_values: Any, own_loads: Any, own_values: Any, x: Any, anchor: Any,
    on_projected: Any, on_centre: Any, on_anchor: Any, settle: Any,
) -> tuple[float, float, float, float]:  # fmt: skip
    """What `_advance_chunk` does, for the slices that it leaves out."""
    bound, moved, away, value = 0.0, 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        n = start[s + 1] - start[s]
        if n <= STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        x_s, anchor_s = x[start[s] : start[s + 1]], anchor[start[s] : start[s + 1]]
        r, v = radius[lane[s] : lane[s + 1]], np.empty(n + VECTOR_WIDTH, a.dtype)
        bound += _reduced(idx, a_s, c_s, price, r, kind[s], v)
        for k in range(n):
            v[k] = x_s[k] - step * v[k]
        v[n:] = a.dtype.type(-PAD_COST)
        _project(v, n, r, kind[s], resolution)
        for k in range(n):
            p = v[k]
            moved += np.float64(p - x_s[k]) * np.float64(p - x_s[k])
            away += np.float64(p - anchor_s[k]) * np.float64(p - anchor_s[k])
            value += np.float64(c_s[k]) * np.float64(p)
            x_s[k] = on_projected * p + on_centre * x_s[k] + on_anchor * anchor_s[k]
            if settle:
                anchor_s[k] = p
        scatter(idx, a_s, v[:n], own_loads)
        if want_values:
            scatter(idx, c_s, v[:n], own_values)
    return bound, moved, away, value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _project_chunk(
    chunk: int, largest_slice: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any,
    a: Any, c: Any, price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
) -> None:  # fmt: skip
    room, none = min(largest_slice, STACK_CELLS) + VECTOR_WIDTH, a.dtype.type(PAD_COST)
    v_all = numba.carray(stack(a.itemsize * room), (room,), a.dtype)
    q_all = numba.carray(stack(a.itemsize * room), (room,), a.dtype)
    own_loads, own_values = loads[chunk], values[chunk]
    own_loads[:] = 0.0
    own_values[:] = 0.0
    bound, norm, value = 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        lanes, n = lane[s + 1] - lane[s], start[s + 1] - start[s]
        if n > STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        r = radius[lane[s] : lane[s + 1]]
        v, q = v_all[:n], q_all[:n]
        for k in range(n):
            reduced = c_s[k] + a_s[k] * price[idx[k]]
            q[k] = reduced
            v[k] = -step * reduced
        if lanes == 1:  # its last vector reaches beyond its edges
            q_all[n : n + VECTOR_WIDTH], v_all[n : n + VECTOR_WIDTH] = none, -none
        bound += least(q_all, n, r, kind[s])
        _project(v_all, n, r, kind[s], resolution)
        square, objective = a.dtype.type(0), a.dtype.type(0)
        for k in range(n):
            square += v[k] * v[k]
            objective += c_s[k] * v[k]
        norm, value = norm + square, value + objective
        scatter(idx, a_s, v, own_loads)
        if want_values:
            scatter(idx, c_s, v, own_values)
    if largest_slice > STACK_CELLS:
        low, square, objective = _project_large(
            chunk, cuts, start, lane, kind, radius, index, a, c, price, step, resolution, want_values, own_loads,
            own_values,
        )  # fmt: skip
        bound, norm, value = bound + low, norm + square, value + objective
    sums[chunk, 0], sums[chunk, 1], sums[chunk, 2], sums[chunk, 3] = bound, norm, 0.0, value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _advance_chunk(
    chunk: int, largest_slice: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any,
    a: Any, c: Any, price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
    x: Any, anchor: Any, on_projected: Any, on_centre: Any, on_anchor: Any, settle: Any,
) -> None:  # fmt: skip
    room, none = min(largest_slice, STACK_CELLS) + VECTOR_WIDTH, a.dtype.type(PAD_COST)
    v_all = numba.carray(stack(a.itemsize * room), (room,), a.dtype)
    q_all = numba.carray(stack(a.itemsize * room), (room,), a.dtype)
    own_loads, own_values = loads[chunk], values[chunk]
    own_loads[:] = 0.0
    own_values[:] = 0.0
    bound, moved, away, value = 0.0, 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        lanes, n = lane[s + 1] - lane[s], start[s + 1] - start[s]
        if n > STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        x_s, anchor_s = x[start[s] : start[s + 1]], anchor[start[s] : start[s + 1]]
        r = radius[lane[s] : lane[s + 1]]
        v, q = v_all[:n], q_all[:n]
        for k in range(n):
            reduced = c_s[k] + a_s[k] * price[idx[k]]
            q[k] = reduced
            v[k] = x_s[k] - step * reduced
        if lanes == 1:  # its last vector reaches beyond its edges
            q_all[n : n + VECTOR_WIDTH], v_all[n : n + VECTOR_WIDTH] = none, -none
        bound += least(q_all, n, r, kind[s])
        _project(v_all, n, r, kind[s], resolution)
        far, apart, objective = a.dtype.type(0), resolution * 0, resolution * 0
        for k in range(n):
            p = v[k]
            far += (p - x_s[k]) * (p - x_s[k])
            apart += (p - anchor_s[k]) * (p - anchor_s[k])
            objective += c_s[k] * p
            x_s[k] = on_projected * p + on_centre * x_s[k] + on_anchor * anchor_s[k]
        if settle:
            for k in range(n):
                anchor_s[k] = v[k]
        moved, away, value = moved + far, away + apart, value + objective
        scatter(idx, a_s, v, own_loads)
        if want_values:
            scatter(idx, c_s, v, own_values)
    if largest_slice > STACK_CELLS:
        low, far, apart, objective = _advance_large(
            chunk, cuts, start, lane, kind, radius, index, a, c, price, step, resolution, want_values, own_loads,
            own_values, x, anchor, on_projected, on_centre, on_anchor, settle,
        )  # fmt: skip
        bound, moved, away, value = bound + low, moved + far, away + apart, value + objective
    sums[chunk, 0], sums[chunk, 1], sums[chunk, 2], sums[chunk, 3] = bound, moved, away, value


# prange, not `parallel_for`: it compiles slower, but the loops come out some 5 % faster
@compiled(parallel=True, nogil=True)
def project(
    largest_slice: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any,
    price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
) -> None:  # fmt: skip
    """sums [C, 4], loads [C, J] and values [C, J] of each chunk; see Kernel.project."""
    for chunk in numba.prange(cuts.size - 1):
        _project_chunk(
            chunk, largest_slice, cuts, start, lane, kind, radius, index, a, c, price, step, resolution, want_values,
            loads, values, sums,
        )  # fmt: skip


@compiled(parallel=True, nogil=True)
def advance(
    largest_slice: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any,
    price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
    x: Any, anchor: Any, on_projected: Any, on_centre: Any, on_anchor: Any, settle: Any,
) -> None:  # fmt: skip
    """The same, and x and anchor overwritten; see Kernel.advance."""
    for chunk in numba.prange(cuts.size - 1):
        _advance_chunk(
            chunk, largest_slice, cuts, start, lane, kind, radius, index, a, c, price, step, resolution, want_values,
            loads, values, sums, x, anchor, on_projected, on_centre, on_anchor, settle,
        )  # fmt: skip
