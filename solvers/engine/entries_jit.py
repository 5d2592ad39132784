"""Row and coefficient of single entries of a further family, in compiled loops (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload

from solvers.engine.compiled import CHOSEN_BY_TYPE

BY_TYPE: dict[str, Any] = {"strict": False, "jit_options": CHOSEN_BY_TYPE}


def row_at(index: Any, n: Any) -> Any:
    """The row of entry n within its family."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(row_at, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _row_at(index: Any, n: Any) -> Any:  # noqa: ARG001 - Numba's
    if index == types.none:
        return lambda index, n: np.int64(0)  # noqa: ARG005
    return lambda index, n: np.int64(np.uint32(index[n]))  # unsigned: no look for a negative index


def coefficient_at(family: Any, n: Any) -> Any:
    """The coefficient of entry n."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(coefficient_at, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _coefficient_at(family: Any, n: Any) -> Any:  # noqa: ARG001 - Numba's
    if family.types[family.fields.index("a")] == types.none:
        return lambda family, n: family.coefficient  # noqa: ARG005
    return lambda family, n: family.a[n]


def slice_of(array: Any, first: Any, last: Any) -> Any:
    """array[first:last]; None of None."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(slice_of, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _slice_of_array(array: Any, first: Any, last: Any) -> Any:  # noqa: ARG001 - Numba's
    if array == types.none:
        return lambda array, first, last: None  # noqa: ARG005
    return lambda array, first, last: array[first:last]
