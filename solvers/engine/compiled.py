"""How every loop of the engine is given to Numba (import late: modules that use it compile)."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.event import Listener, register

from solvers.engine.compile_cache import cache_folder
from solvers.engine.pipeline import pipeline_of
from solvers.watching import current


class _Listener(Listener):  # type: ignore[misc]  # Numba has no types
    """Reports to the current watch what is really compiled, not what is loaded from the cache.

    Meanwhile Python looks for no cycles: the many small objects of a compiler make it search, in vain, through all that
    the process holds, for a tenth of the time. Numba compiles in one thread at a time.
    """

    def __init__(self) -> None:
        self._depth = 0
        """A compilation may start others."""
        self._collects = False

    def on_start(self, event: Any) -> None:  # noqa: ARG002 - Numba's
        if self._depth == 0:
            self._collects = gc.isenabled()
            gc.disable()
        self._depth += 1
        current().compile_began()

    def on_end(self, event: Any) -> None:  # noqa: ARG002 - Numba's
        current().compile_ended()
        self._depth -= 1
        if self._depth == 0 and self._collects:
            gc.enable()


register("numba:compile", _Listener())

#: Numba's default writes a way in from C for every function, which nothing here uses: a tenth of the time to compile.
_NO_C_WRAPPER: dict[str, Any] = {"no_cfunc_wrapper": True}
#: How far LLVM may change the order of additions: nnan and ninf stay out, because NaN has to come through.
FAST = {"contract", "nsz", "reassoc"}
#: Options of a part that is chosen by the types of its arguments, for `overload`.
CHOSEN_BY_TYPE: dict[str, Any] = {"forceinline": True, **_NO_C_WRAPPER, **pipeline_of(part=True)}
#: Options of a function that Numba copies into its callers before types are known, so that `x is None` costs nothing.
INLINE: dict[str, Any] = {"cache": False, "fastmath": FAST, "error_model": "numpy", "inline": "always"}
#: Options of a function that spells its vectors out: it needs no leave to add in another order. LLVM inlines it.
IN_ORDER: dict[str, Any] = {
    "cache": False, "fastmath": FAST - {"reassoc"}, "error_model": "numpy", "forceinline": True,
}  # fmt: skip

_Loop = TypeVar("_Loop", bound=Callable[..., Any])
_SOLVERS = Path(__file__).resolve().parent.parent
#: Files that end up in compiled code: the loops, and the records and constants that they use.
_COMPILED_IN = ("*_jit.py", "arrays.py", "constants.py", "kinds.py")


def compiled(*, cache: bool = True, **options: Any) -> Callable[[_Loop], _Loop]:
    """A loop compiled without the interpreter, kept on disk; `options` are Numba's.

    cache=False: a part of such loops, that nothing but compiled code can call: Python has no way in.
    """

    def compile_loop(loop: _Loop) -> _Loop:
        with _cache_of_these_sources():
            compiler = {**_NO_C_WRAPPER, **pipeline_of(part=not cache)}
            return cast("_Loop", numba.njit(cache=cache, no_cpython_wrapper=not cache, **compiler, **options)(loop))

    return compile_loop


@contextmanager
def _cache_of_these_sources() -> Iterator[None]:
    """Compiled loops are found in the cache only while no source of a loop has changed.

    Numba's own key covers only the loop's file, and misses changes in functions inlined from others.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(Path(before or cache_folder()) / _digest())
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


@cache
def _digest() -> str:
    found = hashlib.sha256()
    for file in sorted(file for pattern in _COMPILED_IN for file in _SOLVERS.rglob(pattern)):
        found.update(file.read_bytes())
    return found.hexdigest()[:16]
