"""The CUDA kernel: one Triton launch for all slices of like shape, everything of an iteration fused.

W width (padded to a power of two B inside a program), L lanes; a program takes slice after slice as a tile [B, L].
Loads and values are added atomically into copies of the J accumulators, so that popular destinations do not wait for
one address; the sums of a pass are one atomic addition a program. Additions come in any order: results agree with
the other kernels to rounding, not to the bit. No pass waits for the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.base import Vector
from solvers.engine.cpu import answer_on_host, way_back
from solvers.engine.cuda_blocks import Block, FromHost, Resident, current_device, upload_array
from solvers.engine.cuda_launches import Launch
from solvers.engine.kernel import Mix, Pass, Tensor
from solvers.engine.layout import Layout
from solvers.engine.layout_families import most_entries
from solvers.engine.storage import HostStorage
from solvers.engine.tensors import reuse_buffer
from solvers.settings import OptionError

#: Rounds of the projection's iteration at most; 2 to 5 are usual, and it ends by itself.
_MOST_ROUNDS = 100
#: Copies of the loads and values, and of the scalars: programs that add at the same time seldom meet in one.
_COPIES = 32
_SUM_COPIES = 1024
_ACCUMULATE = {"COPIES": _COPIES, "SUM_COPIES": _SUM_COPIES}
#: Programs of a launch at most: 16 for each multiprocessor of an H100, about as many as it can hold at a time.
_PROGRAMS = 16 * 132


class CudaKernel:
    """See solvers.engine.kernel.Kernel; also runs in Triton's interpreter on the CPU, which is how it is tested.

    Triton compiles at the first launch of each shape of slices.
    """

    name = "cuda"

    def __init__(self, layout: Layout, device: str) -> None:
        import torch

        _require_triton()
        self.device = device
        self.destinations = layout.destinations
        self._torch = torch
        self._edges = layout.edges
        self._cells: Resident | FromHost
        if isinstance(layout.storage, HostStorage):
            self.name = "cuda from host"
            self._cells = FromHost(layout, device, layout.storage)
        else:
            self._cells = Resident(layout, device)
            self._way_back = (upload_array(layout.source, device), upload_array(layout.offsets, device))
        self._short_form = layout.more is None
        # Programs spread over the copies of the sums; then the copies are added.
        self.terms = sum(map(_terms_of_a_copy, self._cells.launches)) + _COPIES + _SUM_COPIES
        self.terms += most_entries(layout.more, np.array([0, layout.cells]))
        self._dtype = getattr(torch, str(layout.a.dtype))
        self._resolution = float(np.finfo(layout.a.dtype).eps)

    def zeros(self) -> Tensor:
        return self._cells.zeros()

    def load(self, cells: npt.NDArray[Any]) -> Tensor:
        primal = self.zeros()
        return primal.copy_(self._torch.tensor(cells, device="cpu"))

    def unload(self, primal: Tensor) -> npt.NDArray[Any]:
        self._cells.wait()
        return np.asarray(primal.cpu().numpy())

    def project(self, price: Tensor, step: float, *, values: bool) -> Pass:
        return self._pass(price, step, None, None, Mix(projected=0.0, centre=0.0, anchor=0.0), values=values)

    def advance(self, price: Tensor, step: float, x: Tensor, anchor: Tensor, mix: Mix, *, values: bool) -> Pass:
        return self._pass(price, step, x, anchor, mix, values=values)

    def evaluate_feasible(self, price: Tensor, x: Tensor, factor: Tensor | None = None) -> Pass:
        from solvers.engine.cuda_jit import evaluate_feasible

        accumulators = self._accumulators()
        for block in self._cells.blocks((x,)):
            self._launch(
                evaluate_feasible, block, price, factor, *block.primal, *accumulators, self.destinations,
                SHORT_FORM=self._short_form, **_ACCUMULATE,
            )  # fmt: skip
        return _summed(*accumulators, values=True)

    def answer(self, x: Tensor, factor: Tensor, dtype: str, scratch: Tensor) -> Vector:
        from solvers.engine.cuda_jit import answer

        edges = reuse_buffer(scratch, self._edges, dtype)
        if isinstance(self._cells, FromHost):
            self._cells.wait()
            layout = self._cells.layout
            return answer_on_host(layout, way_back(layout), x, factor.cpu(), edges)
        for block in self._cells.blocks((x,)):
            self._launch(answer, block, *self._way_back, *block.primal, factor, edges, SHORT_FORM=self._short_form)
        host = self._torch.empty(edges.shape, dtype=edges.dtype, device="cpu", pin_memory=edges.is_cuda)
        return np.asarray(host.copy_(edges).numpy())

    def _pass(
        self, price: Tensor, step: float, x: Tensor | None, anchor: Tensor | None, mix: Mix, *, values: bool
    ) -> Pass:
        from solvers.engine.cuda_jit import one_pass

        accumulators = self._accumulators()
        numbers = (step, self._resolution, mix.projected, mix.centre, mix.anchor, int(mix.restart), int(values))
        vectors = () if x is None else (x, anchor)
        written = () if x is None else (0, 1) if mix.restart else (0,)
        price = price.to(self._dtype)
        for block in self._cells.blocks(vectors, written):
            self._launch(
                one_pass, block, price, *numbers, *(block.primal or block.arrays[-2:]), *accumulators,
                self.destinations, CENTRED=x is not None, ROUNDS=_MOST_ROUNDS, **_ACCUMULATE,
            )  # fmt: skip
        return _summed(*accumulators, values=values)

    def _accumulators(self) -> tuple[Tensor, Tensor, Tensor]:
        """Copies of loads, values and sums."""
        double = {"dtype": self._torch.float64, "device": self.device}
        loads, values = (self._torch.zeros((_COPIES, self.destinations), **double) for _ in range(2))
        return loads, values, self._torch.zeros((_SUM_COPIES, 4), **double)

    def _launch(self, loop: Any, block: Block, *arguments: Any, **constants: Any) -> None:
        """`loop` for every slice. Triton takes the current device, whatever the device of its arguments."""
        with current_device(self._torch.device(self.device)):
            for shape in block.launches:
                loop[(min(shape.slices, _PROGRAMS),)](
                    shape.first, shape.slices, *block.arrays, block.more, *arguments, **constants, **shape.constants,
                    FAMILIES=len(block.more), num_warps=shape.warps,
                )  # fmt: skip


def _terms_of_a_copy(launch: Launch) -> int:
    """Additions that one number of a copy of the sums gets in a launch, at most."""
    programs = min(launch.slices, _PROGRAMS)
    slices = -(-launch.slices // programs) * -(-programs // _COPIES)
    return slices * launch.most * launch.lanes


def _summed(loads: Tensor, by_value: Tensor, sums: Tensor, *, values: bool) -> Pass:
    return Pass(loads=loads.sum(dim=0), values=by_value.sum(dim=0) if values else None, sums=sums.sum(dim=0))


def _require_triton() -> None:
    try:
        import triton
    except ImportError:
        raise OptionError("kernel='cuda' needs Triton, which comes with the CUDA builds of PyTorch") from None
    if not hasattr(triton, "jit"):
        raise OptionError("kernel='cuda': the module `triton` found here is not the compiler, install triton")
