"""The fused pass in Triton (import late). TRITON_INTERPRET=1 runs it without a GPU.

A tile is [BLOCK, LANES], rows beyond the slice's width masked; masked cells get q = v = 0 and never count.
"""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl

SIMPLEX = tl.constexpr(0)
EQUALITY = tl.constexpr(1)
BOX = tl.constexpr(2)


@triton.jit  # type: ignore[untyped-decorator]  # of an untyped library
def _threshold(v: Any, real: Any, z: Any, resolution: Any, KIND: tl.constexpr, ROUNDS: tl.constexpr) -> Any:
    """t[LANES] such that sum max(v - t, 0) = z, not below 0 for SIMPLEX: Michelot's iteration, see cpu_jit.py."""
    t = tl.max(tl.where(real, v, float("-inf")), axis=0) - z
    if KIND == SIMPLEX:
        t = tl.maximum(t, 0.0)
    moving, rounds = 1, 0
    while (moving > 0) & (rounds < ROUNDS):
        above = tl.where(real, v - t[None, :], 0.0)
        excess = tl.sum(tl.maximum(above, 0.0), axis=0) - z
        active = tl.sum((above > 0).to(tl.int32), axis=0)
        rise = tl.maximum(excess / tl.maximum(active, 1), 0.0)
        t += rise
        moving = tl.sum((rise > resolution * (tl.abs(t) + z)).to(tl.int32), axis=0)
        rounds += 1
    return t


@triton.jit  # type: ignore[untyped-decorator]  # of an untyped library
def one_pass(
    first: Any, slice_start: Any, slice_lane: Any, radius: Any, index: Any, a_all: Any, c_all: Any, price: Any,
    scalars: Any, x_all: Any, anchor_all: Any, loads: Any, values: Any, sums: Any, destinations: Any,
    LANES: tl.constexpr, BLOCK: tl.constexpr, KIND: tl.constexpr, CENTRED: tl.constexpr, SETTLE: tl.constexpr,
    VALUES: tl.constexpr, ROUNDS: tl.constexpr, COPIES: tl.constexpr, SUM_COPIES: tl.constexpr,
) -> None:  # fmt: skip
    """One slice of Kernel.project (not CENTRED) or Kernel.advance.

    scalars float64[5]: step, resolution, and the weights of p, x and the anchor; in memory, for Triton would round
    Python's numbers to float32.
    """
    program = tl.program_id(0)
    start = tl.load(slice_start + first + program)
    width = (tl.load(slice_start + first + program + 1) - start) // LANES
    lane = tl.arange(0, LANES)
    row = tl.arange(0, BLOCK)
    cell = start + row[:, None] * LANES + lane[None, :]
    real = cell < start + width * LANES
    z = tl.load(radius + tl.load(slice_lane + first + program) + lane)
    a = tl.load(a_all + cell, mask=real, other=0.0)
    c = tl.load(c_all + cell, mask=real, other=0.0)
    j = tl.load(index + cell, mask=real, other=0).to(tl.int32)
    q = c + a * tl.load(price + j, mask=real, other=0.0)
    v = -tl.load(scalars).to(a.dtype) * q
    if CENTRED:
        x = tl.load(x_all + cell, mask=real, other=0.0)
        v += x

    if KIND == BOX:
        p = tl.minimum(tl.maximum(v, 0.0), z[None, :])
        least = tl.sum(tl.minimum(q, 0.0), axis=0)
    else:
        t = _threshold(v, real, z, tl.load(scalars + 1).to(a.dtype), KIND, ROUNDS)
        p = tl.maximum(v - t[None, :], 0.0)
        least = tl.min(tl.where(real, q, float("inf")), axis=0)
        if KIND == SIMPLEX:
            least = tl.minimum(least, 0.0)
    p = tl.where(real, p, 0.0)

    moved = p
    away = tl.zeros_like(p)
    if CENTRED:
        anchor = tl.load(anchor_all + cell, mask=real, other=0.0)
        moved = p - x
        away = p - anchor
        mixed = tl.load(scalars + 2).to(a.dtype) * p + tl.load(scalars + 3).to(a.dtype) * x
        tl.store(x_all + cell, mixed + tl.load(scalars + 4).to(a.dtype) * anchor, mask=real)
        if SETTLE:
            tl.store(anchor_all + cell, p, mask=real)

    copy = (program % COPIES) * destinations
    active = real & (p > 0)
    double_p = p.to(tl.float64)
    tl.atomic_add(loads + copy + j, a.to(tl.float64) * double_p, mask=active)
    if VALUES:
        tl.atomic_add(values + copy + j, c.to(tl.float64) * double_p, mask=active)
    out = sums + (program % SUM_COPIES) * 4
    tl.atomic_add(out, tl.sum(z.to(tl.float64) * least.to(tl.float64), axis=0))
    tl.atomic_add(out + 1, tl.sum(tl.sum((moved * moved).to(tl.float64), axis=0), axis=0))
    tl.atomic_add(out + 2, tl.sum(tl.sum((away * away).to(tl.float64), axis=0), axis=0))
    tl.atomic_add(out + 3, tl.sum(tl.sum(c.to(tl.float64) * double_p, axis=0), axis=0))
