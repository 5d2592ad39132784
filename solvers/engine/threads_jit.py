"""A loop spread over Numba's threads (import late).

`numba.prange` does the same, but what it calls goes through LLVM four times more, which a first run waits for.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]  # has no stubs
from numba.core import cgutils, types
from numba.extending import intrinsic

_NUMBER, _POINTER = ir.IntType(64), ir.IntType(8).as_pointer()


@intrinsic  # type: ignore[untyped-decorator]  # of an untyped library
def each(typing: Any, _first: Any, _last: Any, body: Any, arguments: Any) -> Any:
    """body(k, *arguments) for k = first..last - 1, equal shares of neighbouring k for each thread; `body` is compiled
    and returns nothing, `arguments` is a tuple. Raises MemoryError where a body fails: nothing but np.empty can.
    """
    called = typing.resolve_function_type(body, (types.intp, *arguments.types), {})
    numba.get_num_threads()  # starts the threads, without which the code below finds nothing to link with

    def codegen(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        begin, end, _, given = values
        failed, data = (cgutils.alloca_once_value(builder, v) for v in (_NUMBER(0), given))
        both = cgutils.pack_struct(builder, (failed, data))
        kernel = _kernel(context, builder.module, body.dispatcher.get_compile_result(called), both.type)
        # the threads move the one "array" on by a step for each k, so that its address is k
        k, some = builder.inttoptr(begin, _POINTER), builder.icmp_signed("<", begin, end)
        count = builder.select(some, builder.sub(end, begin), _NUMBER(0))
        passed = [cgutils.alloca_once_value(builder, value) for value in (k, count, _NUMBER(1), both)]
        threads = builder.call(_symbol(builder.module, "get_num_threads", _NUMBER, []), [])
        spread = _symbol(builder.module, "numba_parallel_for", ir.VoidType(), [_POINTER] * 5 + [_NUMBER] * 3)
        addresses = [builder.bitcast(v, _POINTER) for v in (kernel, *passed)]
        builder.call(spread, [*addresses, _NUMBER(0), _NUMBER(1), threads])
        with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, builder.load(failed))):
            context.call_conv.return_user_exc(builder, MemoryError, ("memory ran out in a compiled loop",))
        context.active_code_library._reload_init.add(numba.get_num_threads)  # when it comes from the cache
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, body, arguments), codegen


def _kernel(context: Any, module: Any, compiled: Any, both: Any) -> Any:
    """What each thread calls, for some k; `both`: the type of (whether one failed, the arguments)."""
    kind = ir.FunctionType(ir.VoidType(), [_POINTER.as_pointer(), _NUMBER.as_pointer(), _NUMBER.as_pointer(), _POINTER])
    kernel = ir.Function(module, kind, name=module.get_unique_name("each"))
    kernel.linkage = "internal"
    builder = ir.IRBuilder(kernel.append_basic_block())
    first = builder.ptrtoint(builder.load(kernel.args[0]), _NUMBER)
    failed, data = cgutils.unpack_tuple(builder, builder.load(builder.bitcast(kernel.args[3], both.as_pointer())))
    given = cgutils.unpack_tuple(builder, builder.load(data))
    context.active_code_library.add_linking_library(compiled.library)
    function, signature = context.declare_function(module, compiled.fndesc), compiled.signature
    with cgutils.for_range(builder, builder.load(kernel.args[1])) as loop:
        values = [builder.add(first, loop.index), *given]
        status, _ = context.call_conv.call_function(builder, function, types.none, signature.args, values)
        with cgutils.if_unlikely(builder, status.is_error):
            builder.store(_NUMBER(1), failed)
    builder.ret_void()
    return kernel


def _symbol(module: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return cgutils.get_or_insert_function(module, ir.FunctionType(result, arguments), name)
