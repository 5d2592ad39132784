"""What came of a problem, before it is tables and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.certificate import Certificate
from harness.decisions.choice import Choice
from harness.integral.judge import WholeFigures
from instances.tables import Stated
from solvers import Settings, Status

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Decisions for a problem, their prices and the certificate of both. E edges, R rows of its LP."""

    stated: Stated
    """The problem and its LP."""

    choice: Choice
    """The solver, and why that one."""

    columns: tuple[str, ...]
    """The columns of edges that stand beside x: those that name an edge, and those that were asked for."""

    settings: Settings
    """What the solver was asked for."""

    status: Status
    """How it ended: a claim of the solver counts where the certificate confirms it."""

    reason: str
    """One line for anything but solved."""

    certificate: Certificate
    """The referee's figures of x and dual as they stand here, not of what the solver returned."""

    x: Float64
    """float64[E] in the order of the edges: feasible, or near the rows where the certificate has a row_violation."""

    dual: Float64 | None
    """float64[R] in the sign of solvers.Answer.dual, within the intervals of the rows; None where the solver gave none
    that proves a bound.
    """

    iterations: int | None
    """By the solver's own count."""

    seconds: Mapping[str, float]
    """Wall time by phase: read, start, warm_up, prepare, run, whole, referee."""

    start: Mapping[str, Any] | None = None
    """Of a solve that began from an earlier output: what was found again, and how near the decisions stayed."""

    whole: WholeFigures | None = None
    """Of whole decisions: what the referee says of them; x and certificate are theirs, status and reason the LP's."""

    effort: float | None = None
    """Of whole decisions: moves that were to be looked at for each edge."""
