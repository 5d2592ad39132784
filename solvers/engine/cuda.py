"""The CUDA kernel: one Triton launch for all slices of like shape, everything of an iteration fused.

W width (padded to a power of two B inside a program), L lanes; a program takes one slice as a tile [B, L]. Loads and
values are added atomically into copies of the J accumulators, so that popular destinations do not wait for one
address; the sums of a pass are one atomic addition a program. Additions come in any order: results agree with the
other kernels to rounding, not to the bit. Nothing here waits for the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import OptionError
from solvers.engine.kernel import Mix, Pass, Tensor
from solvers.engine.layout import Layout

#: Rounds of the projection's iteration at most; 2 to 5 are usual, and it ends by itself.
_MOST_ROUNDS = 100
#: Cells of the largest tile that stays in registers.
_LARGEST_TILE = 16_384
_COPIES = 32
_SUM_COPIES = 1024


@dataclass(frozen=True, kw_only=True)
class _Launch:
    """Neighbouring slices that one launch can take: same lanes and kind, widths up to `block`."""

    first: int
    slices: int
    lanes: int
    block: int
    kind: int


class CudaKernel:
    """See solvers.engine.kernel.Kernel; also runs in Triton's interpreter on the CPU, which is how it is tested."""

    name = "cuda"

    def __init__(self, layout: Layout, device: str) -> None:
        import torch

        _require_triton()
        self.device, self.destinations = device, layout.destinations
        self._torch = torch
        # torch computes little with uint16, but stores and hands it to Triton as it is
        arrays = (layout.a, layout.c, layout.radius, layout.index, layout.slice_start, layout.slice_lane)
        self._a, self._c, self._radius, self._index, self._start, self._lane = (
            torch.from_numpy(array).to(device) for array in arrays
        )
        self._launches = tuple(_launches(layout))
        self._resolution = float(np.finfo(layout.a.dtype).eps)

    def zeros(self) -> Tensor:
        return self._torch.zeros_like(self._a)

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        return self._torch.tensor(cells, dtype=self._a.dtype, device=self.device)

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return np.asarray(primal.cpu().numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        return self._run(price, step, None, None, Mix(projected=0.0, centre=0.0, anchor=0.0), values=values)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        return self._run(price, step, x, anchor, mix, values=values)

    def _run(
        self, price: Tensor, step: float, x: Tensor | None, anchor: Tensor | None, mix: Mix, *, values: bool
    ) -> Pass:
        from solvers.engine.cuda_jit import one_pass

        double = {"dtype": self._torch.float64, "device": self.device}
        loads = self._torch.zeros((_COPIES, self.destinations), **double)
        by_value = self._torch.zeros((_COPIES if values else 1, self.destinations), **double)
        sums = self._torch.zeros((_SUM_COPIES, 4), **double)
        weights = (step, self._resolution, mix.projected, mix.centre, mix.anchor)
        scalars = self._torch.tensor(weights, **double)
        for launch in self._launches:
            one_pass[(launch.slices,)](
                launch.first, self._start, self._lane, self._radius, self._index, self._a, self._c,
                price.to(self._a.dtype), scalars, self._a if x is None else x, self._a if anchor is None else anchor,
                loads, by_value, sums, self.destinations,
                LANES=launch.lanes, BLOCK=launch.block, KIND=launch.kind, CENTRED=x is not None, SETTLE=mix.settle,
                VALUES=values, ROUNDS=_MOST_ROUNDS, COPIES=_COPIES, SUM_COPIES=_SUM_COPIES,
            )  # fmt: skip
        return Pass(loads=loads.sum(dim=0), values=by_value.sum(dim=0) if values else None, sums=sums.sum(dim=0))


def _launches(layout: Layout) -> Iterator[_Launch]:
    """Groups of slices merged where their padded width, lanes and kind agree."""
    first, merged = 0, None
    for group in layout.groups():
        block = 1 << (group.width - 1).bit_length()
        if block * group.lanes > _LARGEST_TILE:
            raise OptionError(
                f"kernel='cuda' takes sources with up to {_LARGEST_TILE} edges, one has {group.width}: "
                f"use kernel='reference'"
            )
        shape = (group.lanes, block, int(group.kind))
        if merged is not None and shape == (merged.lanes, merged.block, merged.kind):
            merged = _Launch(
                first=merged.first, slices=merged.slices + group.slices, lanes=shape[0], block=shape[1], kind=shape[2]
            )
        else:
            if merged is not None:
                yield merged
            merged = _Launch(first=first, slices=group.slices, lanes=shape[0], block=shape[1], kind=shape[2])
        first += group.slices
    if merged is not None:
        yield merged


def _require_triton() -> None:
    try:
        import triton
    except ImportError:
        raise OptionError("kernel='cuda' needs Triton, which comes with the CUDA builds of PyTorch") from None
    if not hasattr(triton, "jit"):
        raise OptionError("kernel='cuda': the module `triton` found here is not the compiler, install triton")
