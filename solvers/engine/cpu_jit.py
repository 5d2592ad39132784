"""The fused loops of the CPU kernel, compiled by Numba (import late).

L lanes, W width, n = W L cells of one slice; cells as in layout.py. Every loop is one of two shapes that LLVM turns
into vector code: flat over the n cells of a slice, or over the lanes of one edge number. The scratch of a chunk lies on
the stack: LLVM then knows that nothing else points to it and needs no run-time checks for overlap.

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

SIMPLEX, EQUALITY, BOX = 0, 1, 2
# nnan and ninf stay out: NaN has to come through
FAST = {"contract", "nsz", "reassoc"}
_MOST_ROUNDS = 200


@intrinsic  # type: ignore[untyped-decorator]  # of an untyped library
def stack(_context: Any, size: Any) -> Any:
    """Pointer to `size` bytes on the stack of the calling function."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.alloca(ir.IntType(8), size=args[0])
        pointer.align = 64
        return pointer

    return types.voidptr(size), codegen


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def _below_root(v: Any, radius: Any, kind: int, t: Any) -> None:
    """t[L] = max_w v[w] - z, for SIMPLEX not below 0."""
    width, lanes = v.shape
    zero = v.dtype.type(0)
    for lane in range(lanes):
        t[lane] = v[0, lane]
    for w in range(1, width):
        for lane in range(lanes):
            t[lane] = v[w, lane] if v[w, lane] > t[lane] else t[lane]
    for lane in range(lanes):
        t[lane] -= radius[lane]
    if kind == SIMPLEX:
        for lane in range(lanes):
            t[lane] = t[lane] if t[lane] > zero else zero


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def _rise(v: Any, radius: Any, t: Any, excess: Any, active: Any, resolution: Any) -> Any:
    """One Newton step of t[L]; how far the lane that moved most moved beyond its resolution, 0 when none did."""
    width, lanes = v.shape
    zero, one = v.dtype.type(0), v.dtype.type(1)
    for lane in range(lanes):
        excess[lane], active[lane] = -radius[lane], zero
    for w in range(width):
        for lane in range(lanes):
            above = v[w, lane] - t[lane]
            excess[lane] += above if above > zero else zero
            active[lane] += one if above > zero else zero
    largest = zero
    for lane in range(lanes):
        rise = excess[lane] / (active[lane] if active[lane] > one else one)
        rise = rise if rise > zero else zero
        t[lane] += rise
        left = rise - resolution * (abs(t[lane]) + radius[lane])
        largest = left if left > largest else largest
    return largest


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def _project(v: Any, radius: Any, kind: int, t: Any, excess: Any, active: Any, resolution: Any) -> None:
    """v[W, L] becomes its projection, lane by lane."""
    width, lanes = v.shape
    zero = v.dtype.type(0)
    if kind == BOX:
        for w in range(width):
            for lane in range(lanes):
                p = v[w, lane] if v[w, lane] > zero else zero
                v[w, lane] = p if p < radius[lane] else radius[lane]
        return
    _below_root(v, radius, kind, t)
    for _ in range(_MOST_ROUNDS):
        if not _rise(v, radius, t, excess, active, resolution) > zero:
            break
    for w in range(width):
        for lane in range(lanes):
            p = v[w, lane] - t[lane]
            v[w, lane] = p if p > zero else zero


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def least(q: Any, radius: Any, kind: int, low: Any) -> float:
    """sum over the lanes of min over C_i of q_i'x."""
    width, lanes = q.shape
    zero, total = q.dtype.type(0), 0.0
    for lane in range(lanes):
        low[lane] = q[0, lane]
    if kind == BOX:
        for lane in range(lanes):
            low[lane] = low[lane] if low[lane] < zero else zero
        for w in range(1, width):
            for lane in range(lanes):
                low[lane] += q[w, lane] if q[w, lane] < zero else zero
    else:
        for w in range(1, width):
            for lane in range(lanes):
                low[lane] = q[w, lane] if q[w, lane] < low[lane] else low[lane]
    for lane in range(lanes):
        least = low[lane] if kind == EQUALITY or low[lane] < zero else zero
        total += np.float64(radius[lane]) * np.float64(least)
    return total


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def scatter(index: Any, weight: Any, p: Any, out: Any) -> None:
    for k in range(p.size):
        out[index[k]] += np.float64(weight[k]) * np.float64(p[k])


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _project_chunk(
    chunk: int, largest: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any,
    a: Any, c: Any, price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
) -> None:  # fmt: skip
    size = a.itemsize * largest
    v_all, q_all = numba.carray(stack(size), (largest,), a.dtype), numba.carray(stack(size), (largest,), a.dtype)
    t_all, s_all = numba.carray(stack(size), (largest,), a.dtype), numba.carray(stack(size), (largest,), a.dtype)
    n_all = numba.carray(stack(size), (largest,), a.dtype)
    own_loads, own_values = loads[chunk], values[chunk]
    own_loads[:] = 0.0
    own_values[:] = 0.0
    bound, norm, value = 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        lanes, n = lane[s + 1] - lane[s], start[s + 1] - start[s]
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        r = radius[lane[s] : lane[s + 1]]
        v, q = v_all[:n], q_all[:n]
        for k in range(n):
            reduced = c_s[k] + a_s[k] * price[idx[k]]
            q[k] = reduced
            v[k] = -step * reduced
        shape = (n // lanes, lanes)
        bound += least(q.reshape(shape), r, kind[s], t_all[:lanes])
        _project(v.reshape(shape), r, kind[s], t_all[:lanes], s_all[:lanes], n_all[:lanes], resolution)
        square, objective = a.dtype.type(0), a.dtype.type(0)
        for k in range(n):
            square += v[k] * v[k]
            objective += c_s[k] * v[k]
        norm, value = norm + square, value + objective
        scatter(idx, a_s, v, own_loads)
        if want_values:
            scatter(idx, c_s, v, own_values)
    sums[chunk, 0], sums[chunk, 1], sums[chunk, 2], sums[chunk, 3] = bound, norm, 0.0, value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _advance_chunk(
    chunk: int, largest: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any,
    a: Any, c: Any, price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
    x: Any, anchor: Any, on_projected: Any, on_centre: Any, on_anchor: Any, settle: Any,
) -> None:  # fmt: skip
    size = a.itemsize * largest
    v_all, q_all = numba.carray(stack(size), (largest,), a.dtype), numba.carray(stack(size), (largest,), a.dtype)
    t_all, s_all = numba.carray(stack(size), (largest,), a.dtype), numba.carray(stack(size), (largest,), a.dtype)
    n_all = numba.carray(stack(size), (largest,), a.dtype)
    own_loads, own_values = loads[chunk], values[chunk]
    own_loads[:] = 0.0
    own_values[:] = 0.0
    bound, moved, away, value = 0.0, 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        lanes, n = lane[s + 1] - lane[s], start[s + 1] - start[s]
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        x_s, anchor_s = x[start[s] : start[s + 1]], anchor[start[s] : start[s + 1]]
        r = radius[lane[s] : lane[s + 1]]
        v, q = v_all[:n], q_all[:n]
        for k in range(n):
            reduced = c_s[k] + a_s[k] * price[idx[k]]
            q[k] = reduced
            v[k] = x_s[k] - step * reduced
        shape = (n // lanes, lanes)
        bound += least(q.reshape(shape), r, kind[s], t_all[:lanes])
        _project(v.reshape(shape), r, kind[s], t_all[:lanes], s_all[:lanes], n_all[:lanes], resolution)
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
    sums[chunk, 0], sums[chunk, 1], sums[chunk, 2], sums[chunk, 3] = bound, moved, away, value


# prange, not `each`: it compiles slower, but the loops come out some 5 % faster
@compiled(parallel=True, nogil=True)
def project(
    largest: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any,
    price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
) -> None:  # fmt: skip
    """sums [C, 4], loads [C, J] and values [C, J] of each chunk; see Kernel.project."""
    for chunk in numba.prange(cuts.size - 1):
        _project_chunk(
            chunk, largest, cuts, start, lane, kind, radius, index, a, c, price, step, resolution, want_values, loads,
            values, sums,
        )  # fmt: skip


@compiled(parallel=True, nogil=True)
def advance(
    largest: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any,
    price: Any, step: Any, resolution: Any, want_values: Any, loads: Any, values: Any, sums: Any,
    x: Any, anchor: Any, on_projected: Any, on_centre: Any, on_anchor: Any, settle: Any,
) -> None:  # fmt: skip
    """The same, and x and anchor overwritten; see Kernel.advance."""
    for chunk in numba.prange(cuts.size - 1):
        _advance_chunk(
            chunk, largest, cuts, start, lane, kind, radius, index, a, c, price, step, resolution, want_values, loads,
            values, sums, x, anchor, on_projected, on_centre, on_anchor, settle,
        )  # fmt: skip
