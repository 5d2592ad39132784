"""Explicit vectors inside compiled loops (import late), for loops that LLVM's own vectoriser does not see through.

load(array, k) is the vector array[k : k + VECTOR_WIDTH]; + - * / work by element. LLVM maps it to the registers that
the machine has, so results do not depend on their length.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir  # type: ignore[import-untyped]  # has no stubs
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model
from numba.np.arrayobj import make_array

from solvers.engine.constants import LANES

#: Numbers in a vector: those of one AVX-512 register in float32.
VECTOR_WIDTH = 16
assert all(lanes == 1 or lanes % VECTOR_WIDTH == 0 for lanes in LANES), "a slice of several lanes is whole vectors"
_Code = Callable[[Any, Any], Any]


class Vector(types.Type):
    """VECTOR_WIDTH numbers of one type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(f"Vector({dtype})")


@register_model(Vector)
class _Register(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Vector) -> None:
        number = ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()
        super().__init__(manager, kind, ir.VectorType(number, VECTOR_WIDTH))


def _check(context: Any, builder: Any, k: Any, entries: Any) -> None:
    """IndexError where a vector at k leaves its array: Numba's own checks know nothing of vectors."""
    before = builder.icmp_signed("<", k, k.type(0))
    beyond = builder.icmp_signed(">", builder.add(k, k.type(VECTOR_WIDTH)), entries)
    with cgutils.if_unlikely(builder, builder.or_(before, beyond)):
        context.call_conv.return_user_exc(builder, IndexError, ("a vector reaches beyond its array",))


def _place(context: Any, builder: Any, array: Any, value: Any, k: Any) -> Any:
    made = make_array(array)(context, builder, value)
    if numba.config.BOUNDSCHECK:
        _check(context, builder, k, made.nitems)
    first = builder.gep(made.data, [k])
    return builder.bitcast(first, context.get_value_type(Vector(array.dtype)).as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_typing: Any, array: Any, _first: Any) -> Any:
    """array[first : first + VECTOR_WIDTH] of a contiguous array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        loaded = builder.load(_place(context, builder, signature.args[0], *args))
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return (Vector(array.dtype)(array, types.intp), codegen) if array.layout == "C" else None


@intrinsic  # type: ignore[untyped-decorator]
def store(_typing: Any, array: Any, _first: Any, vector: Any) -> Any:
    """array[first : first + VECTOR_WIDTH] = vector."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        stored = builder.store(args[2], _place(context, builder, signature.args[0], *args[:2]))
        stored.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return (types.void(array, types.intp, vector), codegen) if array.layout == "C" else None


@intrinsic  # type: ignore[untyped-decorator]
def splat(_typing: Any, number: Any) -> Any:
    """The vector that has `number` everywhere."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        empty = ir.Constant(context.get_value_type(Vector(number)), ir.Undefined)
        one = builder.insert_element(empty, args[0], ir.IntType(32)(0))
        return builder.shuffle_vector(one, empty, _pattern([0] * VECTOR_WIDTH))

    return Vector(number)(number), codegen


def _pattern(at: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(at)), at)


def _by_element(code: _Code) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def function(_typing: Any, first: Any, second: Any) -> Any:
        return first(first, second), lambda _context, builder, _signature, args: code(builder, args)

    return function


def _of_all(code: Callable[[Any, Any, Any], Any]) -> Any:
    """A fold of halves: the same order of additions on every machine."""

    @intrinsic  # type: ignore[untyped-decorator]
    def function(_typing: Any, vector: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            half, rest = VECTOR_WIDTH, args[0]
            while half > 1:
                half //= 2
                lower, upper = (
                    builder.shuffle_vector(rest, rest, _pattern(list(range(first, first + half))))
                    for first in (0, half)
                )
                rest = code(builder, lower, upper)
            return builder.extract_element(rest, ir.IntType(32)(0))

        return vector.dtype(vector), codegen

    return function


def _maximum(builder: Any, first: Any, second: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", first, second), first, second)


def _minimum(builder: Any, first: Any, second: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", first, second), first, second)


#: By element, the second where one is NaN.
maximum = _by_element(lambda builder, args: _maximum(builder, *args))
minimum = _by_element(lambda builder, args: _minimum(builder, *args))
total = _of_all(lambda builder, first, second: builder.fadd(first, second))
largest = _of_all(_maximum)
smallest = _of_all(_minimum)


@intrinsic  # type: ignore[untyped-decorator]
def select_gt(_typing: Any, first: Any, second: Any, yes: Any, no: Any) -> Any:
    """yes where first > second, else no."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args[:2]), *args[2:])

    return yes(first, second, yes, no), codegen


@intrinsic  # type: ignore[untyped-decorator]
def any_gt(_typing: Any, first: Any, second: Any) -> Any:
    """Whether first > second anywhere."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits = builder.bitcast(builder.fcmp_ordered(">", *args), ir.IntType(VECTOR_WIDTH))
        return builder.icmp_unsigned("!=", bits, ir.IntType(VECTOR_WIDTH)(0))

    return types.boolean(first, second), codegen


@intrinsic  # type: ignore[untyped-decorator]
def to_float64(_typing: Any, vector: Any) -> Any:
    """The numbers in float64."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        wide = context.get_value_type(Vector(types.float64))
        return args[0] if vector.dtype == types.float64 else builder.fpext(args[0], wide)

    return Vector(types.float64)(vector), codegen


def _operator(symbol: Any, code: _Code) -> None:
    """`symbol` between two vectors, lowered in place: an overload would be a function of its own to compile."""

    @infer_global(symbol)
    class _Typing(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, _kws: Any) -> Any:
            return signature(args[0], *args) if isinstance(args[0], Vector) and args[0] == args[1] else None

    @lower_builtin(symbol, Vector, Vector)  # type: ignore[untyped-decorator]
    def _lower(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return code(builder, args)


#: Numba gives the flags of a caller to every instruction without flags, LLVM would then fuse a product with a sum. That
#: approximate functions are welcome says nothing of these, and is a flag.
_AS_WRITTEN = ("afn",)
_operator(operator.add, lambda builder, args: builder.fadd(*args, flags=_AS_WRITTEN))
_operator(operator.sub, lambda builder, args: builder.fsub(*args, flags=_AS_WRITTEN))
_operator(operator.mul, lambda builder, args: builder.fmul(*args, flags=_AS_WRITTEN))
_operator(operator.truediv, lambda builder, args: builder.fdiv(*args, flags=("nsz",)))
