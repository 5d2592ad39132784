"""The two vectors of cells that the proximal phase works in, and which of them is what."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

CellVector = npt.NDArray[Any]


class ProximalIterates:
    """`centre`, of which a proximal step starts, and `trial`, which every full pass overwrites.

    Both are views of primal vectors of the kernel (those of x and of the anchor of PDHG, see solvers/iterates.py) and
    swap roles when a round ends. Nobody else may write to them while the phase runs.
    """

    def __init__(self, centre: CellVector, spare: CellVector) -> None:
        """spare: as long as `centre`; its values do not matter."""
        self.centre = centre
        self.trial = spare
        self.centre_gap = math.inf
        """The estimated gap of the centre; nothing is known of the first."""

    def accept(self, gap: float) -> None:
        """The trial, with this estimated gap, becomes the centre; the old centre is overwritten by the next pass."""
        self.centre, self.trial = self.trial, self.centre
        self.centre_gap = gap

    def better(self, trial_gap: float) -> CellVector:
        """The trial with this gap, or the centre where that is nearer to the optimum."""
        return self.trial if trial_gap <= self.centre_gap else self.centre

    def copy_centre(self) -> None:
        """The centre in both vectors: PDHG begins with x at the anchor. The next pass overwrites the copy."""
        np.copyto(self.trial, self.centre)
