"""Proofs beyond the short form by the cells, where x lies; repair_rows.py has the formulas.

R coupling rows. Every source may leave its sum below z here, so that 0 is in each C_i and no source is left unserved.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.engine.certificate import Certificate, rounding_of_answer
from solvers.engine.evaluate import Evaluation
from solvers.engine.kernel import Kernel, Tensor
from solvers.engine.repair_rows import factor_of_rows, has_floors, less_never_violates, priced, scaled_objective
from solvers.engine.row_bounds import RowBounds, row_bounds
from solvers.engine.tensors import as_numpy, upload

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsOnCells:
    """Certificates of x in cells that hold the numbers of `lp` exactly."""

    lp: MatchingLP
    kernel: Kernel
    terms: float
    """No sum over all ranks adds more numbers one after another."""
    answer_dtype: str

    @cached_property
    def rows(self) -> RowBounds:
        return row_bounds(self.lp)

    def certify(self, x: Tensor, dual: Float64) -> tuple[Certificate, Float64]:
        """The certificate of x with the dual within its intervals, and the factor float64[R] of the rows that makes of
        x the point it speaks of.
        """
        dual = self.rows.clip(dual)
        storing = rounding_of_answer(self.answer_dtype)
        ones = np.ones(self.rows.rows)
        found = self._evaluate(x, dual, ones)
        bound = found.bound(self.lp, dual)
        if has_floors(self.rows) or not less_never_violates(self.rows, found):
            return priced(bound, self.rows, found, dual, storing), ones

        factor = factor_of_rows(self.rows, found)
        if (factor < 1).any():
            found = self._evaluate(x, dual, factor)
        return Certificate(bound=bound, objective=scaled_objective(self.rows, found, storing)), factor

    def _evaluate(self, x: Tensor, dual: Float64, factor: Float64) -> Evaluation:
        """A factor is always given, so that one variant of the loop is compiled."""
        price, of_rows = (upload(vector, self.kernel.device) for vector in (dual, factor))
        found = self.kernel.evaluate_feasible(price, x, of_rows)
        least, size, _, value = as_numpy(found.sums).tolist()
        return Evaluation(
            least=least,
            least_size=abs(least),  # 0 is in each C_i: no term is > 0
            loads=as_numpy(found.loads),
            values=np.zeros(self.rows.rows),
            negative=as_numpy(found.values),
            free=value,
            size=size,
            unserved=0.0,
            terms=self.terms,
        )
