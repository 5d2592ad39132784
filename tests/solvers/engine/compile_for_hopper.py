"""Run as a script, without TRITON_INTERPRET: every launch of a CUDA kernel compiled to machine code, none executed.

Triton needs no GPU for that, and it sees what the kernel really hands over: number, types and names of arguments.
"""

from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import mangle_type

from instances import generate, parse_spec
from solvers.engine.cuda import CudaKernel
from solvers.engine.cuda_blocks import Block
from solvers.engine.kernel import RESTART
from solvers.engine.layout_builder import build_layout
from tests.support.feasible_rows import general_lp


class Compiling(CudaKernel):
    def _launch(self, loop: Any, block: Block, *arguments: Any, **constants: Any) -> None:
        shape = max(block.launches, key=lambda shape: shape.slices)
        constants |= shape.constants | {"FAMILIES": len(block.more)}
        names = [p.name for p in loop.params if p.name not in constants]
        given = dict(zip(names, (shape.first, shape.slices, *block.arrays, block.more, *arguments), strict=True))
        types = {name: mangle_type(value) for name, value in given.items()}
        types |= {p.name: p.annotation_type for p in loop.params if p.annotation_type}
        signature = {p.name: types.get(p.name, "constexpr") for p in loop.params}
        source = ASTSource(loop, signature, constexprs=constants)
        made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": shape.warps})
        print(loop.__name__, len(made.asm["cubin"]))  # noqa: T201 - read by the test


ONE_FAMILY = "dualip:sources=2000,destinations={},degree=5,seed=1,polytope={}"
for dtype, lp in (
    ("float32", generate(parse_spec(ONE_FAMILY.format(300, "simplex")))),
    ("float64", generate(parse_spec(ONE_FAMILY.format(70_000, "box-cut-eq,upper=0.5")))),
    ("float32", general_lp(1)),
):
    kernel = Compiling(build_layout(lp, dtype), "cpu")
    price, x, anchor = torch.zeros(lp.row_count, dtype=torch.float64), kernel.zeros(), kernel.zeros()
    kernel.project(price, 1.0, values=True)
    kernel.advance(price, 1.0, x, anchor, RESTART, values=False)
    kernel.evaluate_feasible(price, x, None if lp.is_short_form else price)
    kernel.answer(x, price, "float64", anchor)
