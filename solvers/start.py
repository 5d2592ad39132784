"""Where a solver begins: an earlier answer in the order and units of the LP that is solved now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from instances.errors import InputError

Numbers = npt.NDArray[Any]
#: What a start may hold: x in the edge order, the dual over the rows of all families.
PARTS = ("x", "dual")


class StartError(InputError):
    """A start that is none for this LP or this solver; one line says why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """x float[E], dual float[R] in the sign of `Answer.dual`, or one of them; kept as read-only arrays of floats.

    A solver brings both into their limits: x into C, the dual into its intervals. Raises StartError for what is no
    list of finite numbers, and where there is neither.
    """

    x: Numbers | None = None
    dual: Numbers | None = None

    def __post_init__(self) -> None:
        if not self.parts:
            raise StartError("the start is empty: give x, dual or both")
        for part in self.parts:
            object.__setattr__(self, part, _checked(part, getattr(self, part)))

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of what is there."""
        return tuple(part for part in PARTS if getattr(self, part) is not None)

    def require_length(self, lp: MatchingLP) -> None:
        """StartError where x or dual is not as long as those of `lp`."""
        lengths = {"x": (lp.edges, "edges"), "dual": (lp.row_count, "rows")}
        for part in self.parts:
            given = getattr(self, part).size
            expected, what = lengths[part]
            if given != expected:
                raise StartError(
                    f"{part} of the start has {given:,} entries, the LP has {expected:,} {what}: bring it into the"
                    f" order of this LP, or start without it"
                )


def summable(numbers: Numbers, dtype: str) -> Numbers:
    """Those beyond 1e-8 of the largest number of `dtype` cut off there: a start may hold any, and sums stay finite."""
    most = 1e-8 * float(np.finfo(dtype).max)
    within = -most <= numbers.min(initial=0.0) and numbers.max(initial=0.0) <= most
    return numbers if within else numbers.clip(-most, most)


def _checked(part: str, given: Any) -> Numbers:
    array = np.asarray(given)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise StartError(f"{part} of the start is {array.dtype}{list(array.shape)}: expected a list of numbers")
    kept = array.dtype in (np.float32, np.float64)
    numbers = np.ascontiguousarray(array, dtype=array.dtype if kept else np.float64).view()
    finite = np.isfinite(numbers)
    if not finite.all():
        entry = int(np.argmin(finite))
        raise StartError(f"{part} of the start has {numbers[entry]} at entry {entry:,}: expected finite numbers")
    numbers.flags.writeable = False
    return numbers
