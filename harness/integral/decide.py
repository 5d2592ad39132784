"""From an answer of the LP to whole decisions with their own certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.arguments import require_judged
from harness.certificate import Certificate
from harness.clock import Stopwatch
from harness.integral.judge import WholeFigures, judged_whole
from harness.integral.unmeetable import require_meetable
from harness.referee import certify
from harness.rounding import Float64
from instances import InputError, MatchingLP
from solvers.whole.rounding import EFFORT, whole_point


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeDecisions:
    """Whole x, and what the referee says of it."""

    x: Float64
    """float64[E], whole numbers."""

    certificate: Certificate
    """Of x and the LP's prices. Where x leaves a hard row, its feasible point is another one, which is not whole."""

    seconds: float
    """Wall time of making x, the first time with compiling; without the referee's."""

    figures: WholeFigures
    """Whether x is whole and keeps all limits, its gap, and which sources got nothing, by reason."""


def whole_decisions(
    lp: MatchingLP, x: Any, dual: Any = None, *, effort: float = EFFORT, threads: int = 1
) -> WholeDecisions:
    """Whole decisions near x[E], an answer of the LP with its prices dual[R].

    effort: moves of units that are looked at, for each edge; more may find better decisions. The decisions do not
    depend on the machine or on `threads`, which the referee uses. Raises InputError where no whole x can exist.
    """
    require_judged(lp, x, dual)
    if x is None:
        raise InputError("whole decisions start from an x of the LP, None given: solve it first")
    if effort < 0:
        raise InputError(f"effort={effort:g}: expected a number from 0")
    require_meetable(lp)
    return decided_wholly(lp, x, dual, certify(lp, x, dual, threads=threads), effort=effort, threads=threads)


def decided_wholly(
    lp: MatchingLP, x: Any, dual: Any, certificate: Certificate, *, effort: float = EFFORT, threads: int = 1
) -> WholeDecisions:
    """The same where `certificate` of the LP's x is known, and that whole x may exist."""
    stopwatch = Stopwatch()
    whole = whole_point(lp, x, dual, effort=effort)
    seconds = stopwatch.lap()
    judged = certify(lp, whole, dual, threads=threads)
    figures = judged_whole(lp, whole, judged, certificate.certified_gap)
    return WholeDecisions(x=whole, certificate=judged, figures=figures, seconds=seconds)
