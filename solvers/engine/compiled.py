"""The one door to Numba for the engine's loops (import late: modules that use it compile)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Loop = TypeVar("_Loop", bound=Callable[..., Any])


def compiled(*, parallel: bool = False, cache: bool = True, **options: Any) -> Callable[[_Loop], _Loop]:
    """A loop compiled without the interpreter, kept on disk; `options` are Numba's."""
    return cast("Callable[[_Loop], _Loop]", numba.njit(parallel=parallel, cache=cache, **options))
