"""Numba's compiler without work that the loops of this package do not need, which is a third of a first solve.

Numba makes machine code of every function that it compiles. A part (see compiled.py) is compiled into the loops that
use it, so that its own machine code is never run. Numba also lets LLVM look for improvements in declarations, which
have no body, and compares all its options one by one each time that it looks for a function.

The class of a compiler is a documented argument of `numba.njit`, the methods that are overridden here are not: see
`pipeline_of`. What is compiled is the same to the bit.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numba
from numba._dynfunc import make_function
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, Flags
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.typed_passes import NativeLowering

#: The version of Numba whose methods are known.
_KNOWN = (0, 68)
#: What Python runs if it calls a part: raises a TypeError.
_REFUSE = ctypes.cast(ctypes.pythonapi.PyErr_BadArgument, ctypes.c_void_p).value
#: Numba hashes the names of the options alone.
_HASH = hash(Flags())


class _ComparedAtOnce(Flags):  # type: ignore[misc]  # of an untyped library
    """Options of which those that are set are compared first."""

    def __eq__(self, other: object) -> Any:
        return self._values == getattr(other, "_values", None) or super().__eq__(other)

    def __hash__(self) -> int:
        return _HASH


class _WholeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of a function."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        for function in ll_module.functions:
            if not function.is_declaration:
                passes, builder = self._codegen._function_pass_manager()
                passes.run(function, builder)


class _PartLibrary(_WholeLibrary):
    """The code of a part: for others to copy, never made into machine code."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerWhole(NativeLowering):  # type: ignore[misc]
    _name = "lower_whole_loop"

    def run_pass(self, state: Any) -> bool:
        _give_library(state, _WholeLibrary)
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerPart(NativeLowering):  # type: ignore[misc]
    _name = "lower_part_of_loops"

    def run_pass(self, state: Any) -> bool:
        _give_library(state, _PartLibrary)
        state.flags.no_compile = True
        super().run_pass(state)
        name, part = state.func_id.func_name, state["cr"]
        refusing = make_function(part.fndesc.lookup_module(), name, "", _REFUSE, part.env, (state.library,))
        state.targetctx.insert_user_function(refusing, part.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = part._replace(cfunc=refusing)
        return True


def _give_library(state: Any, kind: type[JITCodeLibrary]) -> None:
    state.library = kind(state.targetctx.codegen(), state.func_id.func_qualname)
    state.library.enable_object_caching()  # before anything is compiled


class _Compiler(Compiler):  # type: ignore[misc]
    """Numba's own passes, but for the last."""

    lowering: type[FunctionPass]

    def __init__(self, *arguments: Any) -> None:
        *others, flags, names = arguments
        super().__init__(*others, _ComparedAtOnce(flags), names)

    def define_pipelines(self) -> list[Any]:
        pipelines: list[Any] = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.passes = [
                (self.lowering if step is NativeLowering else step, text) for step, text in pipeline.passes
            ]
        return pipelines


class _Whole(_Compiler):
    lowering = _LowerWhole


class _Part(_Compiler):
    lowering = _LowerPart


def pipeline_of(*, part: bool) -> dict[str, Any]:
    """Options of `numba.njit`: this compiler, or Numba's own where its version is another than the one known."""
    if numba.version_info[:2] != _KNOWN:
        return {}
    return {"pipeline_class": _Part if part else _Whole}
