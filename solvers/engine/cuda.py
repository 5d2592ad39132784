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

from solvers.base import OptionError, Vector
from solvers.engine.kernel import Mix, Pass, Tensor, edge_room
from solvers.engine.layout import Layout

#: Rounds of the projection's iteration at most; 2 to 5 are usual, and it ends by itself.
_MOST_ROUNDS = 100
#: Cells of the largest tile that stays in registers.
_LARGEST_TILE = 16_384
_COPIES = 32
_SUM_COPIES = 1024
_ACCUMULATE = {"COPIES": _COPIES, "SUM_COPIES": _SUM_COPIES}
#: Cells of a tile that one warp takes.
_WARP_CELLS = 128
_MOST_WARPS = 16


@dataclass(frozen=True, kw_only=True)
class _Launch:
    """Neighbouring slices that one launch can take: same lanes and kind, widths up to `block`."""

    first: int
    slices: int
    lanes: int
    block: int
    kind: int

    @property
    def warps(self) -> int:
        return min(_MOST_WARPS, max(1, self.block * self.lanes // _WARP_CELLS))


class CudaKernel:
    """See solvers.engine.kernel.Kernel; also runs in Triton's interpreter on the CPU, which is how it is tested.

    Triton compiles at the first launch of each shape of slices.
    """

    name = "cuda"

    def __init__(self, layout: Layout, device: str) -> None:
        import torch

        _require_triton()
        self.device, self.destinations = device, layout.destinations
        self._torch = torch
        # torch computes little with uint16, but stores and hands it to Triton as it is
        arrays = (layout.slice_start, layout.slice_lane, layout.radius, layout.index, layout.a, layout.c)
        self._arrays = tuple(self._upload(array) for array in arrays)
        self._way_back = (self._upload(layout.source), self._upload(layout.offsets))
        self._a, self._edges = self._arrays[-2], layout.edges
        self._launches = tuple(_launches(layout))
        self._resolution = float(np.finfo(layout.a.dtype).eps)

    def zeros(self) -> Tensor:
        return self._torch.zeros_like(self._a)

    def clear(self, primal: Tensor) -> None:
        primal.zero_()

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        return self._torch.tensor(cells, dtype=self._a.dtype, device=self.device)

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        return np.asarray(primal.cpu().numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        return self._pass(price, step, None, None, Mix(projected=0.0, centre=0.0, anchor=0.0), values=values)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        return self._pass(price, step, x, anchor, mix, values=values)

    def judge(self, price: Tensor, x: Tensor) -> Pass:
        from solvers.engine.cuda_jit import judge

        accumulators = self._accumulators()
        self._launch(judge, *self._arrays, price, x, *accumulators, self.destinations, **_ACCUMULATE)
        return _summed(*accumulators, values=True)

    def answer(self, x: Tensor, factor: Tensor, dtype: str, room: Tensor) -> Vector:
        from solvers.engine.cuda_jit import answer

        edges = edge_room(room, self._edges, dtype)
        self._launch(answer, *self._arrays, *self._way_back, x, factor, edges)
        host = self._torch.empty(edges.shape, dtype=edges.dtype, pin_memory=edges.is_cuda)
        return np.asarray(host.copy_(edges).numpy())

    def _pass(
        self, price: Tensor, step: float, x: Tensor | None, anchor: Tensor | None, mix: Mix, *, values: bool
    ) -> Pass:
        from solvers.engine.cuda_jit import one_pass

        accumulators = self._accumulators()
        numbers = (step, self._resolution, mix.projected, mix.centre, mix.anchor, int(mix.settle), int(values))
        primal = (self._a if x is None else x, self._a if anchor is None else anchor)
        self._launch(
            one_pass, *self._arrays, price.to(self._a.dtype), *numbers, *primal, *accumulators, self.destinations,
            CENTRED=x is not None, ROUNDS=_MOST_ROUNDS, **_ACCUMULATE,
        )  # fmt: skip
        return _summed(*accumulators, values=values)

    def _accumulators(self) -> tuple[Tensor, Tensor, Tensor]:
        """Copies of loads, values and sums."""
        double = {"dtype": self._torch.float64, "device": self.device}
        loads, values = (self._torch.zeros((_COPIES, self.destinations), **double) for _ in range(2))
        return loads, values, self._torch.zeros((_SUM_COPIES, 4), **double)

    def _launch(self, loop: Any, *arguments: Any, **constants: Any) -> None:
        """`loop` for every slice. Triton takes the current device, whatever the device of its arguments."""
        index = self._a.device.index
        with self._torch.cuda.device(-1 if index is None else index):
            for shape in self._launches:
                loop[(shape.slices,)](
                    shape.first, *arguments, **constants,
                    LANES=shape.lanes, BLOCK=shape.block, KIND=shape.kind, num_warps=shape.warps,
                )  # fmt: skip

    def _upload(self, array: npt.NDArray[Any]) -> Tensor:
        own = array if array.flags.writeable else array.copy()  # torch takes no read-only array
        return self._torch.from_numpy(own).to(self.device)


def _summed(loads: Tensor, by_value: Tensor, sums: Tensor, *, values: bool) -> Pass:
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
