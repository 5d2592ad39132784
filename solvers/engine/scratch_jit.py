"""Scratch memory inside compiled loops (import late).

np.empty would do, but LLVM does not know that nothing else points to its numbers: it would check for overlap at run
time, and give vectors up where there are many arrays to check.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # has no stubs
from numba.core import cgutils, types
from numba.extending import intrinsic

from solvers.engine.arrays import Cells
from solvers.engine.compiled import INLINE, compiled
from solvers.engine.constants import STACK_CELLS
from solvers.engine.vector_jit import VECTOR_WIDTH

#: Bytes of a cache line: a vector that crosses one takes two loads.
ALIGNMENT = 64
_POINTER = ir.IntType(8).as_pointer()
_NUMBER = ir.IntType(64)


@intrinsic  # type: ignore[untyped-decorator]  # of an untyped library
def allocate(_typing: Any, _size: Any) -> Any:
    """Pointer to `size` bytes, for numba.carray; to be given to `release`. Raises MemoryError."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_POINTER, [_NUMBER, _NUMBER])
        function = cgutils.get_or_insert_function(builder.module, kind, "aligned_alloc")
        function.return_value.add_attribute("noalias")
        whole_lines = builder.and_(builder.add(args[0], _NUMBER(ALIGNMENT - 1)), _NUMBER(-ALIGNMENT))
        pointer = builder.call(function, [_NUMBER(ALIGNMENT), whole_lines])
        with cgutils.if_unlikely(builder, cgutils.is_null(builder, pointer)):
            context.call_conv.return_user_exc(builder, MemoryError, ("no memory for the scratch of a compiled loop",))
        return pointer

    return types.voidptr(types.intp), codegen


@intrinsic  # type: ignore[untyped-decorator]
def release(_typing: Any, pointer: Any) -> Any:
    """Give the memory back."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_POINTER])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "free"), args)
        return context.get_dummy_value()

    return types.void(pointer), codegen


@intrinsic  # type: ignore[untyped-decorator]
def stack(_context: Any, size: Any) -> Any:
    """Pointer to `size` bytes on the stack of the calling function, gone when it ends; for numba.carray."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.alloca(ir.IntType(8), size=args[0])
        pointer.align = ALIGNMENT
        return pointer

    return types.voidptr(size), codegen


@intrinsic  # type: ignore[untyped-decorator]
def stack_once(_context: Any, size: Any) -> Any:
    """Pointer to `size` bytes, a constant, on the stack of the calling function: the same ones in each round of a loop
    around the call; for numba.carray.
    """

    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        with builder.goto_entry_block():
            pointer = builder.alloca(ir.ArrayType(ir.IntType(8), size.literal_value))
        pointer.align = ALIGNMENT
        return builder.bitcast(pointer, _POINTER)

    return (types.voidptr(size), codegen) if isinstance(size, types.IntegerLiteral) else None


@compiled(**INLINE)
def stack_cells(cells: Cells) -> int:
    """Entries of a vector of scratch for the slices that `on_stack` accepts, and for the last vector of a lone lane."""
    return min(cells.largest_slice, STACK_CELLS) + VECTOR_WIDTH


@compiled(**INLINE)
def on_stack(size: int) -> bool:
    """Whether the scratch of a slice of so many cells lies on the stack; the stacks of threads may have 512 KiB."""
    return size <= STACK_CELLS
