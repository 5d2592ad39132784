"""A loop spread over Numba's threads (import late).

`numba.prange` does the same, but sends the body through LLVM four times more, which a first run waits for. What Numba
generates for a prange is a call of `numba_parallel_for` in its runtime; this file makes the same call itself, with
the arguments of Numba 0.68 (an interface of its own, not a public one):

    numba_parallel_for(kernel, args, dimensions, steps, data, inputs = 0, arrays = 1, threads)

    args        -> k           the only "array": an address that starts at `first`, so that the address is the number
    dimensions  -> count       how many k
    steps       -> 1           by how much each k moves that address
    data        -> (failed, arguments)

Each thread calls kernel(args, dimensions, steps, data) with a share of the k.

The arrays are lent to the threads: they come without the counter of their references, which the caller holds until all
threads are done. Reading an array from a record counts a reference, and threads that count on one counter wait for each
other.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]  # has no stubs
from numba.core import cgutils, types
from numba.core.types.containers import BaseTuple
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_NUMBER = ir.IntType(64)
_POINTER = ir.IntType(8).as_pointer()


@intrinsic  # type: ignore[untyped-decorator]  # of an untyped library
def parallel_for(typing: Any, _first: Any, _last: Any, body: Any, arguments: Any) -> Any:
    """body(k, *arguments) for k = first..last - 1, equal shares of neighbouring k for each thread.

    `body` is compiled and returns nothing, `arguments` is a tuple. Raises MemoryError where a body fails, because
    nothing but np.empty can fail in one.
    """
    called = typing.resolve_function_type(body, (types.intp, *arguments.types), {})
    numba.get_num_threads()  # starts the threads, without which the code below finds nothing to link with

    def codegen(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        first, last, _, given = values
        failed = cgutils.alloca_once_value(builder, _NUMBER(0))
        data = cgutils.alloca_once_value(builder, _lent(context, builder, arguments, given))
        both = cgutils.pack_struct(builder, (failed, data))
        kernel = _kernel(context, builder.module, body.dispatcher.get_compile_result(called), both.type)

        any_left = builder.icmp_signed("<", first, last)
        count = builder.select(any_left, builder.sub(last, first), _NUMBER(0))
        passed = (builder.inttoptr(first, _POINTER), count, _NUMBER(1), both)
        places = [cgutils.alloca_once_value(builder, value) for value in passed]
        addresses = [builder.bitcast(value, _POINTER) for value in (kernel, *places)]

        threads = builder.call(_symbol(builder.module, "get_num_threads", _NUMBER, []), [])
        spread = _symbol(builder.module, "numba_parallel_for", ir.VoidType(), [_POINTER] * 5 + [_NUMBER] * 3)
        builder.call(spread, [*addresses, _NUMBER(0), _NUMBER(1), threads])

        with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, builder.load(failed))):
            context.call_conv.return_user_exc(builder, MemoryError, ("memory ran out in a compiled loop",))
        context.active_code_library._reload_init.add(numba.get_num_threads)  # when it comes from the cache
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, body, arguments), codegen


def _lent(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """`value` of the Numba type `kind`, in which no array counts its references."""
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, BaseTuple):
        parts = cgutils.unpack_tuple(builder, value)
        lent = [_lent(context, builder, part, item) for part, item in zip(kind.types, parts, strict=True)]
        return context.make_tuple(builder, kind, lent)
    return value


def _kernel(context: Any, module: Any, compiled: Any, both: Any) -> Any:
    """The function that each thread calls for its k; `both`: the type of (failed, arguments)."""
    kind = ir.FunctionType(ir.VoidType(), [_POINTER.as_pointer(), _NUMBER.as_pointer(), _NUMBER.as_pointer(), _POINTER])
    kernel = ir.Function(module, kind, name=module.get_unique_name("parallel_for"))
    kernel.linkage = "internal"
    builder = ir.IRBuilder(kernel.append_basic_block())

    args, dimensions, _, at_data = kernel.args
    first = builder.ptrtoint(builder.load(args), _NUMBER)
    failed, data = cgutils.unpack_tuple(builder, builder.load(builder.bitcast(at_data, both.as_pointer())))
    given = cgutils.unpack_tuple(builder, builder.load(data))

    context.active_code_library.add_linking_library(compiled.library)
    function = context.declare_function(module, compiled.fndesc)
    with cgutils.for_range(builder, builder.load(dimensions)) as loop:
        values = [builder.add(first, loop.index), *given]
        status, _ = context.call_conv.call_function(builder, function, types.none, compiled.signature.args, values)
        with cgutils.if_unlikely(builder, status.is_error):
            builder.store(_NUMBER(1), failed)
    builder.ret_void()
    return kernel


def _symbol(module: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return cgutils.get_or_insert_function(module, ir.FunctionType(result, arguments), name)
